// Package listener is the embedded broker, where sensors connect to the gateway
// itself. It speaks MQTT 3.1.1 and 5, takes what sensors publish into a bounded
// queue, acknowledges only when told to, and delivers to nobody but what the
// gateway itself says: feedback and the clock. No queue of readings touches a
// disk.
package listener

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/sync/semaphore"
)

// Bounds of what waits for acknowledgement.
const (
	maxPacket   = 2 << 20
	maxWaiting  = 64 << 20 // bytes
	perMessage  = 512      // overhead counted for each message
	queued      = 4096     // messages
	ackDeadline = 200 * time.Millisecond
)

// Message is one publication that waits for its acknowledgement.
type Message struct {
	Topic   string
	Payload []byte
	// Dup says that the sender may have sent it before.
	Dup      bool
	Received time.Time

	client *mqtt.Client
	id     uint16
	qos    byte
}

// String says nothing.
func (Message) String() string { return "message" }

func (m *Message) weight() int64 { return int64(len(m.Payload)) + perMessage }

// Listener is a running broker.
type Listener struct {
	server  *mqtt.Server
	addr    net.Addr
	queue   chan Message
	waiting *semaphore.Weighted
	ctx     context.Context //nolint:containedctx // ends the broker's own goroutines, which have no other
	cancel  context.CancelFunc
	now     func() time.Time
	acks    map[*mqtt.Client][]byte
	clock   string
}

// Listen starts a broker on a TCP address; port 0 chooses one. The clock topic,
// where there is one, may be read by anyone.
func Listen(addr, clock string, now func() time.Time, log *slog.Logger) (*Listener, error) {
	l := &Listener{
		queue: make(chan Message, queued), waiting: semaphore.NewWeighted(maxWaiting), now: now, clock: clock,
		acks: make(map[*mqtt.Client][]byte),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumPacketSize = maxPacket
	caps.MaximumSessionExpiryInterval = 3600
	l.server = mqtt.New(&mqtt.Options{
		Capabilities: caps, InlineClient: true, SysTopicResendInterval: 3600,
		Logger: slog.New(redacting{log}),
	})
	if err := l.server.AddHook(&hook{l: l}, nil); err != nil {
		return nil, err
	}
	open, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("mqtt listener: %w; choose another address (--mqtt, or listen in the file)", err)
	}
	l.addr = open.Addr()
	if err := l.server.AddListener(listeners.NewNet("mqtt", open)); err != nil {
		return nil, fmt.Errorf("mqtt listener: %w", err)
	}
	if err := l.server.Serve(); err != nil {
		return nil, fmt.Errorf("mqtt listener: %w", err)
	}
	return l, nil
}

// Addr is the address it listens on.
func (l *Listener) Addr() string { return l.addr.String() }

// Queue is what was published, in order of receipt per sensor.
func (l *Listener) Queue() <-chan Message { return l.queue }

// Publish sends to whoever has subscribed.
func (l *Listener) Publish(topic string, payload []byte, retain bool) error {
	return l.server.Publish(topic, payload, retain, 1)
}

// Ack acknowledges messages, with one write for each connection. A sender that
// is gone or does not read is cut off; it will send again.
func (l *Listener) Ack(list []Message) {
	for i := range list {
		m := &list[i]
		l.waiting.Release(m.weight())
		if m.qos == 0 || m.client == nil {
			continue
		}
		kind := packets.Puback
		if m.qos == 2 {
			kind = packets.Pubrec
		}
		l.acks[m.client] = append(l.acks[m.client], kind<<4, 2, byte(m.id>>8), byte(m.id))
	}
	for client, raw := range l.acks {
		write(client, raw)
		delete(l.acks, client)
	}
}

// write sends PUBACKs or PUBRECs (MQTT 3.1.1 section 3.4, and 5.0 section 3.4
// with the reason left out, which means success).
func write(client *mqtt.Client, raw []byte) {
	if client.Closed() {
		return
	}
	client.Lock()
	_ = client.Net.Conn.SetWriteDeadline(time.Now().Add(ackDeadline))
	_, err := client.Net.Conn.Write(raw)
	_ = client.Net.Conn.SetWriteDeadline(time.Time{})
	client.Unlock()
	if err != nil {
		client.Stop(err)
	}
}

// Close ends all connections. What was not acknowledged will be sent again.
func (l *Listener) Close() error {
	l.cancel()
	return l.server.Close()
}

type hook struct {
	mqtt.HookBase
	l *Listener
}

func (h *hook) ID() string { return "sluice" }

func (h *hook) Provides(b byte) bool {
	return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck || b == mqtt.OnPublish || b == mqtt.OnConnect
}

// OnConnect forgets last wills: they would be delivered past the queue.
func (h *hook) OnConnect(cl *mqtt.Client, _ packets.Packet) error {
	cl.Properties.Will = mqtt.Will{}
	return nil
}

// OnConnectAuthenticate lets anyone in: this listener is for loopback only.
func (h *hook) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

// OnACLCheck lets sensors write anywhere, since unknown topics are counted and
// dropped, and read feedback only.
func (h *hook) OnACLCheck(_ *mqtt.Client, topic string, write bool) bool {
	return write || strings.HasPrefix(topic, "city/v1/") && strings.HasSuffix(topic, "/feedback") || h.l.clock != "" && topic == h.l.clock
}

// OnPublish takes the packet. ErrRejectPacket makes the broker neither deliver
// nor acknowledge it; Ack does that after the commit.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	m := Message{
		Topic: pk.TopicName, Payload: pk.Payload, Dup: pk.FixedHeader.Dup, Received: h.l.now(),
		client: cl, id: pk.PacketID, qos: pk.FixedHeader.Qos,
	}
	if h.l.waiting.Acquire(h.l.ctx, m.weight()) != nil {
		return pk, packets.ErrRejectPacket
	}
	select {
	case h.l.queue <- m:
	case <-h.l.ctx.Done():
	}
	return pk, packets.ErrRejectPacket
}

// redacting drops the broker's log attributes, which hold whole packets, client
// ids and topics. Only its constant messages are left, for debugging.
type redacting struct{ log *slog.Logger }

func (r redacting) Enabled(ctx context.Context, _ slog.Level) bool {
	return r.log.Enabled(ctx, slog.LevelDebug)
}

func (r redacting) Handle(ctx context.Context, rec slog.Record) error {
	if rec.Message == "publish packet rejected" {
		return nil // that is how OnPublish takes every packet
	}
	r.log.DebugContext(ctx, "mqtt listener", "event", rec.Message)
	return nil
}

func (r redacting) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r redacting) WithGroup(string) slog.Handler      { return r }
