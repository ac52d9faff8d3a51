package certify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// faults are what a device does wrong.
type faults struct {
	noAcks     bool          // QoS 0
	forgets    bool          // keeps nothing that was not acknowledged, and nothing while it is not connected
	unmarked   bool          // sends again without the DUP flag
	noTime     bool          // no ts
	zone       bool          // ts as local time with an offset
	ahead      time.Duration // its clock
	sameBoot   bool          // counts from 0 after a restart, as the same boot
	noBoot     bool          // no boot; seq goes on
	noSeq      bool
	binary     bool // CBOR: that is no fault
	text       bool // now and then a number as text
	extra      bool // now and then a field that the kind has not
	elsewhere  bool // now and then a topic of its own making
	silent     bool // no heartbeats
	oddBeats   bool // heartbeats most of which cannot be read
	trusting   bool // any certificate
	stranger   bool // another user
	unreliable bool // nothing after a restart
	busy       bool // a thousand messages a second
	wrapped    bool // in the envelope of the preset ear: that is no fault
	web        bool // by WebSocket: nor is that
}

// device is a sensor with an encoder of its own. It implements Hand.
type device struct {
	faults faults
	roots  *x509.CertPool
	entry  Entry
	boot   int
	seq    int
	stop   context.CancelFunc
	ended  sync.WaitGroup
}

func (d *device) Connect(ctx context.Context, e Entry) error {
	d.entry = e
	d.start(ctx)
	return nil
}

func (d *device) Restart(ctx context.Context) error {
	d.off()
	if d.faults.unreliable {
		return nil
	}
	d.start(ctx)
	return nil
}

func (d *device) start(ctx context.Context) {
	ctx, d.stop = context.WithCancel(ctx)
	if d.boot++; !d.faults.noBoot {
		d.seq = 0
	}
	d.ended.Go(func() { d.measure(ctx) })
}

func (d *device) off() {
	if d.stop != nil {
		d.stop()
	}
	d.ended.Wait()
}

// kept is a message that is not acknowledged yet.
type kept struct {
	topic   string
	payload []byte
	id      uint16
	sent    bool
}

// radio is the device's connection and what it has not sent, or not had acknowledged.
type radio struct {
	device *device
	conn   net.Conn // nil for none
	acks   chan uint16
	retry  time.Time // when it dials again
	queue  []kept
	id     uint16
}

// measure is the device's main loop.
func (d *device) measure(ctx context.Context) {
	pace := 50 * time.Millisecond
	if d.faults.busy {
		pace = time.Millisecond
	}
	tick, beat := time.NewTicker(pace), time.NewTicker(time.Second)
	defer tick.Stop()
	defer beat.Stop()
	r := &radio{device: d}
	defer r.hangUp()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			if !d.faults.silent && r.conn != nil {
				r.add(kept{topic: d.entry.Beats, payload: d.heartbeat()})
				if d.faults.unreliable {
					beat.Stop() // no second one on its connection, however slow the machine is
				}
			}
		case <-tick.C:
			for _, m := range d.reading() {
				r.add(m)
			}
		case ack, open := <-r.acks:
			r.acknowledged(ack, open)
		}
		r.turn(ctx)
	}
}

func (r *radio) add(m kept) {
	r.id++
	m.id = r.id
	r.queue = append(r.queue, m)
}

func (r *radio) acknowledged(id uint16, open bool) {
	if !open {
		r.hangUp()
		return
	}
	r.queue = slices.DeleteFunc(r.queue, func(m kept) bool { return m.id == id })
}

// turn connects where it is time to, and sends.
func (r *radio) turn(ctx context.Context) {
	again := false
	if r.conn == nil && time.Now().After(r.retry) {
		r.retry = time.Now().Add(200 * time.Millisecond)
		r.conn, r.acks = r.device.dial(ctx)
		again = true
	}
	switch {
	case r.conn != nil:
		r.queue = r.device.send(r.conn, r.queue, again)
	case r.device.faults.forgets || r.device.faults.noAcks:
		r.queue = nil
	}
}

func (r *radio) hangUp() {
	if r.conn == nil {
		return
	}
	_ = r.conn.Close()
	for range r.acks { //nolint:revive // until its reader has ended
	}
	r.conn, r.acks = nil, nil
}

// send sends what was not sent, or all again.
func (d *device) send(conn net.Conn, queue []kept, again bool) []kept {
	for i := range queue {
		m := &queue[i]
		if m.sent && !again {
			continue
		}
		p := packets.Packet{ProtocolVersion: 4, TopicName: m.topic, Payload: m.payload, PacketID: m.id,
			FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1, Dup: m.sent && !d.faults.unmarked}}
		if d.faults.noAcks {
			p.FixedHeader.Qos, p.FixedHeader.Dup = 0, false
		}
		var b bytes.Buffer
		_ = p.PublishEncode(&b)
		_, _ = conn.Write(b.Bytes()) // a connection that has ended is seen by its reader
		m.sent = true
	}
	if d.faults.noAcks || d.faults.forgets {
		return nil
	}
	return queue
}

// dial connects; nil where it is refused.
func (d *device) dial(ctx context.Context) (net.Conn, chan uint16) {
	dialer := &net.Dialer{Timeout: time.Second}
	var conn net.Conn
	var err error
	if d.entry.TLS {
		t := &tls.Dialer{NetDialer: dialer, Config: &tls.Config{RootCAs: d.roots, ServerName: "bench.example",
			InsecureSkipVerify: d.faults.trusting}} //nolint:gosec // that is its fault
		conn, err = t.DialContext(ctx, "tcp", d.entry.Addr)
	} else {
		conn, err = dialer.DialContext(ctx, "tcp", d.entry.Addr)
	}
	if err == nil && d.faults.web {
		conn, err = byWebSocket(conn)
	}
	if err != nil {
		return nil, nil
	}
	user := d.entry.User
	if d.faults.stranger {
		user = "somebody"
	}
	r := bufio.NewReader(conn)
	if !greet(conn, r, user, d.entry.Password) {
		_ = conn.Close()
		return nil, nil
	}
	acks := make(chan uint16, 16)
	go listen(r, acks)
	return conn, acks
}

// greet sends CONNECT, and reports whether it was taken.
func greet(conn net.Conn, r io.Reader, user, password string) bool {
	p := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: 4,
		Connect: packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: "ear", Keepalive: 30,
			Clean: true, UsernameFlag: true, PasswordFlag: true, Username: []byte(user), Password: []byte(password)}}
	var b bytes.Buffer
	_ = p.ConnectEncode(&b)
	var answer [4]byte
	_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
	_, err := conn.Write(b.Bytes())
	if err == nil {
		_, err = io.ReadFull(r, answer[:])
	}
	_ = conn.SetDeadline(time.Time{})
	return err == nil && answer[3] == 0
}

// listen reads acknowledgements until the connection ends; nothing else comes of four bytes.
func listen(r io.Reader, acks chan<- uint16) {
	defer close(acks)
	for answer := [4]byte{}; ; {
		if _, err := io.ReadFull(r, answer[:]); err != nil {
			return
		}
		if answer[0]>>4 == packets.Puback {
			acks <- uint16(answer[2])<<8 | uint16(answer[3])
		}
	}
}

func (d *device) heartbeat() []byte {
	if d.faults.wrapped {
		return []byte(`{"state":"online"}`)
	}
	every := "PT1S"
	if d.faults.oddBeats && d.seq/20%4 != 0 {
		return []byte(`{"ts":"2026-11-23T10:00:00Z"}`)
	}
	return fmt.Appendf(nil, `{"ts":%q,"every":%q}`, time.Now().UTC().Format(time.RFC3339), every)
}

// reading is one reading, and what a faulty device sends beside it.
func (d *device) reading() (list []kept) {
	f, n := d.faults, d.seq
	d.seq++
	if f.binary {
		payload, _ := cbor.Marshal(map[string]any{"ts": time.Now().UTC().Format(time.RFC3339Nano), "seq": n,
			"boot": d.boot, "fields": map[string]any{"laeq": 61.5}})
		return []kept{{topic: d.entry.Readings, payload: payload}}
	}
	if f.wrapped {
		return []kept{{topic: d.entry.Readings, payload: fmt.Appendf(nil,
			`{"at":%q,"n":%d,"start":%d,"v":{"level":"61.5","CANARY":"CANARY"}}`,
			time.Now().UTC().Format(time.RFC3339Nano), n, d.boot)}}
	}
	body := `"fields":{"laeq":61.5}`
	switch {
	case f.text && n%10 == 5:
		body = `"fields":{"laeq":"CANARY"}`
	case f.extra && n%10 == 6:
		body = `"fields":{"laeq":61.5,"CANARY":"CANARY"}`
	}
	if !f.noSeq {
		body = fmt.Sprintf(`"seq":%d,`, n) + body
	}
	if !f.noBoot {
		boot := d.boot
		if f.sameBoot {
			boot = 1
		}
		body = fmt.Sprintf(`"boot":%d,`, boot) + body
	}
	at := time.Now().UTC()
	if n%10 == 7 {
		at = at.Add(f.ahead)
	}
	if f.zone {
		at = at.In(time.FixedZone("", 3600))
	}
	if !f.noTime {
		body = fmt.Sprintf(`"ts":%q,`, at.Format(time.RFC3339Nano)) + body
	}
	list = append(list, kept{topic: d.entry.Readings, payload: []byte("{" + body + "}")})
	if f.elsewhere && n%10 == 8 {
		list = append(list, kept{topic: "city/v1/vendor/CANARY/up", payload: []byte("{" + body + "}")})
	}
	return list
}
