// Package listener is the embedded broker, where sensors connect to the gateway
// itself. It speaks MQTT 3.1.1 and 5, over TCP and over WebSocket, takes what sensors publish into the
// bounded queue, acknowledges only when told to, and delivers to nobody but what
// the gateway itself says: feedback and the clock. No queue of readings touches
// a disk.
//
// Where there are passwords or an authority for client certificates, a sensor is
// who its user name and password, or its certificate's common name, say: the id
// of a register entry. It may then read its own feedback only, and what it sends
// carries its id. Without either, anyone may come in, which is for loopback.
//
// Whoever can reach it has a budget. A connection passes, in this order,
//
//	preAuth (few, 10 s, a request of HTTP and a CONNECT of 4 KiB) -> throttle, if its password is wrong
//	-> admitted (four of a sensor, 20,000 in all) -> guard and packetBudget (packets as they come in)
//	-> the sensor's share of the queue
//
// and what is written to it waits in conn, never in a goroutine of somebody else. Who
// is over a bound is cut off and counted.
package listener

import (
	"context"
	"crypto/tls"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"sluice/gateway/ingest/internal/intake"
)

// ClockUser is who may drive the clock topic where there are identities.
const ClockUser = "clock"

// Passwords say whether a user's password is right.
type Passwords interface {
	Check(user string, password []byte) bool
}

// Config is what a Listener needs.
type Config struct {
	// Addr is a TCP address, and WebSocket another, for MQTT over WebSocket. Port 0 chooses
	// one, and empty is none.
	Addr, WebSocket string
	// Clock is the simulated clock's topic; empty for none.
	Clock string
	TLS   *tls.Config // nil for none
	// Passwords, where they are not nil, and TLS with ClientCAs give identities.
	Passwords Passwords
	// Revoked says which certificates hold no more; nil for none.
	Revoked Revocations
	// Feedback is each user's feedback topic; + in it stands for any level.
	Feedback map[string]string
	// Explains says that acknowledgements of MQTT 5 tell why nothing of a message counted.
	Explains bool
	Queue    *intake.Queue
	Now      func() time.Time
	// Fail is told of a panic.
	Fail func(error)
	Log  *slog.Logger

	times times // for tests
}

// times are how long we wait for others.
type times struct{ connect, packet, slow, write, guess, longGuess time.Duration }

var ordinary = times{connectTime, packetTime, slowAfter, writeTime, guessWait, guessLongWait}

// Listener is a running broker.
type Listener struct {
	cfg    Config
	server *mqtt.Server
	addrs  map[string]string // of each door
	admits atomic.Pointer[admission]
	ctx    context.Context //nolint:containedctx // ends the broker's own goroutines, which have no other
	cancel context.CancelFunc

	seed     maphash.Seed // of clients' ids
	turns    turns
	preAuth  *preAuth
	throttle *throttle
	admitted *admitted
	budget   *packetBudget
	tally    *tally
	guests   sync.WaitGroup // those who serve a connection
	writers  sync.WaitGroup // those who write to one
}

// Listen starts a broker.
func Listen(cfg Config) (*Listener, error) {
	l, err := build(cfg)
	if err != nil {
		return nil, err
	}
	for _, d := range []struct{ id, addr string }{{plainDoor, cfg.Addr}, {webDoor, cfg.WebSocket}} {
		if d.addr == "" {
			continue
		}
		if err := l.add(d.id, d.addr); err != nil {
			l.cancel()
			l.server.Listeners.CloseAll(nil)
			return nil, err
		}
	}
	if err := l.server.Serve(); err != nil {
		return nil, fmt.Errorf("mqtt listener: %w", err)
	}
	l.guests.Go(func() { l.tally.watch(l.ctx, cfg.Log) })
	if cfg.Revoked != nil {
		l.guests.Go(l.follow)
	}
	return l, nil
}

// add opens a door.
func (l *Listener) add(id, addr string) error {
	open, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%s listener: %w; choose another address (--%[1]s, or listen in the file)", id, err)
	}
	l.addrs[id] = open.Addr().String()
	if err := l.server.AddListener(door{l, open, id}); err != nil {
		return fmt.Errorf("%s listener: %w", id, err)
	}
	return nil
}

// build makes a listener that does not listen yet.
func build(cfg Config) (*Listener, error) {
	if cfg.times == (times{}) {
		cfg.times = ordinary
	}
	l := &Listener{
		cfg: cfg, seed: maphash.MakeSeed(), turns: make(turns, max(1, runtime.GOMAXPROCS(0)/2)),
		throttle: newThrottle(cfg.times), admitted: newAdmitted(), budget: newPacketBudget(), tally: &tally{},
		addrs: make(map[string]string),
	}
	l.preAuth = newPreAuth(l.tally)
	l.admits.Store(l.admission(Admission{cfg.TLS, cfg.Passwords, cfg.Feedback}, newUser))
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.server = mqtt.New(&mqtt.Options{
		// too small to hold an identifier; conn has its own
		Capabilities: capabilities(), InlineClient: true, ClientNetReadBufferSize: 16,
		SysTopicResendInterval: 3600,
		Logger:                 slog.New(redacting{cfg.Log}),
	})
	if err := l.server.AddHook(&hook{l: l}, nil); err != nil {
		return nil, err
	}
	return l, nil
}

// capabilities are the library's bounds. It has none by default, and keeps sessions,
// aliases and retained messages; nobody here needs any of them.
func capabilities() *mqtt.Capabilities {
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumPacketSize = wholePacket
	caps.MaximumSessionExpiryInterval = 0
	caps.TopicAliasMaximum = 0
	caps.ReceiveMaximum = receiveMaximum
	caps.RetainAvailable = 0
	caps.SharedSubAvailable = 0
	caps.MaximumClientWritesPending = 64
	caps.MaximumInflight = 64
	caps.Compatibilities.NoInheritedPropertiesOnAck = true
	return caps
}

// Addr is the address it listens on for MQTT; empty for none.
func (l *Listener) Addr() string { return l.addrs[plainDoor] }

// WebSocket is the address it listens on for MQTT over WebSocket; empty for none.
func (l *Listener) WebSocket() string { return l.addrs[webDoor] }

// secured reports whether sensors have identities here.
func (l *Listener) secured() bool {
	return l.cfg.Passwords != nil || l.cfg.TLS != nil && l.cfg.TLS.ClientCAs != nil
}

// Publish sends to whoever has subscribed.
func (l *Listener) Publish(topic string, payload []byte) error {
	return l.server.Publish(topic, payload, false, 1)
}

// Close ends all connections. What was not acknowledged will be sent again; what was
// has a second to be written.
func (l *Listener) Close() error {
	l.cancel()
	err := l.server.Close()
	l.guests.Wait()
	l.writers.Wait()
	return err
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
