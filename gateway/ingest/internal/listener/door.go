package listener

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"sluice/gateway/ingest/internal/sealed"
	"sluice/internal/crash"
	"sluice/internal/websocket"
)

const (
	connectTime = 10 * time.Second // from the connection to the whole CONNECT, with TLS or without
	maxConnect  = 4 << 10          // bytes of a CONNECT behind its fixed header
	acceptPause = 50 * time.Millisecond
)

// door lets connections in. What the library does for a connection is done only for
// those whose CONNECT has come and whose identity is right: until then, one costs a
// goroutine and a few hundred bytes.
type door struct {
	l    *Listener
	open net.Listener
	id   string
}

// The doors there may be, which differ in what a connection begins with.
const (
	plainDoor = "mqtt"
	webDoor   = "websocket"
)

var _ listeners.Listener = door{}

func (door) Init(*slog.Logger) error { return nil }
func (d door) ID() string            { return d.id }
func (door) Protocol() string        { return "tcp" }
func (d door) Address() string       { return d.open.Addr().String() }

// Serve lets connections in until the listener is closed.
func (d door) Serve(establish listeners.EstablishFn) {
	// One queues for all doors, and is served by whichever takes it in.
	begin := func(p *peer) { d.l.guests.Go(func() { d.l.serve(p, establish) }) }
	d.l.guests.Go(func() { d.l.preAuth.admitQueued(d.l.ctx, begin) })
	for {
		raw, err := d.open.Accept()
		switch {
		case errors.Is(err, net.ErrClosed) || d.l.ctx.Err() != nil:
			if err == nil {
				_ = raw.Close()
			}
			return
		case err != nil: // out of files, for instance; it passes
			time.Sleep(acceptPause)
			continue
		}
		p := newPeer(raw, d.l.turns)
		if p.door = d.id; d.l.preAuth.enter(p) {
			begin(p)
		}
	}
}

// Close lets nobody in any more and ends what is there, whatever door it came through.
func (d door) Close(listeners.CloseFn) {
	_ = d.open.Close()
	d.l.end()
}

// end ends all connections, as often as there are doors. What the library would end clients by
// asks for a lock twice, and waits for ever when one leaves in between.
func (l *Listener) end() {
	l.preAuth.clear()
	l.admitted.close()
	for _, client := range l.server.Clients.GetAll() {
		if !client.Net.Inline {
			// its code, or that it is gone already
			_ = l.server.DisconnectClient(client, packets.ErrServerShuttingDown)
		}
	}
	l.admitted.clear() // who was just on the way in
}

// serve is the life of one connection.
func (l *Listener) serve(p *peer, establish listeners.EstablishFn) {
	c := newConn(p, p, l)
	defer c.cancel()
	defer l.preAuth.leave(p)
	defer crash.Catch(func(e *crash.Error) { c.broken(e) })
	no := c.authenticate()
	l.preAuth.leave(p)
	if no != nil {
		c.refuse(no)
		return
	}
	_ = establish(p.door, c) // says why the connection ended, which the tally knows
	_ = c.Close()
}

// broken takes a panic. One of the library's while it makes sense of a packet is the
// sender's doing, and ends with the connection; any other is a bug that ends us.
func (c *conn) broken(e *crash.Error) {
	if !c.decoding {
		c.l.cfg.Fail(e)
	}
	if c.client != nil {
		c.l.server.UnsubscribeClient(c.client)
	}
	c.cut(malformed)
}

// refusal is why somebody is not let in, and what it is told.
type refusal struct {
	why     reason
	code    packets.Code // zero for no answer
	version byte
	name    []byte
	guess   bool   // it waits for its answer
	answer  []byte // of HTTP, in the place of a code
}

// authenticate finds out who it is, and admits it. It computes in turn.
func (c *conn) authenticate() *refusal {
	c.l.turns <- struct{}{}
	defer func() { <-c.l.turns }()
	_ = c.peer.SetDeadline(time.Now().Add(c.l.cfg.times.connect))
	if admits := c.l.admits.Load(); admits.tls != nil {
		secure := tls.Server(sealed.Below(c.peer), admits.tls)
		c.Conn = secure
		c.in = newReader(secure)
		if err := secure.Handshake(); err != nil {
			return unheard(err)
		}
	}
	if c.peer.door == webDoor {
		if no := c.upgrade(); no != nil {
			return no
		}
	}
	pk, no := c.readConnect()
	if no != nil {
		return no
	}
	if no := c.authorize(&pk); no != nil {
		no.version, no.name = pk.ProtocolVersion, pk.Connect.Username
		return no
	}
	c.wishes = wishesOf(&pk)
	if no := c.sanitize(&pk); no != nil {
		return no
	}
	_ = c.peer.SetDeadline(time.Time{})
	c.peer.settled = true
	if tcp, ok := c.peer.Conn.(*net.TCPConn); ok {
		_, _ = tcp.SetReadBuffer(kernelKeeps), tcp.SetWriteBuffer(kernelKeeps)
	}
	return nil
}

func unheard(err error) *refusal {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{why: tooLate}
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return &refusal{why: hungUp} // or crowded out, which is counted
	}
	return &refusal{why: noConnect}
}

// readConnect reads the CONNECT (MQTT 3.1.1 section 3.1).
func (c *conn) readConnect() (pk packets.Packet, no *refusal) {
	kind, length, err := c.fixed()
	if err != nil {
		return pk, unheard(err)
	}
	if kind != connect<<4 {
		return pk, &refusal{why: noConnect}
	}
	if length > maxConnect {
		return pk, &refusal{why: tooLarge}
	}
	n := len(c.header)
	raw := append(make([]byte, 0, n+length), c.header...)[:n+length]
	if _, err := io.ReadFull(c.in, raw[n:]); err != nil {
		return pk, unheard(err)
	}
	c.header, c.rawConnect, c.decoding = nil, raw, true
	pk.FixedHeader = packets.FixedHeader{Type: packets.Connect, Remaining: length}
	if err := pk.ConnectDecode(raw[n:]); err != nil {
		return pk, &refusal{why: noConnect}
	}
	c.decoding = false
	if code := pk.ConnectValidate(); code != packets.CodeSuccess {
		return pk, &refusal{why: noConnect, code: code, version: pk.ProtocolVersion}
	}
	if pk.Properties.AuthenticationMethod != "" { // MQTT 5 section 4.12: there is none here
		return pk, &refusal{why: noConnect, code: packets.ErrBadAuthenticationMethod, version: pk.ProtocolVersion}
	}
	return pk, nil
}

// authorize holds a CONNECT against who may come in.
func (c *conn) authorize(pk *packets.Packet) *refusal {
	if c.l.secured() {
		admits := c.l.admits.Load()
		u := admits.users[c.identify(pk, admits.passwords)]
		if u == nil {
			return &refusal{why: badIdentity, code: packets.ErrBadUsernameOrPassword, guess: true}
		}
		if !u.logins.Allow() {
			return &refusal{why: tooOften, code: packets.ErrServerUnavailable, guess: true}
		}
		c.user, c.source = u, &u.source
	} else {
		c.source = newSource()
	}
	if !c.l.admitted.add(c) {
		return &refusal{why: noSeat, code: packets.ErrServerUnavailable}
	}
	if c.shutOut() {
		c.l.admitted.leave(c)
		return &refusal{why: badIdentity, code: packets.ErrBadUsernameOrPassword, guess: true}
	}
	return nil
}

// identify returns the common name of a verified certificate, or a user name whose
// password is right; empty for a stranger.
func (c *conn) identify(pk *packets.Packet, passwords Passwords) string {
	if chain := c.certificates(); len(chain) > 0 {
		return chain[0].Subject.CommonName
	}
	name := string(pk.Connect.Username)
	if passwords == nil || !passwords.Check(name, pk.Connect.Password) {
		return ""
	}
	return name
}

// refuse says no, when it is time, and ends the connection.
func (c *conn) refuse(no *refusal) {
	if no.why != hungUp {
		c.l.tally.add(no.why)
	}
	if no.guess {
		c.l.throttle.wait(c.ctx, no.name, c.peer.from)
	}
	clear(c.rawConnect) // a password
	code, known := no.code, no.version == 5
	if !known {
		code, known = packets.V5CodesToV3[no.code]
	}
	_ = c.peer.SetDeadline(time.Now().Add(partingTime))
	answer := no.answer
	switch {
	case answer != nil:
	case !known || no.code.Code == 0:
		_ = c.peer.Close()
		return
	case no.version == 5:
		answer = []byte{packets.Connack << 4, 3, 0, code.Code, 0}
	default:
		answer = []byte{packets.Connack << 4, 2, 0, code.Code}
	}
	if c.web {
		answer = websocket.AppendClose(websocket.Append(nil, websocket.Binary, answer), websocket.Done)
	}
	_, _ = c.Conn.Write(answer) // or it is gone
	_ = c.Conn.Close()
}
