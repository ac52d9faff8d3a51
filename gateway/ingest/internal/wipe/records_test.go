package wipe

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

// below is a connection below crypto/tls.
type below struct {
	net.Conn
	in *Records
}

func (b below) Read(p []byte) (int, error) { return b.in.Read(p) }

// certificate is one for a test.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(crand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// roomOf is all of the buffer in which crypto/tls decrypts, which only it reads.
func roomOf(c *tls.Conn) []byte {
	buf := reflect.ValueOf(c).Elem().FieldByName("rawInput").FieldByName("buf").Bytes()
	return buf[:cap(buf)]
}

// connected are the two ends of a TLS connection, of which the server's is read through
// Records, and what says that it waits.
func connected(t *testing.T, cert tls.Certificate, version uint16) (client, server *tls.Conn, waits *gate) {
	t.Helper()
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	dialled := make(chan *tls.Conn, 1)
	go func() {
		c, err := tls.Dial("tcp", open.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
		if err != nil {
			t.Error(err)
		}
		dialled <- c
	}()
	raw, err := open.Accept()
	if err != nil {
		t.Fatal(err)
	}
	waits = &gate{Conn: raw, waiting: make(chan struct{})}
	server = tls.Server(below{waits, NewRecords(waits)}, &tls.Config{Certificates: []tls.Certificate{cert}})
	t.Cleanup(func() { _ = server.Close() })
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	client = <-dialled
	t.Cleanup(func() { _ = client.Close() })
	return client, server, waits
}

// TestNothingStaysBelowTLS: while a connection waits for its next record, the buffer in
// which crypto/tls decrypts holds nothing of any record before, of whatever length and
// however they came; and all that was sent comes through.
func TestNothingStaysBelowTLS(t *testing.T) {
	cert := certificate(t)
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			client, server, waits := connected(t, cert, version)
			came := make(chan []byte, 1)
			buf := make([]byte, 64<<10)
			for range 100 {
				sent := []byte(strings.Repeat("zQ7canary", 1+rand.N(5000)))
				go func() {
					n, err := io.ReadFull(server, buf[:len(sent)])
					if err != nil {
						t.Error(err)
					}
					came <- bytes.Clone(buf[:n])
				}()
				for rest := sent; len(rest) > 0; {
					n := min(len(rest), 1+rand.N(20_000))
					if _, err := client.Write(rest[:n]); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				if !bytes.Equal(<-came, sent) {
					t.Fatal("another text came")
				}
				// It waits for one byte more.
				go func() { _, _ = server.Read(buf[:1]); came <- nil }()
				<-waits.waiting
				if at := bytes.Index(roomOf(server), []byte("canary")); at >= 0 {
					t.Fatalf("what was read stays at %d of %d bytes", at, len(roomOf(server)))
				}
				if _, err := client.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
				<-came
			}
		})
	}
}

// gate says when a read waits for the other side: when nothing is there.
type gate struct {
	net.Conn
	waiting chan struct{}
}

func (g *gate) Read(p []byte) (int, error) {
	_ = g.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	for {
		n, err := g.Conn.Read(p)
		if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() && n == 0 {
			_ = g.SetReadDeadline(time.Time{})
			select {
			case g.waiting <- struct{}{}:
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		return n, err
	}
}
