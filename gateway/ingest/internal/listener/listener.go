// Package listener is the embedded broker, where sensors connect to the gateway
// itself. It speaks MQTT 3.1.1 and 5, takes what sensors publish into the
// bounded queue, acknowledges only when told to, and delivers to nobody but what
// the gateway itself says: feedback and the clock. No queue of readings touches
// a disk.
//
// Where there are passwords or an authority for client certificates, a sensor is
// who its user name and password, or its certificate's common name, say: the id
// of a register entry. It may then read its own feedback only, and what it sends
// carries its id. Without either, anyone may come in, which is for loopback.
package listener

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"sluice/gateway/crash"
	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/wipe"
)

const (
	maxPacket   = 2 << 20
	ackDeadline = 200 * time.Millisecond
)

// ClockUser is who may drive the clock topic where there are identities.
const ClockUser = "clock"

// Passwords say whether a user's password is right.
type Passwords interface {
	Check(user string, password []byte) bool
}

// Config is what a Listener needs.
type Config struct {
	// Addr is a TCP address; port 0 chooses one.
	Addr string
	// Clock is the simulated clock's topic; empty for none.
	Clock string
	TLS   *tls.Config // nil for none
	// Passwords, where they are not nil, and TLS with ClientCAs give identities.
	Passwords Passwords
	// Feedback is each sensor's feedback topic, by its id.
	Feedback map[string]string
	Queue    *intake.Queue
	Now      func() time.Time
	// Fail is told of a panic.
	Fail func(error)
	Log  *slog.Logger
}

// Listener is a running broker.
type Listener struct {
	cfg    Config
	server *mqtt.Server
	addr   net.Addr
	users  map[string]*user // by id; fixed
	ctx    context.Context  //nolint:containedctx // ends the broker's own goroutines, which have no other
	cancel context.CancelFunc
	acks   map[*mqtt.Client][]byte
}

// user is whom credentials can stand for.
type user struct{ id, feedback string }

// Listen starts a broker.
func Listen(cfg Config) (*Listener, error) {
	l := &Listener{cfg: cfg, acks: make(map[*mqtt.Client][]byte), users: make(map[string]*user)}
	for id, topic := range cfg.Feedback {
		l.users[id] = &user{id, topic}
	}
	if cfg.Clock != "" && l.users[ClockUser] == nil {
		l.users[ClockUser] = &user{id: ClockUser}
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumPacketSize = maxPacket
	caps.MaximumSessionExpiryInterval = 3600
	l.server = mqtt.New(&mqtt.Options{
		Capabilities: caps, InlineClient: true, ClientNetReadBufferSize: 16, // see wiping
		SysTopicResendInterval: 3600,
		Logger:                 slog.New(redacting{cfg.Log}),
	})
	if err := l.server.AddHook(&hook{l: l}, nil); err != nil {
		return nil, err
	}
	open, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("mqtt listener: %w; choose another address (--mqtt, or listen in the file)", err)
	}
	l.addr = open.Addr()
	if cfg.TLS != nil {
		open = tls.NewListener(open, cfg.TLS)
	}
	if err := l.server.AddListener(listeners.NewNet("mqtt", wiping{open})); err != nil {
		return nil, fmt.Errorf("mqtt listener: %w", err)
	}
	if err := l.server.Serve(); err != nil {
		return nil, fmt.Errorf("mqtt listener: %w", err)
	}
	return l, nil
}

// wiping gives each connection a buffer that keeps nothing. The library's own is
// made too small to hold an identifier.
type wiping struct{ net.Listener }

type wipingConn struct {
	net.Conn
	in *wipe.Reader
}

func (l wiping) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &wipingConn{c, wipe.NewReader(c, 16<<10)}, nil
}

func (c *wipingConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// Addr is the address it listens on.
func (l *Listener) Addr() string { return l.addr.String() }

// secured reports whether sensors have identities here.
func (l *Listener) secured() bool {
	return l.cfg.Passwords != nil || l.cfg.TLS != nil && l.cfg.TLS.ClientCAs != nil
}

// Publish sends to whoever has subscribed.
func (l *Listener) Publish(topic string, payload []byte) error {
	return l.server.Publish(topic, payload, false, 1)
}

// Ack acknowledges those messages that came in here, with one write for each
// connection. A sender that is gone or does not read is cut off; it will send
// again.
func (l *Listener) Ack(list []intake.Message) {
	for i := range list {
		m := &list[i]
		client, ours := m.Conn.(*mqtt.Client)
		if !ours || m.QoS == 0 {
			continue
		}
		kind := packets.Puback
		if m.QoS == 2 {
			kind = packets.Pubrec
		}
		l.acks[client] = append(l.acks[client], kind<<4, 2, byte(m.ID>>8), byte(m.ID))
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
	switch b {
	case mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPublish, mqtt.OnConnect, mqtt.OnPacketRead:
		return true
	}
	return false
}

// OnConnect forgets last wills: they would be delivered past the queue.
func (h *hook) OnConnect(cl *mqtt.Client, _ packets.Packet) error {
	cl.Properties.Will = mqtt.Will{}
	return nil
}

// OnConnectAuthenticate finds out who it is. From here on the client's user name
// is the id of who it was found to be, and its client id is its own: nobody can
// take over another's session.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) (ok bool) {
	defer crash.Catch(func(e *crash.Error) { h.l.cfg.Fail(e); ok = false })
	if !h.l.secured() {
		return true
	}
	name := h.l.identify(cl, pk)
	u, known := h.l.users[name]
	if !known {
		return false
	}
	cl.Properties.Username = []byte(u.id)
	cl.ID = u.id + "/" + cl.ID
	return true
}

// identify returns the common name of a verified certificate, or a user name
// whose password is right; empty for a stranger.
func (l *Listener) identify(cl *mqtt.Client, pk packets.Packet) string {
	conn := cl.Net.Conn
	if outer, ok := conn.(*wipingConn); ok {
		conn = outer.Conn
	}
	if conn, ok := conn.(*tls.Conn); ok {
		if chains := conn.ConnectionState().VerifiedChains; len(chains) > 0 {
			return chains[0][0].Subject.CommonName
		}
	}
	name := string(pk.Connect.Username)
	if l.cfg.Passwords == nil || !l.cfg.Passwords.Check(name, pk.Connect.Password) {
		return ""
	}
	return name
}

// OnPacketRead gives publications to names that nobody may publish to, which the
// broker would drop without an answer, one that is known to be unknown: they are
// counted and acknowledged like any other.
func (h *hook) OnPacketRead(_ *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Publish && (strings.HasPrefix(pk.TopicName, "$") || strings.ContainsAny(pk.TopicName, "+#")) {
		pk.TopicName = "$unknown"
	}
	return pk, nil
}

// OnACLCheck lets sensors write anywhere, since unknown topics are counted and
// dropped, and read feedback only: with identities, their own.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	switch {
	case write, h.l.cfg.Clock != "" && topic == h.l.cfg.Clock:
		return true
	case h.l.secured():
		u := h.l.users[string(cl.Properties.Username)]
		return u != nil && u.feedback != "" && topic == u.feedback
	}
	return strings.HasPrefix(topic, "city/v1/") && strings.HasSuffix(topic, "/feedback")
}

// OnPublish takes the packet. ErrRejectPacket makes the broker neither deliver
// nor acknowledge it; Ack does that after the commit.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (_ packets.Packet, err error) {
	defer crash.Catch(func(e *crash.Error) { h.l.cfg.Fail(e); err = packets.ErrRejectPacket })
	if cl.Net.Inline {
		return pk, nil
	}
	m := intake.Message{
		Topic: pk.TopicName, Payload: pk.Payload, Dup: pk.FixedHeader.Dup, Received: h.l.cfg.Now(),
		Conn: cl, ID: pk.PacketID, QoS: pk.FixedHeader.Qos,
	}
	if h.l.secured() {
		m.Checked = true
		if u := h.l.users[string(cl.Properties.Username)]; u != nil {
			m.Sender = u.id
		}
	}
	h.l.cfg.Queue.Put(h.l.ctx, m) // or the listener is closing, and it will be sent again
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
