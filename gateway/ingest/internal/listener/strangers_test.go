package listener

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
)

func certificate(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}},
		MinVersion: tls.VersionTLS12}
}

// TestTimeToConnect: whoever has not said who it is when the time is over is cut off,
// however it spends the time, over TLS as well.
func TestTimeToConnect(t *testing.T) {
	for _, with := range []*tls.Config{nil, certificate(t)} {
		s := open(t, Config{TLS: with, times: times{connect: 500 * time.Millisecond, write: time.Second}})
		silent, drips := s.dial(), s.dial()
		drips.send([]byte{0x10, 0x20})
		go func() {
			for range 100 {
				if _, err := drips.Write([]byte{0}); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}()
		if with != nil { // half a handshake: a ClientHello, and then nothing
			half := s.dial()
			go func() { _ = tls.Client(deaf{half.Conn}, &tls.Config{InsecureSkipVerify: true}).Handshake() }()
			defer half.gone(5 * time.Second)
		}
		silent.gone(5 * time.Second)
		drips.gone(5 * time.Second)
	}
}

// deaf hears nothing.
type deaf struct{ net.Conn }

func (deaf) Read([]byte) (int, error) { return 0, io.EOF }

// TestBeforeConnect: a header that claims too much, or is no CONNECT's, is enough.
func TestBeforeConnect(t *testing.T) {
	s := open(t, Config{})
	for name, raw := range map[string][]byte{
		"2 MiB": {0x10, 0xff, 0xff, 0x7f}, "4 KiB and one": {0x10, 0x81, 0x20},
		"five bytes of length": {0x10, 0xff, 0xff, 0xff, 0xff, 1}, "a PUBLISH": {0x30, 2, 0, 0},
		"TLS": {22, 3, 1, 0, 5},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial()
			c.t = t
			c.send(raw)
			c.gone(2 * time.Second)
		})
	}
	// The largest that is taken.
	c := s.dial()
	long := hello(4, 2, "x", "", "")
	long = packet(0x10, long[2:], make([]byte, maxConnect-len(long[2:])))
	c.send(long)
	if body := c.want(0x20); body[1] != 0 {
		t.Errorf("a CONNECT of 4 KiB is refused: %x", body)
	}
}

// TestStrangersAreFew: more silent connections than there is room for; some are let
// in later, the first have gone, and a sensor comes in meanwhile.
func TestStrangersAreFew(t *testing.T) {
	s := open(t, Config{})
	before := runtime.NumGoroutine()
	for range maxPreAuthOfAddress + 300 {
		s.dial()
	}
	most, done := 0, make(chan struct{})
	go func() { defer close(done); s.connect(4, "x", "", "").works() }()
	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		case <-time.After(5 * time.Millisecond):
		}
		s.l.preAuth.mu.Lock()
		most = max(most, len(s.l.preAuth.all))
		s.l.preAuth.mu.Unlock()
	}
	if most > maxPreAuthOfAddress || most < maxPreAuthOfAddress/2 {
		t.Errorf("%d maxPreAuth from one address were there at a time; want at most %d", most, maxPreAuthOfAddress)
	}
	if n := runtime.NumGoroutine() - before; n > maxPreAuthOfAddress+100 {
		t.Errorf("they cost %d goroutines", n)
	}
}

// TestOneAddressCannotFillThePorch: others get in at once.
func TestOneAddressCannotFillThePorch(t *testing.T) {
	turn := make(turns, 1)
	peerOf := func(a byte, waited time.Duration) *peer {
		one := newPeer(fakeConn{from: &net.TCPAddr{IP: net.IPv4(192, 0, 2, a)}}, turn)
		one.heard.Store(true)
		one.waited.Store(int64(waited))
		return one
	}
	p := newPreAuth(&tally{})
	for range 3 * maxPreAuthOfAddress {
		if !p.enter(peerOf(1, time.Minute)) {
			t.Fatal("who has kept us waiting for a minute does not go")
		}
	}
	bounded := func(p *preAuth) {
		t.Helper()
		if len(p.all) > maxPreAuth || len(p.queue) > maxQueued {
			t.Errorf("%d strangers, %d in the queue; want %d and %d at most", len(p.all), len(p.queue), maxPreAuth,
				maxQueued)
		}
		for n := range p.of {
			if p.of[n] > maxPreAuthOfAddress {
				t.Errorf("%d of one address", p.of[n])
			}
		}
	}
	for a := range byte(4) {
		for range maxPreAuthOfAddress {
			if !p.enter(peerOf(a, time.Minute)) {
				t.Fatal("others do not get in")
			}
		}
	}
	bounded(p)

	// Who has just come is not sent away for the next of its address; those queue,
	// and others pass them by, while they have fewer places or a shorter queue.
	p = newPreAuth(&tally{})
	for a := range byte(2) {
		for n := range 2 * maxPreAuth {
			if p.enter(peerOf(a, 0)) != (n < maxPreAuthOfAddress) {
				t.Fatalf("%d of address %d", n, a)
			}
		}
		bounded(p)
	}
	if p.queued[peerOf(1, 0).from] != maxQueued/2 {
		t.Errorf("the second address has %d in the queue; want its half", p.queued[peerOf(1, 0).from])
	}
	for range maxPreAuth / 4 {
		if !p.enter(peerOf(2, 0)) {
			t.Fatal("preAuth keeps out an address that has little of it")
		}
	}
	bounded(p)
	if p.next() != nil {
		t.Error("who queues gets in before there is room")
	}
	for one := range p.all {
		one.waited.Store(int64(time.Minute))
	}
	for n := range maxQueued {
		if p.next() == nil {
			t.Fatalf("only %d of the queue get in", n)
		}
	}
	bounded(p)
}

// TestAFloodOfOneAddress: which begins to say who it is, and does not go on. A sensor
// of another address gets in as if there were nobody.
func TestAFloodOfOneAddress(t *testing.T) {
	s := open(t, Config{})
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: 20 * time.Second}
	half := hello(4, 2, "x", "", "")[:12]
	for range 1500 {
		c, err := from.Dial("tcp", s.l.Addr())
		if err != nil {
			t.Skip(err) // no such address here
		}
		t.Cleanup(func() { _ = c.Close() })
		_, _ = c.Write(half) // it may be closed already
	}
	begun := time.Now()
	s.connect(4, "x", "", "").works()
	took := time.Since(begun)
	t.Logf("a sensor gets in within %s", took)
	if took > connectTime/2 { // behind them it would be as long as they may take, some at a time
		t.Errorf("a sensor gets in after %s, behind a flood of another address", took)
	}
}

type fakeConn struct {
	net.Conn
	from net.Addr
}

func (f fakeConn) RemoteAddr() net.Addr { return f.from }
func (fakeConn) Close() error           { return nil }

// TestOrigin: one site of IPv6 is one stranger.
func TestOrigin(t *testing.T) {
	for a, want := range map[string]string{"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8:1:2:3::4": "2001:db8:1:2::/64"} {
		if got := origin(&net.TCPAddr{IP: net.ParseIP(a)}).String(); got != want {
			t.Errorf("%s is %s; want %s", a, got, want)
		}
	}
}

// TestAllComeBack: hundreds of sensors behind one address, at once, over TLS. They get
// in, and hardly any has to come again, though the machine is theirs as well.
func TestAllComeBack(t *testing.T) {
	const many = 700 // more than may be unauthenticated
	s := open(t, Config{TLS: certificate(t)})
	comeIn := func() error {
		raw, err := tls.Dial("tcp", s.l.Addr(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return err
		}
		defer raw.Close()
		answer := make([]byte, 4)
		if _, err = raw.Write(hello(4, 2, "", "", "")); err == nil {
			_, err = io.ReadFull(raw, answer)
		}
		if err == nil && answer[3] != 0 {
			err = errors.New("refused")
		}
		return err
	}
	var wg sync.WaitGroup
	var again atomic.Int32
	begun := time.Now()
	for range many {
		wg.Go(func() {
			for err := comeIn(); err != nil; err = comeIn() {
				again.Add(1)
				if time.Since(begun) > 10*time.Minute {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begun)
	t.Logf("%d handshakes in %s, %d came again", many, took, again.Load())
	// Whom a busy machine does not get to within connectTime has to come again, too.
	if turns := 1 + took/connectTime; again.Load() > many/4*int32(turns) {
		t.Errorf("%d of %d had to come again", again.Load(), many)
	}
}

// TestAcceptGoesOn: a listener that is out of files for a moment is not closed for ever.
func TestAcceptGoesOn(t *testing.T) {
	s := open(t, Config{})
	ours, theirs := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		door{s.l, &shaky{conn: theirs}, plainDoor}.Serve(s.l.server.EstablishConnection)
	}()
	c := &sensor{Conn: ours, t: t}
	c.in = newBuffered(ours)
	c.send(hello(4, 2, "x", "", ""))
	c.want(0x20)
	<-served
}

// shaky fails, then accepts once, then is closed.
type shaky struct {
	net.Listener
	conn net.Conn
	n    int
}

func (l *shaky) Accept() (net.Conn, error) {
	switch l.n++; l.n {
	case 1:
		return nil, errors.New("too many open files")
	case 2:
		return l.conn, nil
	}
	return nil, net.ErrClosed
}

// TestTheTallySaysLittle: how many, and neither who nor from where.
func TestTheTallySaysLittle(t *testing.T) {
	for why := range names {
		if reason(why) > closing && names[why] == "" {
			t.Errorf("reason %d has no name", why)
		}
	}
	var log bytes.Buffer
	l, err := build(Config{Queue: intake.New(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer l.cancel()
	l.tally.add(badIdentity)
	l.tally.say(l.cfg.Log, &[reasons]uint64{})
	if !strings.Contains(log.String(), "wrong_identity=1") {
		t.Errorf("it says %s", log.String())
	}
}
