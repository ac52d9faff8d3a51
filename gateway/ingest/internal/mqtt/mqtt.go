// Package mqtt is the way in through a broker of the city's own. It keeps a
// session at the broker, so that messages wait there while the gateway is away,
// subscribes at QoS 1 and acknowledges only when told to.
//
// Each connection is a client of its own (Eclipse Paho, MQTT 3.1.1): a message
// is acknowledged on the connection that it came in on or not at all, since the
// broker gives what it sends again a new identifier. What was not acknowledged
// comes again; ingest knows it.
//
// After each connection, and every few seconds, the gateway publishes a numbered
// marker to itself (markers.go). What the broker had kept stands before it in the
// queue, so when it has come back, the backlog is through; when it has not, and a
// later one has, something was lost.
package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/gateway/ingest/internal/intake"
	"sluice/internal/crash"
	"sluice/internal/retry"
)

// Config is what a Client needs.
type Config struct {
	// Broker is tcp://HOST:PORT or tls://HOST:PORT.
	Broker, ClientID, Username, Password string
	TLS                                  *tls.Config
	// Topics are the filters to subscribe to, and Before those that the session may have from another configuration.
	Topics, Before []string
	// Shared says that messages are shared out among clients: filters of Topics are $share/GROUP/FILTER. A broker that
	// has nothing of the kind takes that for a topic on which nothing ever comes, so the marker comes by one, too.
	Shared bool
	// Marker is the topic of the gateway's messages to itself, and Secret what makes them
	// its own.
	Marker string
	Secret []byte
	Queue  *intake.Queue
	Now    func() time.Time
	// Fail is told of a panic.
	Fail func(error)
	Log  *slog.Logger
}

// Status is how the connection is.
type Status struct {
	Up bool
	// Connection counts connections since the start; 0 before the first.
	Connection int
	// Kept says that the broker still had the gateway's session when the latest
	// connection was made, and so all that came in between.
	Kept bool
	// Cut is the latest connection before it that was ended by the broker's side, by a word
	// or without one, and not by us; 0 for none. Then either its will comes, or another
	// client has taken the session over.
	Cut int
	// Through says that this connection's first marker has come from the broker.
	Through bool
	// Backlog is how many messages came before this connection's first marker.
	Backlog int
	// Late says that a marker has not come back in time.
	Late bool
	// Dropped is how many messages the broker has dropped since its start, where it says
	// so: Known once it has said it after the connection was made, Waits until then. Said is
	// how often it has, to the end, on all connections.
	Dropped      int64
	Said         int
	Known, Waits bool
	// Problem is what keeps it from being up, and what to do; empty when it is.
	Problem string
}

// Client is the gateway's place at a broker.
type Client struct {
	cfg      Config
	cancel   context.CancelFunc
	ended    chan struct{}
	reach    func(context.Context, *url.URL) (net.Conn, error) // dial
	acks     map[*guard][]byte                                 // used by Ack only
	useful   atomic.Bool                                       // something was acknowledged since the last try
	topics   atomic.Pointer[[]string]                          // those of Follow; nil before
	renewing atomic.Bool                                       // the connection ends for them

	markers *markers
	dropped dropped
	backlog atomic.Int64 // messages of this connection before its first marker
	through atomic.Bool  // which has come
	brief   int          // connections in a row that the other side ended at once; of stay
	cut     int          // the latest connection that the other side ended; of stay
	said    retry.Once   // why the broker is away, as the log has it; of stay
	greeted bool         // the log says that it is there; of stay

	mu     sync.Mutex
	status Status      // guarded by mu
	client paho.Client // of the connection that is up, or nil; guarded by mu
	conn   *guard      // the same; guarded by mu
	since  time.Time   // when it was made; guarded by mu
}

// Open begins to connect and goes on until Close; it does not wait.
func Open(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.Broker)
	if err != nil || u.Host == "" || scheme(u) == "" {
		return nil, errors.New("mqtt.broker is tcp://HOST:PORT or tls://HOST:PORT")
	}
	ctx, cancel := context.WithCancel(context.Background())
	m, err := newMarkers(cfg.Secret)
	if err != nil {
		cancel()
		return nil, err
	}
	c := &Client{cfg: cfg, cancel: cancel, ended: make(chan struct{}), acks: make(map[*guard][]byte), markers: m}
	c.reach = c.dial
	c.status.Problem = "the broker has not answered yet"
	go func() {
		defer close(c.ended)
		if err := crash.Guard(func() error { c.stay(ctx, u); return nil }); err != nil {
			cfg.Fail(err)
		}
	}()
	return c, nil
}

func scheme(u *url.URL) string {
	switch u.Scheme {
	case "tcp", "mqtt":
		return "tcp"
	case "tls", "ssl", "mqtts":
		return "tls"
	}
	return ""
}

// Status says how the connection is.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, now := c.status, time.Now()
	s.Backlog, s.Late, s.Through = int(c.backlog.Load()), c.markers.late(now), c.through.Load()
	s.Dropped, s.Said, s.Known, s.Waits = c.dropped.status()
	switch {
	case c.markers.rivalled(now):
		s.Problem = errRival.Error()
	case s.Up && s.Late && now.Sub(c.since) > 3*overdue && !c.markers.anyBack():
		s.Problem = errNoMarker.Error() + c.cfg.perhaps()
	}
	return s
}

// Ends are the processes whose end the broker has told, by name, and of each the latest
// connection that it named. They are known before the messages have been taken.
func (c *Client) Ends() map[string]int { return c.markers.told() }

// Life names this process in markers.
func (c *Client) Life() string { return c.markers.life }

// Close leaves the broker; the session stays.
func (c *Client) Close() error {
	c.cancel()
	<-c.ended
	return nil
}

// take puts a message into the queue. It must not block for long, or pings go
// unanswered; the broker's bound on messages in flight sees to that.
func (c *Client) take(ctx context.Context, conn *guard, m paho.Message, number int) {
	defer crash.Catch(func(e *crash.Error) { c.cfg.Fail(e) })
	topic := m.Topic()
	if strings.HasPrefix(topic, "$SYS/") {
		c.dropped.take(topic, m.Payload(), m.Retained())
		return
	}
	msg := intake.Message{
		Topic: topic, Payload: m.Payload(), Dup: m.Duplicate(), Retained: m.Retained(), Received: c.cfg.Now(),
		Own:  topic == c.cfg.Marker || strings.HasPrefix(topic, "city/v1/") && strings.HasSuffix(topic, "/feedback"),
		Conn: conn, ID: m.MessageID(), QoS: m.Qos(),
	}
	if topic == c.cfg.Marker {
		c.markers.came(&msg, number, time.Now())
	}
	if msg.Marker > 0 {
		c.through.Store(true)
	} else if !c.through.Load() {
		c.backlog.Add(1)
	}
	c.cfg.Queue.Put(ctx, msg) // or the client is closing, and it will be sent again
}

// Publish sends at QoS 1; an error says that it has not gone out.
func (c *Client) Publish(topic string, payload []byte) error {
	c.mu.Lock()
	client, conn := c.client, c.conn
	c.mu.Unlock()
	if client == nil || !client.IsConnectionOpen() || conn.asked.unanswered() >= mostUnanswered {
		return errSilent
	}
	token := client.Publish(topic, 1, false, payload)
	select {
	case <-token.Done():
		return token.Error()
	default:
		return nil // on its way
	}
}
