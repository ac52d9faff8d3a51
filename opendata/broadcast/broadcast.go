// Package broadcast is a read-only MQTT broker of what was released, for homes, displays and
// programs that speak MQTT 3.1.1 or 5:
//
//	open/v1/STREAM/CELL   retained: the newest window of a stream in a cell, which may hold /
//	  {"stream":ID,"cell":ID,"start":"...","end":"...","numbers":{MEASURE:VALUE or null},"items":[ITEM, ...]}
//	homeassistant/sensor/CITY_STREAM_CELL_MEASURE/config   retained: the same for Home Assistant
//
// An ITEM is what the API has. Everything comes from query.Source, as every answer does;
// there is no other way into the broker. Who publishes is sent away (0x87, not authorized).
// Sessions are clean, the quality of service is 0, and neither names nor passwords are asked
// for, looked at, or kept. It listens on an address of its own, or serves WebSockets of an HTTP
// server (Handler), or both; bounds are the same.
//
// A stranger costs little: a CONNECT has ten seconds, a packet 4 KiB, a connection few
// subscriptions that are not deep and few packets a second; connections are bounded in all
// and of one address, and who does not read is cut off.
package broadcast

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"sluice/opendata/query"
)

// Bounds.
const (
	maxPacket     = 4 << 10                // bytes that a client may send at once
	maxTopics     = 4000                   // retained, half of them for each prefix
	lookSoon      = 500 * time.Millisecond // after what has changed: it is known everywhere by then
	lookEvery     = 2 * time.Second        // for what was withdrawn or left out
	lookNames     = time.Minute
	subscriptions = 16 // of a client
	maxDepth      = 8  // levels of a filter
	maxFilter     = 256
)

// Config is what a Broker needs.
type Config struct {
	Addr string // to listen on; empty for none
	// Connections are all of them, PerAddress those of one address at Addr, where that is on
	// loopback or not; 0 for no bound but that.
	Connections int
	PerAddress  func(loopback bool) int
	// URL is the public address of the pages; empty where it is not known.
	URL string
	// Zone is a zone's name; nil where ids are enough.
	Zone func(id, lang string) (name string, known bool)
	// Changed returns a channel that is closed when more was released than now; nil where only
	// looking tells.
	Changed func() <-chan struct{}
	Log     *slog.Logger
}

// Broker is a running broker.
type Broker struct {
	cfg    Config
	source *query.Source
	server *mqtt.Server
	door   *door
	begun  chan struct{} // closed when all that is retained is

	retained map[string]string // what is retained, by topic; owned by Run
	changed  <-chan struct{}   // closed when there is more; nil for never; owned by Run
	full     sync.Once
}

// Listen opens the address, if there is one; Run serves.
func Listen(cfg Config, source *query.Source) (*Broker, error) {
	var open net.Listener
	if cfg.Addr != "" {
		var err error
		if open, err = net.Listen("tcp", cfg.Addr); err != nil {
			return nil, fmt.Errorf("mqtt address: %w; choose another (mqtt: listen in the file)", err)
		}
	}
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumPacketSize, caps.MaximumQos = maxPacket, 0
	caps.MaximumSessionExpiryInterval, caps.TopicAliasMaximum, caps.SharedSubAvailable = 0, 0, 0
	caps.MaximumClientWritesPending, caps.MaximumInflight = maxTopics+100, 1
	b := &Broker{cfg: cfg, source: source, door: newDoor(open, cfg), retained: make(map[string]string),
		begun: make(chan struct{})}
	b.server = mqtt.New(&mqtt.Options{Capabilities: caps, InlineClient: true, SysTopicResendInterval: 3600,
		ClientNetReadBufferSize: 512, ClientNetWriteBufferSize: 512,
		Logger: slog.New(slog.DiscardHandler)}) // it logs packets
	if err := b.server.AddHook(&hook{b: b}, nil); err != nil {
		return nil, err
	}
	return b, b.server.AddListener(b.door)
}

// Addr is where it listens; empty where it does not.
func (b *Broker) Addr() string { return b.door.Address() }

// Run serves until ctx ends.
func (b *Broker) Run(ctx context.Context) {
	if b.cfg.Changed != nil {
		b.changed = b.cfg.Changed()
	}
	b.renew(ctx)
	b.announce(ctx)
	if err := b.server.Serve(); err != nil {
		b.cfg.Log.Error("the MQTT address cannot be served", "error", err)
	}
	close(b.begun)
	names := time.Now()
	for b.wait(ctx) {
		b.renew(ctx)
		if time.Since(names) > lookNames {
			b.announce(ctx)
			names = time.Now()
		}
	}
	_ = b.server.Close() // it ends all the same
}

// wait waits until it is time to look; it reports false where ctx has ended. Each look asks the store of
// every stream, so at rest there are few.
func (b *Broker) wait(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(lookEvery):
		return true
	case <-b.changed:
	}
	b.changed = b.cfg.Changed() // first, so that what changes meanwhile is looked for once more
	select {
	case <-ctx.Done():
		return false
	case <-time.After(lookSoon):
		return true
	}
}

// renew publishes what has changed. What cannot be read stays as it was.
func (b *Broker) renew(ctx context.Context) {
	all, err := b.source.LatestOfAll(ctx, nil)
	if err != nil {
		return
	}
	b.replace("open/", newest(all))
}

// announce says to Home Assistant what there is.
func (b *Broker) announce(ctx context.Context) {
	list, err := b.discovery(ctx)
	if err == nil {
		b.replace("homeassistant/", list)
	}
}

// replace publishes what is new under a prefix, and takes back what is gone.
func (b *Broker) replace(prefix string, now map[string]string) {
	for topic := range maps.Keys(b.retained) {
		if strings.HasPrefix(topic, prefix) && now[topic] == "" {
			b.publish(topic, "")
			delete(b.retained, topic)
		}
	}
	have := 0 // of this prefix: neither takes the other's room
	for topic := range b.retained {
		if strings.HasPrefix(topic, prefix) {
			have++
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(now)) { // the same ones at each server
		payload := now[topic]
		if b.retained[topic] == payload {
			continue
		}
		_, old := b.retained[topic]
		if !old && have >= maxTopics/2 {
			b.full.Do(func() {
				b.cfg.Log.Warn("there are more cells than MQTT topics may be; the others are on HTTP only",
					"topics", maxTopics/2)
			})
			continue
		}
		if !old {
			have++
		}
		b.publish(topic, payload)
		b.retained[topic] = payload
	}
}

func (b *Broker) publish(topic, payload string) {
	if err := b.server.Publish(topic, []byte(payload), true, 0); err != nil {
		b.cfg.Log.Warn("a topic cannot be published", "error", err)
	}
}
