// Package device is the firmware: it encodes observations as docs/wire.md says and publishes them
// over MQTT at QoS 1. It shares no code with the gateway, so that the two test each other.
package device

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/firmware-sim/street"
)

// inFlight is how many publications may wait for their PUBACK.
const inFlight = 512

// Link is a connection to a broker.
type Link struct {
	client mqtt.Client
	store  mqtt.Store
	slots  chan struct{}
	wg     sync.WaitGroup
	mu     sync.Mutex
	err    error // the first; guarded by mu
	sent   int64 // guarded by mu
}

// Connect connects to a broker such as tcp://127.0.0.1:1883.
func Connect(broker, clientID string) (*Link, error) { return ConnectAs(broker, clientID, "", "") }

// ConnectAs connects with a user name and a password.
func ConnectAs(broker, clientID, user, password string) (*Link, error) {
	store := &copyingStore{mqtt.NewMemoryStore()}
	o := mqtt.NewClientOptions().AddBroker(broker).SetClientID(clientID).SetUsername(user).SetPassword(password).
		SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(2 * time.Second).
		SetConnectTimeout(10 * time.Second).SetOrderMatters(false).SetStore(store)
	c := mqtt.NewClient(o)
	t := c.Connect()
	if !t.WaitTimeout(15*time.Second) || t.Error() != nil {
		return nil, fmt.Errorf("cannot connect to the broker at %s: %w", broker, orTimeout(t.Error()))
	}
	return &Link{client: c, store: store, slots: make(chan struct{}, inFlight)}, nil
}

// copyingStore is the client's store. It stores and returns copies, because the client changes a
// packet while sending it and marks a resent one as a duplicate.
type copyingStore struct{ *mqtt.MemoryStore }

// Put implements mqtt.Store.
func (k *copyingStore) Put(key string, p packets.ControlPacket) { k.MemoryStore.Put(key, copied(p)) }

// Get implements mqtt.Store.
func (k *copyingStore) Get(key string) packets.ControlPacket { return copied(k.MemoryStore.Get(key)) }

func copied(p packets.ControlPacket) packets.ControlPacket {
	if publish, ok := p.(*packets.PublishPacket); ok {
		again := *publish
		return &again
	}
	return p
}

type timeout struct{}

func (timeout) Error() string { return "no answer in time" }

func orTimeout(err error) error {
	if err != nil {
		return err
	}
	return timeout{}
}

// Publish sends without waiting for the PUBACK; Flush does that.
func (l *Link) Publish(topic string, payload []byte, retain bool) {
	l.slots <- struct{}{}
	l.wg.Add(1)
	t := l.client.Publish(topic, 1, retain, payload)
	go func() {
		defer l.wg.Done()
		ok := waitMinute(t.WaitTimeout)
		<-l.slots
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent++
		// A connection that breaks while writing is no failure: the publication is
		// in the store and is sent again after the reconnection.
		if err := t.Error(); l.err == nil && (errors.Is(err, mqtt.ErrNotConnected) || !ok) {
			l.err = fmt.Errorf("publishing: %w", orTimeout(err))
		}
	}()
}

// Flush waits until everything published is acknowledged. A token of paho's completes as soon as
// its publication is sent again after a reconnection, so Flush also asks the store, which forgets a
// publication only at its PUBACK.
func (l *Link) Flush() error {
	l.wg.Wait()
	if !waitMinute(l.waitAcked) {
		return fmt.Errorf("publishing: %w", timeout{})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.err
	l.err = nil
	return err
}

// waitMinute waits up to a minute, a second at a time: while this machine itself is stalled,
// no answer counts as late.
func waitMinute(wait func(time.Duration) bool) bool {
	for range 60 {
		if wait(time.Second) {
			return true
		}
	}
	return false
}

// waitAcked waits until every publication is acknowledged. It returns false after limit.
func (l *Link) waitAcked(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); l.unacked(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// unacked reports whether a publication still waits for its PUBACK.
func (l *Link) unacked() bool {
	return slices.ContainsFunc(l.store.All(), func(key string) bool { return strings.HasPrefix(key, "o.") })
}

// Sent is how many publications were acknowledged or given up.
func (l *Link) Sent() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent
}

// Close disconnects.
func (l *Link) Close() { l.client.Disconnect(250) }

// Tick publishes the time on a clock topic, once everything before is acknowledged.
func (l *Link) Tick(topic string, now time.Time) error {
	if err := l.Flush(); err != nil {
		return err
	}
	l.Publish(topic, []byte(now.UTC().Format(time.RFC3339Nano)), true)
	return l.Flush()
}

// Faults are the mistakes that the firmware makes, each in a share of messages.
type Faults struct {
	Duplicate, Shuffle, Clock, Reboot, Garbage, Unknown, Silence bool
}

// FaultNames are the values of --faults.
var FaultNames = []string{"duplicates", "out-of-order", "clocks", "reboots", "garbage", "unknown-fields", "silence"}

// ParseFaults reads a list such as duplicates,reboots, or all.
func ParseFaults(list string) (Faults, error) {
	var f Faults
	if list == "" || list == "none" {
		return f, nil
	}
	words := strings.Split(list, ",")
	if list == "all" {
		words = FaultNames
	}
	flags := []*bool{&f.Duplicate, &f.Shuffle, &f.Clock, &f.Reboot, &f.Garbage, &f.Unknown, &f.Silence}
	for _, w := range words {
		i := slices.Index(FaultNames, w)
		if i < 0 {
			return f, fmt.Errorf("unknown fault; choose from %s, all", strings.Join(FaultNames, ", "))
		}
		*flags[i] = true
	}
	return f, nil
}

// Fleet is the firmware of all sensors.
type Fleet struct {
	link    *Link
	sensors []street.Sensor
	faults  Faults
	rnd     *rand.Rand
	seq     []uint64
	boot    []uint64
	silent  []time.Time
	last    [][]byte
}

// NewFleet makes the firmware; boot tells this start from earlier ones.
func NewFleet(link *Link, sensors []street.Sensor, faults Faults, seed, boot uint64) *Fleet {
	f := &Fleet{
		link: link, sensors: sensors, faults: faults, rnd: rand.New(rand.NewPCG(seed, boot)),
		seq: make([]uint64, len(sensors)), boot: make([]uint64, len(sensors)),
		silent: make([]time.Time, len(sensors)), last: make([][]byte, len(sensors)),
	}
	for i := range f.boot {
		f.boot[i] = boot
	}
	return f
}

// message is one reading on the wire.
type message struct {
	TS     string         `json:"ts"`
	Seq    uint64         `json:"seq"`
	Boot   uint64         `json:"boot"`
	Fields map[string]any `json:"fields"`
}

// maxBatch is how many readings one message has at most.
const maxBatch = 500

// Send publishes observations, one message for each sensor and maxBatch readings.
func (f *Fleet) Send(list []street.Observation) error {
	by := make([][]message, len(f.sensors))
	for _, o := range list {
		if f.mute(o) {
			continue
		}
		by[o.Sensor] = append(by[o.Sensor], f.encode(o))
	}
	for i, all := range by {
		if f.faults.Shuffle {
			f.rnd.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
		}
		for len(all) > 0 {
			n := min(len(all), maxBatch)
			raw, err := json.Marshal(all[:n])
			if err != nil {
				return err
			}
			all = all[n:]
			f.publish(i, raw)
		}
	}
	return nil
}

func (f *Fleet) publish(i int, raw []byte) {
	topic := f.sensors[i].Topic()
	f.link.Publish(topic, raw, false)
	if f.faults.Duplicate && f.rnd.IntN(10) == 0 {
		f.link.Publish(topic, raw, false)
		if f.last[i] != nil {
			f.link.Publish(topic, f.last[i], false)
		}
	}
	if f.faults.Garbage && f.rnd.IntN(10) == 0 {
		junk := slices.Clone(raw[:f.rnd.IntN(len(raw))])
		f.link.Publish(topic, junk, false)
	}
	f.last[i] = raw
}

func (f *Fleet) mute(o street.Observation) bool {
	if !f.faults.Silence {
		return false
	}
	if f.silent[o.Sensor].IsZero() && f.rnd.IntN(5000) == 0 {
		f.silent[o.Sensor] = o.Time.Add(2 * time.Hour)
	}
	return o.Time.Before(f.silent[o.Sensor])
}

func (f *Fleet) encode(o street.Observation) message {
	i := o.Sensor
	if f.faults.Reboot && f.rnd.IntN(500) == 0 {
		f.seq[i] = 0 // and the boot stays the same: firmware that keeps none
	}
	at := o.Time
	if f.faults.Clock && f.rnd.IntN(50) == 0 {
		at = at.Add([]time.Duration{-26 * time.Hour, 3 * time.Hour}[f.rnd.IntN(2)])
	}
	m := message{at.UTC().Format(time.RFC3339Nano), f.seq[i], f.boot[i], o.Fields}
	f.seq[i]++
	if f.faults.Unknown && f.rnd.IntN(20) == 0 {
		m.Fields["firmware_debug"] = "not of the kind"
	}
	return m
}

// Beat sends the heartbeats of all live sensors.
func (f *Fleet) Beat(now time.Time, every string) {
	for i, s := range f.sensors {
		if s.Dead || now.Before(f.silent[i]) {
			continue
		}
		f.link.Publish(s.Heartbeat(),
			fmt.Appendf(nil, `{"ts":%q,"every":%q,"seq":%d}`, now.UTC().Format(time.RFC3339), every, f.seq[i]), false)
	}
}
