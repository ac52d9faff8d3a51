// Package engine is the one door to NATS JetStream: logs that three machines keep, compare-and-append, and a bucket of
// keys that expire. docs/decisions has what it is for.
//
// # What it promises
//
// An acknowledgement means that a majority of the replicas has the entry on its disk. That is the servers' doing, not
// ours: they must run with sync_interval always, and gateway/cluster/settings looks that they do. What is not
// acknowledged may still be written, now or later; only the log knows.
//
//	conn, err := engine.Dial(ctx, engine.Config{URLs: []string{"tls://nats-1:4222"}, Name: "releaser", Log: log})
//	books, err := conn.Open(ctx, engine.Spec{Name: "BOOKS", Subjects: []string{"books"}, Replicas: 3, Forever: true})
//	last, err := books.Last(ctx, "books")
//	seq, err := books.Append(ctx, "books", last, "1842", entry)
//
// Append writes only where the subject's last entry is still the one that the caller has read: that is the fence. Of
// two that believe they are the owner one is refused, with ErrFenced. A lease says who should write; it protects
// nothing.
//
// Put, of a Pipe, publishes many without waiting for each. Entries and Follow read a subject in order.
//
// # Bounds and errors
//
// No call waits for longer than its context and, Follow and Put aside, than Config.Patience. What is in flight is
// bounded by number and bytes, and nothing is buffered while no server is reached. Every error is ErrFenced, ErrAway
// or ErrRefused with a reason of a closed list: the library's own texts name subjects, so they are never passed on,
// neither as an error nor to the log. Subjects are the caller's, and are no place for an identifier either: servers
// log them.
package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/retry"
	"sluice/perm"
)

// Config says how the servers are reached, and as whom.
type Config struct {
	URLs        []string      // nats://HOST:PORT or tls://HOST:PORT, one for each server; no password in them
	Credentials string        // file with an NKey's seed (SU...) or what nsc wrote (.creds); empty: nobody
	CA          string        // file of certificates, PEM, that the servers' are signed by; empty: the machine's
	Name        string        // what the servers show the connection as
	Patience    time.Duration // the longest that one call waits; 0: 15 s, somewhat more than an election took
	Log         *slog.Logger  // nil: nothing is logged
}

const (
	usualPatience = 15 * time.Second
	oneAttempt    = 3 * time.Second // how long an answer is waited for before the question is put again
	pingEvery     = 2 * time.Second // a server that hangs is left after two of them
)

// pauses between attempts: short, since an election may be over any moment.
func pauses() retry.Backoff {
	return retry.Backoff{First: 20 * time.Millisecond, Longest: 500 * time.Millisecond}
}

// Check refuses what cannot be reached, before anything is tried.
func (c *Config) Check() error {
	if len(c.URLs) == 0 {
		return errors.New("no server is named: nats is a list of addresses like tls://nats-1:4222")
	}
	for i, text := range c.URLs {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" || u.User != nil || u.Path != "" {
			return fmt.Errorf("address %d is not nats://HOST:PORT or tls://HOST:PORT; credentials have a file", i+1)
		}
	}
	return nil
}

// Conn is a connection to whichever of the servers answers. It may be used by several goroutines.
type Conn struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	patience time.Duration
	lost     *atomic.Pointer[loss] // nil while a server is reached
}

// loss is that no server is reached any more: since when, and why.
type loss struct {
	since time.Time
	why   string
}

// noted is a loss with what has come of another attempt. That a server refuses says more than that one does not
// answer.
func (l *loss) noted(err error) *loss {
	if l == nil {
		return &loss{time.Now(), reason(err)}
	}
	if errors.Is(fail("", err), ErrRefused) {
		return &loss{l.since, reason(err)}
	}
	return l
}

// Dial connects, and tries again within the patience. A connection that breaks later is made anew for as long as it is
// not closed; until then calls fail with ErrAway.
func Dial(ctx context.Context, c Config) (*Conn, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	lost := new(atomic.Pointer[loss])
	options, err := c.options(lost)
	if err != nil {
		return nil, err
	}
	patience := c.Patience
	if patience <= 0 {
		patience = usualPatience
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pause := pauses()
	for {
		nc, err := nats.Connect(strings.Join(c.URLs, ","), options...)
		if err == nil {
			js, err := jetstream.New(nc)
			if err != nil {
				nc.Close()
				return nil, fail("connecting", err)
			}
			return &Conn{nc, js, patience, lost}, nil
		}
		if err := fail("connecting", err); errors.Is(err, ErrRefused) || !pause.Wait(ctx) {
			return nil, err
		}
	}
}

func (c *Config) options(lost *atomic.Pointer[loss]) ([]nats.Option, error) {
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	options := []nats.Option{
		nats.Name(c.Name),
		nats.Timeout(oneAttempt),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectBufSize(-1), // what cannot be sent fails now, and its caller knows
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(pingEvery),
		nats.MaxPingsOutstanding(2),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("the cluster's engine objects", "why", reason(err))
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				lost.Store(lost.Load().noted(err))
				log.Warn("the cluster's engine is lost", "why", reason(err))
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { lost.Store(lost.Load().noted(err)) }),
		nats.ReconnectHandler(func(*nats.Conn) {
			lost.Store(nil)
			log.Info("the cluster's engine is back")
		}),
	}
	if c.Credentials != "" {
		raw, err := perm.Read(c.Credentials, perm.Secret)
		if err != nil {
			return nil, err
		}
		option := nats.UserCredentialBytes(raw)
		if !strings.Contains(string(raw), "-----BEGIN ") {
			// The library reads seeds from files alone.
			if option, err = nats.NkeyOptionFromSeed(c.Credentials); err != nil {
				return nil, &perm.Error{Path: c.Credentials, What: "is no seed of a user, SU...",
					Fix: "copy it from member/ of what sluice cluster nats wrote"}
			}
		}
		options = append(options, option)
	}
	if c.CA != "" {
		raw, err := perm.Read(c.CA, perm.Trusted)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(raw) {
			return nil, &perm.Error{Path: c.CA, What: "has no certificate in PEM",
				Fix: "copy nats-ca.crt from member/ of what sluice cluster nats wrote, and name it in cluster: ca"}
		}
		options = append(options, nats.Secure(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}))
	}
	return options, nil
}

// Close ends the connection. Calls that are under way fail.
func (c *Conn) Close() { c.nc.Close() }

// Up reports whether a server is reached at this moment.
func (c *Conn) Up() bool { return c.nc.IsConnected() }

// Lost says since when no server is reached, and why; zero and empty while one is.
func (c *Conn) Lost() (since time.Time, why string) {
	if l := c.lost.Load(); l != nil && !c.Up() {
		return l.since, l.why
	}
	return time.Time{}, ""
}

// Until is how long the certificate of the server that is reached holds; zero where that is not known.
func (c *Conn) Until() time.Time {
	state, err := c.nc.TLSConnectionState()
	if err != nil || len(state.PeerCertificates) == 0 {
		return time.Time{}
	}
	return state.PeerCertificates[0].NotAfter
}

// Version is the version of the server that is reached, as 2.15.2; empty while none is.
func (c *Conn) Version() string { return c.nc.ConnectedServerVersion() }
