// Package device is the firmware: it encodes observations as docs/wire.md says, or as the systems of
// dialect do, and publishes them over MQTT at QoS 1. It shares no code with the gateway, so that the
// two test each other.
package device

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// inFlight is how many publications may wait for their PUBACK.
const inFlight = 512

// Link is a connection to a broker.
type Link struct {
	client mqtt.Client
	store  mqtt.Store
	slots  chan struct{}
	mu     sync.Mutex
	err    error      // the first; guarded by mu
	sent   int64      // guarded by mu
	open   int        // publications that are neither acknowledged nor given up; guarded by mu
	none   *sync.Cond // that open is 0
}

// Connect connects to a broker such as tcp://127.0.0.1:1883.
func Connect(broker, clientID string) (*Link, error) { return ConnectAs(broker, clientID, "", "") }

// ConnectAs connects with a user name and a password.
func ConnectAs(broker, clientID, user, password string) (*Link, error) {
	return connect(options(broker, clientID, user, password))
}

// options are a client's; its store is made by connect.
func options(broker, clientID, user, password string) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().AddBroker(broker).SetClientID(clientID).SetUsername(user).SetPassword(password).
		SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(2 * time.Second).
		SetConnectTimeout(10 * time.Second).SetOrderMatters(false)
}

func connect(o *mqtt.ClientOptions) (*Link, error) {
	store := &copyingStore{mqtt.NewMemoryStore()}
	c := mqtt.NewClient(o.SetStore(store))
	t := c.Connect()
	if !t.WaitTimeout(15*time.Second) || t.Error() != nil {
		return nil, fmt.Errorf("cannot connect to the broker at %s: %w", o.Servers[0], orTimeout(t.Error()))
	}
	l := &Link{client: c, store: store, slots: make(chan struct{}, inFlight)}
	l.none = sync.NewCond(&l.mu)
	return l, nil
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
	l.mu.Lock()
	l.open++
	l.mu.Unlock()
	t := l.client.Publish(topic, 1, retain, payload)
	go func() {
		ok := waitMinute(t.WaitTimeout)
		<-l.slots
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent++
		if l.open--; l.open == 0 {
			l.none.Broadcast()
		}
		// A connection that breaks while writing is no failure: the publication is
		// in the store and is sent again after the reconnection.
		if err := t.Error(); l.err == nil && (errors.Is(err, mqtt.ErrNotConnected) || !ok) {
			l.err = fmt.Errorf("publishing: %w", orTimeout(err))
		}
	}()
}

// Flush waits until everything published is acknowledged; others may publish meanwhile. A token of
// paho's completes as soon as its publication is sent again after a reconnection, so Flush also asks
// the store, which forgets a publication only at its PUBACK.
func (l *Link) Flush() error {
	l.mu.Lock()
	for l.open > 0 {
		l.none.Wait()
	}
	l.mu.Unlock()
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
