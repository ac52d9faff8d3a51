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
	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/gateway/crash"
	"sluice/gateway/ingest/internal/intake"
)

// Times of a connection. A link that is dead without a word is noticed after
// keepAlive, a quarter of it, and pingTimeout.
const (
	keepAlive     = 10 * time.Second
	pingTimeout   = 5 * time.Second
	answer        = 10 * time.Second
	writeDeadline = 5 * time.Second
	firstPause    = 200 * time.Millisecond
	longestPause  = 30 * time.Second
	// A connection that worked and lived for less than this and for less than the
	// pause before it does not make the next pause short again.
	shortLife = time.Second
	// Several in a row that the other side ends within this are a fight over the session.
	briefLife = 3 * time.Second
)

// Config is what a Client needs.
type Config struct {
	// Broker is tcp://HOST:PORT or tls://HOST:PORT.
	Broker, ClientID, Username, Password string
	TLS                                  *tls.Config
	// Topics are the filters to subscribe to.
	Topics []string
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
	// Cut says that the connection before it was ended by the broker's side, by a word
	// or without one, and not by us: then either its will comes, or another client has
	// taken the session over.
	Cut bool
	// Backlog is how many messages came before this connection's first marker.
	Backlog int
	// Late says that a marker has not come back in time.
	Late bool
	// Dropped is how many messages the broker has dropped since its start, where it says
	// so: Known once it has said it after the connection was made, Waits until then.
	Dropped      int64
	Known, Waits bool
	// Problem is what keeps it from being up, and what to do; empty when it is.
	Problem string
}

// Client is the gateway's place at a broker.
type Client struct {
	cfg    Config
	cancel context.CancelFunc
	ended  chan struct{}
	reach  func(context.Context, *url.URL) (net.Conn, error) // dial
	acks   map[*guard][]byte                                 // used by Ack only
	useful atomic.Bool                                       // something was acknowledged since the last try
	topics atomic.Pointer[[]string]                          // those of Follow; nil before

	markers *markers
	dropped dropped
	backlog atomic.Int64 // messages of this connection before its first marker
	through atomic.Bool  // which has come
	brief   int          // connections in a row that the other side ended at once; of stay
	cut     bool         // by the other side, the last one; of stay

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
	s.Backlog, s.Late = int(c.backlog.Load()), c.markers.late(now)
	s.Dropped, s.Known, s.Waits = c.dropped.status()
	switch {
	case c.markers.rivalled(now):
		s.Problem = errRival.Error()
	case s.Up && s.Late && now.Sub(c.since) > 3*overdue && !c.markers.anyBack():
		s.Problem = errNoMarker.Error()
	}
	return s
}

// Life names this process in markers.
func (c *Client) Life() string { return c.markers.life }

// Close leaves the broker; the session stays.
func (c *Client) Close() error {
	c.cancel()
	<-c.ended
	return nil
}

// stay connects again and again.
func (c *Client) stay(ctx context.Context, u *url.URL) {
	pause, said := firstPause, ""
	for ctx.Err() == nil {
		begun, before := time.Now(), c.Status().Connection
		err := c.connection(ctx, u)
		if ctx.Err() != nil {
			return
		}
		worked := c.useful.Swap(false) && time.Since(begun) > max(pause, shortLife)
		if worked && !errors.Is(err, errImpossible) {
			pause, said = firstPause, ""
		}
		// Where nobody answers, nobody has taken anything over.
		if greeted := c.Status().Connection > before; greeted && c.cut && time.Since(begun) < briefLife {
			c.brief++
		} else {
			c.brief = 0
		}
		if c.brief >= 3 {
			err = errRival
		}
		c.mu.Lock()
		c.status.Up, c.status.Problem, c.client, c.conn = false, problem(err), nil, nil
		c.mu.Unlock()
		if hint := problem(err); hint != said {
			said = hint
			c.cfg.Log.Warn("the broker is away; it is tried again and again", "hint", hint)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			pause = min(2*pause, longestPause)
		}
	}
}

// problem says what is wrong in words of ours.
func problem(err error) string {
	var op *net.OpError
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return "the broker refuses the gateway's user name or password; see mqtt.username and mqtt.password_file"
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return "the broker refuses the gateway's client id; see mqtt.client_id"
	case errors.Is(err, errRefusedTopics):
		return err.Error()
	case errors.Is(err, errRival):
		return errRival.Error()
	case errors.Is(err, errImpossible):
		return errImpossible.Error()
	case errors.Is(err, errSilent):
		return errSilent.Error()
	case errors.As(err, &op) && op.Op == "dial":
		return "nobody answers at the broker's address; start the broker, or mend mqtt.broker"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "the broker's certificate cannot be verified; see mqtt.ca"
	}
	return "the connection to the broker broke"
}

var (
	errRefusedTopics = errors.New("the broker does not let the gateway read its topics; give its user an access list with sluice sensor acl")
	errSilent        = errors.New("the broker does not answer; see its log")
	errRival         = errors.New("somebody else uses the gateway's client id at the broker, and takes its messages; give each gateway, and each tool, an id of its own (mqtt.client_id)")
	errNoMarker      = errors.New("what the gateway publishes to itself does not come back, so that windows wait; let its user read and write city/v1/# (sluice sensor acl writes that list). It may also be a long backlog")
)

// options are what all clients of ours have. The library never dials by itself.
func (c *Client) options(conn *guard) *paho.ClientOptions {
	return paho.NewClientOptions().AddBroker(c.cfg.Broker).SetProtocolVersion(4).SetAutoReconnect(false).SetConnectRetry(false).
		SetConnectTimeout(answer).SetWriteTimeout(writeDeadline).SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return conn, nil })
}

// connection lives through one connection.
func (c *Client) connection(ctx context.Context, u *url.URL) (err error) {
	raw, err := c.reach(ctx, u)
	if err != nil {
		return err
	}
	conn := newGuard(raw)
	defer func() {
		err = conn.why(err)
		_ = conn.Close() // nothing is expected of it any more
	}()
	number := c.Status().Connection + 1
	c.backlog.Store(0)
	c.through.Store(false)
	// A message does not wait for room longer than its connection lives: it comes again.
	taking, stop := context.WithCancel(ctx)
	defer stop()
	lost := make(chan error, 1)
	met := make(chan struct{}) // closed once the connection is in the status
	o := c.options(conn).SetClientID(c.cfg.ClientID).SetUsername(c.cfg.Username).SetPassword(c.cfg.Password).
		SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true).SetStore(&store{paho.NewMemoryStore()}).
		SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err }). // is called once
		SetBinaryWill(c.cfg.Marker, []byte(c.markers.text(kindWill, number)), 1, false).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			select { // what the broker had kept comes on the heels of its greeting
			case <-met:
				c.take(taking, conn, m, number)
			case <-taking.Done():
			}
		})
	client := paho.NewClient(o)
	defer client.Disconnect(100)
	token := client.Connect()
	if err := wait(ctx, token, lost); err != nil {
		return err
	}
	kept := token.(*paho.ConnectToken).SessionPresent()
	c.mu.Lock()
	c.status.Connection, c.status.Kept, c.status.Cut = number, kept, c.cut
	c.mu.Unlock()
	close(met)
	if err := c.subscribe(ctx, client, lost); err != nil {
		return err
	}
	if err := c.dropped.ask(client, func(send func() paho.Token) (paho.Token, error) { return c.ask(ctx, lost, send) }); err != nil {
		return err
	}
	first := c.markers.next()
	c.markers.begin(first)
	c.mu.Lock()
	c.status = Status{Up: true, Connection: number, Kept: kept, Cut: c.cut}
	c.client, c.conn, c.since = client, conn, time.Now()
	c.mu.Unlock()
	defer func() { c.cut = conn.endedThere() }()
	if err := c.mark(ctx, client, lost, first); err != nil {
		return err
	}
	c.cfg.Log.Info("the broker is there", "session_kept", kept)
	return c.remain(ctx, client, conn, lost)
}

// remain sends marks until the connection or ctx ends.
func (c *Client) remain(ctx context.Context, client paho.Client, conn *guard, lost <-chan error) error {
	tick := time.NewTicker(markEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			conn.acks.flush(time.Second)
			c.leave(client)
			return ctx.Err()
		case err := <-lost:
			return err
		case <-tick.C:
			if err := c.mark(ctx, client, lost, c.markers.next()); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// wait waits for the broker's answer, or until the connection is lost.
func wait(ctx context.Context, token paho.Token, lost <-chan error) error {
	select {
	case <-token.Done():
		return token.Error()
	case err := <-lost:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(answer):
		return errSilent
	}
}

// ask sends something and waits for the broker's answer. The library would wait for
// a connection that is lost until its write timeout is over.
func (c *Client) ask(ctx context.Context, lost <-chan error, send func() paho.Token) (paho.Token, error) {
	sent := make(chan paho.Token, 1)
	go func() {
		defer crash.Catch(func(e *crash.Error) { c.cfg.Fail(e) })
		sent <- send()
	}()
	select {
	case token := <-sent:
		return token, wait(ctx, token, lost)
	case err := <-lost:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *Client) subscribe(ctx context.Context, client paho.Client, lost <-chan error) error {
	for _, filters := range packed(c.follows()) {
		token, err := c.ask(ctx, lost, func() paho.Token { return client.SubscribeMultiple(filters, nil) })
		if err != nil {
			return err
		}
		for _, qos := range token.(*paho.SubscribeToken).Result() {
			if qos == 0x80 { // MQTT 3.1.1 section 3.9.3: failure
				return errRefusedTopics
			}
		}
	}
	return nil
}

func (c *Client) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	d := &net.Dialer{Timeout: answer}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), map[string]string{"tcp": "1883", "tls": "8883"}[scheme(u)])
	}
	if scheme(u) == "tls" {
		return (&tls.Dialer{NetDialer: d, Config: c.cfg.TLS}).DialContext(ctx, "tcp", host)
	}
	return d.DialContext(ctx, "tcp", host)
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

// store keeps what the client sends and nothing of what it receives: readings
// are in the queue and nowhere else.
type store struct{ *paho.MemoryStore }

// Get implements paho.Store. What is kept and what is given back are copies: the
// client changes a packet while it sends it, and marks what it sends again as a
// duplicate.
func (s *store) Get(key string) packets.ControlPacket { return copied(s.MemoryStore.Get(key)) }

func copied(p packets.ControlPacket) packets.ControlPacket {
	if publish, ok := p.(*packets.PublishPacket); ok {
		again := *publish
		return &again
	}
	return p
}

// Put implements paho.Store.
func (s *store) Put(key string, p packets.ControlPacket) {
	if !strings.HasPrefix(key, "i.") {
		s.MemoryStore.Put(key, copied(p))
	}
}
