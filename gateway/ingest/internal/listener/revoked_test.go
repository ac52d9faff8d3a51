package listener

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/test/stalls"
)

// roll is a list on which one serial number can be put, or none.
type roll struct {
	serial atomic.Int64
	newer  atomic.Bool
	broken atomic.Bool
	torn   atomic.Int32 // how often it was looked for while it was broken
}

func (r *roll) Has(c *x509.Certificate) bool { return c.SerialNumber.Int64() == r.serial.Load() }

func (r *roll) Renew() (bool, error) {
	if r.broken.Load() {
		r.torn.Add(1)
		return false, errors.New("torn")
	}
	return r.newer.Swap(false), nil
}

func (r *roll) put(serial int64) {
	r.serial.Store(serial)
	r.newer.Store(true)
}

// clients is a listener's configuration with an authority, and certificates of it by serial number.
func clients(t *testing.T, ids map[int64]string) (Config, map[int64]*tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, IsCA: true,
		NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	raw, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if ca, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	secure := certificate(t)
	secure.ClientAuth, secure.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	secure.ClientCAs.AddCert(ca)
	cfg, out := Config{TLS: secure, Feedback: make(map[string]string)}, make(map[int64]*tls.Config)
	for serial, id := range ids {
		raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(serial),
			Subject: pkix.Name{CommonName: id}, NotAfter: time.Now().Add(time.Hour),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, ca, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		out[serial] = &tls.Config{InsecureSkipVerify: true,
			Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
		cfg.Feedback[id] = ""
	}
	return cfg, out
}

// come connects, and returns the code of the CONNACK.
func (s *stand) come(as *tls.Config) (*sensor, byte) {
	s.t.Helper()
	raw, err := tls.Dial("tcp", s.l.Addr(), as)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = raw.Close() })
	c := &sensor{Conn: raw, t: s.t, in: newBuffered(raw)}
	c.send(hello(4, 2, "", "", ""))
	return c, c.want(0x20)[1]
}

// TestShutOut: whose certificate is revoked is cut off and does not come back; others stay, and so
// does what is in force while no newer list can be read, which is said once.
func TestShutOut(t *testing.T) {
	cfg, as := clients(t, map[int64]string{10: "a", 11: "b"})
	var log heard
	list := &roll{}
	cfg.Revoked, cfg.Log = list, slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, cfg)
	a, _ := s.come(as[10])
	b, code := s.come(as[11])
	if code != 0 {
		t.Fatalf("it is answered %d", code)
	}
	b.works()
	list.put(10)
	a.gone(5 * time.Second)
	if _, code := s.come(as[10]); code != 5 {
		t.Errorf("a revoked one that comes back is answered %d; want 5", code)
	}
	list.broken.Store(true)
	until(t, func() bool { return list.torn.Load() > 1 }) // it is looked for twice, and said once
	if _, code := s.come(as[10]); code != 5 {
		t.Errorf("while the list is broken, a revoked one is answered %d; want 5", code)
	}
	b.works()
	if n := log.count("torn"); n != 1 {
		t.Errorf("what is wrong with the list is said %d times", n)
	}
}

// heard is a log.
type heard struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all.Write(b)
}

func (h *heard) count(what string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return bytes.Count(h.all.Bytes(), []byte(what))
}

// TestNobodySlipsIn: who comes in while the list is exchanged is not among the admitted afterwards.
func TestNobodySlipsIn(t *testing.T) {
	cfg, as := clients(t, map[int64]string{10: "a"})
	list := &roll{}
	cfg.Revoked = list
	s := open(t, cfg)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if raw, err := tls.Dial("tcp", s.l.Addr(), as[10]); err == nil {
					_, _ = raw.Write(hello(4, 2, "", "", ""))
					s.t.Cleanup(func() { _ = raw.Close() })
				}
			}
		})
	}
	inside := func() int {
		s.l.admitted.mu.Lock()
		defer s.l.admitted.mu.Unlock()
		return len(s.l.admitted.all)
	}
	until(t, func() bool { return inside() > 0 })
	list.put(10)
	until(t, func() bool { return !list.newer.Load() })
	s.l.enforce() // as follow does at that moment; afterwards nobody may be found
	close(stop)
	all.Wait()
	until(t, func() bool { return inside() == 0 })
}

// until waits for something to become true.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	stalls.Until(t, 20*time.Second, "it to come to that", ok)
}
