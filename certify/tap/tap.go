// Package tap stands between a device and the listener of a gateway. It passes every MQTT packet
// on as it is, says what passed, and does what a network or a server may do to a device at any time: it
// keeps one acknowledgement back, cuts the connection, answers nobody for a while, or shows a
// certificate that nobody vouches for.
//
// One connection is passed on at a time; a device that connects again ends its old one, as MQTT has it
// (3.1.4-2), and up to four may be on their way in. What a device says is in its packets' buffer only
// until it is passed on: an Event has stamps, flags and instants, and no text of it.
package tap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sluice/certify/envelope"
)

// Bounds, as those of the listener.
const (
	connectTime = 10 * time.Second // from the connection to the answer to CONNECT
	writeTime   = 10 * time.Second
	maxIn       = 4 // connections that are not let in yet
)

// Event is something that passed.
type Event struct {
	At   time.Time
	What What
	// Message is of Published, Acknowledged and Withheld.
	Message *Message
	// Version is MQTT's (3, 4 or 5) for Connected, and TLS's (tls.VersionTLS12, ...) for Secured.
	Version uint16
	// Own says, for Refused, that the user name was the device's own.
	Own bool
}

// What happened.
type What int8

// Events.
const (
	Connected    What = iota // the gateway let the device in
	Refused                  // the gateway did not: wrong user or password
	Gone                     // a connection that was let in has ended
	Published                // the device sent a message, which was passed on
	Acknowledged             // the gateway's acknowledgement was passed on
	Withheld                 // it was kept back
	Secured                  // TLS was agreed
	Insecure                 // TLS was not agreed
	Trusted                  // the device went on with a certificate that nobody vouches for
	Distrusted               // it did not
)

// Where is what a topic is to the device.
type Where int8

// Topics are told by what they are, never by their text.
const (
	Readings Where = iota
	Heartbeats
	Elsewhere
	Beside // known, and neither
)

// Message is a publication.
type Message struct {
	At          time.Time
	Where       Where
	QoS         byte
	Dup, Retain bool
	// Known says that the payload's form is known, so that Stamps are those of its readings.
	Known  bool
	Stamps []envelope.Stamp
	Every  time.Duration // of a heartbeat; 0 where it cannot be read
}

// Tap is the way to one gateway. Its methods may be called while it runs.
type Tap struct {
	events   chan Event
	speaks   Language
	user     string
	upstream string
	listener net.Listener
	tls      *tls.Config   // nil for none
	web      bool          // the device comes by WebSocket
	in       chan struct{} // a place for each connection that is not let in yet

	shut     atomic.Bool
	imposter atomic.Pointer[tls.Certificate]
	withhold atomic.Bool // the next acknowledgement of readings

	mu      sync.Mutex
	current *session // the connection that was let in last; guarded by mu
}

// Listen opens the way to the gateway at upstream, with TLS where a certificate is given.
func Listen(addr string, own *tls.Certificate, upstream, user string, speaks Language) (*Tap, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	t := &Tap{
		events: make(chan Event, 256), speaks: speaks, user: user, upstream: upstream, listener: l,
		in: make(chan struct{}, maxIn),
	}
	if own != nil {
		// Without tickets: a session that is resumed shows no certificate.
		t.tls = &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
			Certificates: []tls.Certificate{*own}}
	}
	return t, nil
}

// Web has devices come by WebSocket. It is for a tap that does not run yet.
func (t *Tap) Web() { t.web = true }

// Addr is where the device connects.
func (t *Tap) Addr() string { return t.listener.Addr().String() }

// Events are what passes, in order. Nothing passes on while nobody takes them.
func (t *Tap) Events() <-chan Event { return t.events }

// Shut has the tap answer nobody from now on, or again.
func (t *Tap) Shut(shut bool) {
	t.shut.Store(shut)
	if shut {
		t.Cut()
	}
}

// Cut ends the connection.
func (t *Tap) Cut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil {
		t.current.end()
	}
}

// Withhold has the next acknowledgement of readings kept back, or not any more.
func (t *Tap) Withhold(on bool) { t.withhold.Store(on) }

// Imposter shows another certificate from the next connection on; nil for the own one.
func (t *Tap) Imposter(other *tls.Certificate) {
	t.imposter.Store(other)
	t.Cut()
}

// Run passes on until ctx ends.
func (t *Tap) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	stop := context.AfterFunc(ctx, func() { _ = t.listener.Close() })
	defer stop()
	for {
		c, err := t.listener.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // of files, or of one connection: it passes
			time.Sleep(50 * time.Millisecond)
			continue
		case t.shut.Load():
			_ = c.Close()
			continue
		}
		select {
		case t.in <- struct{}{}:
		default:
			_ = c.Close()
			continue
		}
		all.Go(func() { t.serve(ctx, c) })
	}
}

// tell says what happened.
func (t *Tap) tell(ctx context.Context, e Event) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	select {
	case t.events <- e:
	case <-ctx.Done():
	}
}

// follow makes a session the current one, and ends the one before.
func (t *Tap) follow(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil {
		t.current.end()
	}
	t.current = s
	if t.shut.Load() {
		s.end() // it was on its way in
	}
}
