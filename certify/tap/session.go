package tap

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// session is one connection of the device, and its own to the gateway.
type session struct {
	tap             *Tap
	device, gateway net.Conn
	once            sync.Once
	place           sync.Once // its place among those that are not in

	mu      sync.Mutex
	version byte                // MQTT's; guarded by mu
	own     bool                // whether the user is the device's; guarded by mu
	waiting map[uint16]*Message // for their acknowledgement; guarded by mu
	kept    uint16              // the packet whose acknowledgement is kept back, 0 for none; guarded by mu
}

// serve passes one connection on until either side ends it.
func (t *Tap) serve(ctx context.Context, c net.Conn) {
	s := &session{tap: t, device: c, waiting: make(map[uint16]*Message)}
	defer s.settled()
	defer s.end()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if !s.secure(ctx) {
		return
	}
	if s.tap.web {
		c := upgrade(s.device)
		if c == nil {
			return
		}
		s.device = c
	}
	gateway, err := net.DialTimeout("tcp", t.upstream, connectTime)
	if err != nil {
		return
	}
	s.gateway = gateway
	stop := context.AfterFunc(ctx, s.end)
	defer stop()
	let := make(chan bool, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.end()
		s.down(ctx, let)
	}()
	_ = s.device.SetReadDeadline(time.Now().Add(connectTime))
	s.up(ctx, let)
	s.end()
	<-done
	if t.left(s) {
		t.tell(ctx, Event{What: Gone})
	}
}

// left forgets a session, and reports whether it was let in.
func (t *Tap) left(s *session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == s {
		t.current = nil
		return true
	}
	return false
}

// end ends both connections; it may be called more than once.
func (s *session) end() {
	s.once.Do(func() {
		_ = s.device.Close()
		if s.gateway != nil {
			_ = s.gateway.Close()
		}
	})
}

// settled gives back the place among those that are not in.
func (s *session) settled() { s.place.Do(func() { <-s.tap.in }) }

// secure agrees on TLS, where there is any. It reports whether the connection goes on: not with a
// certificate that nobody vouches for, whoever trusts it.
func (s *session) secure(ctx context.Context) bool {
	t := s.tap
	if t.tls == nil {
		return true
	}
	other, config := t.imposter.Load(), t.tls
	if other != nil {
		config = config.Clone()
		config.Certificates = []tls.Certificate{*other}
	}
	c := tls.Server(s.device, config)
	_ = c.SetDeadline(time.Now().Add(connectTime))
	err := c.HandshakeContext(ctx)
	if other != nil {
		// Some look at the certificate only after the handshake: who sends nothing has not trusted.
		what := Distrusted
		if err == nil {
			if n, _ := c.Read(make([]byte, 1)); n > 0 {
				what = Trusted
			}
		}
		t.tell(ctx, Event{What: what})
		return false
	}
	if err != nil {
		t.tell(ctx, Event{What: Insecure})
		return false
	}
	_ = c.SetDeadline(time.Time{})
	t.tell(ctx, Event{What: Secured, Version: c.ConnectionState().Version})
	s.device = c
	return true
}

// up passes on what the device sends. Its first packet must be a CONNECT, and nothing follows it before
// the gateway's answer.
func (s *session) up(ctx context.Context, let <-chan bool) {
	f := frames{r: bufio.NewReader(s.device)}
	defer f.wipe()
	for first := true; f.next(); first = false {
		if first != (f.kind() == packets.Connect) || first && !s.connect(f.body()) {
			return
		}
		var sent *Message
		if f.kind() == packets.Publish {
			if sent = s.publish(f.header, f.body()); sent == nil {
				return
			}
			s.tap.tell(ctx, Event{At: sent.At, What: Published, Message: sent})
		}
		_ = s.gateway.SetWriteDeadline(time.Now().Add(writeTime))
		if _, err := s.gateway.Write(f.packet); err != nil {
			return
		}
		if first {
			if in := <-let; !in {
				return
			}
			_ = s.device.SetReadDeadline(time.Time{}) // the gateway minds keep-alive
		}
	}
}

// connect reads a CONNECT.
func (s *session) connect(body []byte) bool {
	p := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect, Remaining: len(body)}}
	if p.ConnectDecode(body) != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version, s.own = p.ProtocolVersion, string(p.Connect.Username) == s.tap.user
	return true
}

// publish reads a PUBLISH; nil for one that is none.
func (s *session) publish(header byte, body []byte) *Message {
	var p packets.Packet
	if p.FixedHeader.Decode(header) != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.FixedHeader.Remaining, p.ProtocolVersion = len(body), s.version
	if p.PublishDecode(body) != nil {
		return nil
	}
	m := &Message{At: time.Now(), Where: Elsewhere, QoS: p.FixedHeader.Qos, Dup: p.FixedHeader.Dup,
		Retain: p.FixedHeader.Retain}
	s.tap.speaks.Hear(p.TopicName, p.Payload, m)
	if m.QoS > 0 {
		s.waiting[p.PacketID] = m
		if m.Where == Readings && s.kept == 0 && s.tap.withhold.CompareAndSwap(true, false) {
			s.kept = p.PacketID
		}
	}
	return m
}

// down passes on what the gateway answers, but for an acknowledgement that is kept back.
func (s *session) down(ctx context.Context, let chan<- bool) {
	f := frames{r: bufio.NewReader(s.gateway)}
	defer f.wipe()
	defer func() {
		select {
		case let <- false: // it never answered
		default:
		}
	}()
	for f.next() {
		keep := false
		switch f.kind() {
		case packets.Connack:
			s.answered(ctx, f.body(), let)
		case packets.Puback, packets.Pubrec:
			keep = s.acknowledge(ctx, f.body())
		}
		if keep {
			continue
		}
		_ = s.device.SetWriteDeadline(time.Now().Add(writeTime))
		if _, err := s.device.Write(f.packet); err != nil {
			return
		}
	}
}

// answered notes the gateway's answer to CONNECT.
func (s *session) answered(ctx context.Context, body []byte, let chan<- bool) {
	s.settled()
	s.mu.Lock()
	version, own := s.version, s.own
	s.mu.Unlock()
	if len(body) < 2 || body[1] != 0 {
		s.tap.tell(ctx, Event{What: Refused, Own: own})
		return
	}
	s.tap.follow(s)
	s.tap.tell(ctx, Event{What: Connected, Version: uint16(version)})
	select {
	case let <- true:
	default:
	}
}

// acknowledge notes an acknowledgement, and reports whether it is kept back.
func (s *session) acknowledge(ctx context.Context, body []byte) (keep bool) {
	if len(body) < 2 {
		return false
	}
	id := uint16(body[0])<<8 | uint16(body[1])
	s.mu.Lock()
	m := s.waiting[id]
	keep = m != nil && id == s.kept
	delete(s.waiting, id)
	s.mu.Unlock()
	if m == nil {
		return false
	}
	what := Acknowledged
	if keep {
		what = Withheld
	}
	s.tap.tell(ctx, Event{What: what, Message: m})
	return keep
}
