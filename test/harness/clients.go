package harness

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/firmware-sim/device"
)

// Wire is a hand-written MQTT client, since no library sends what these do.
type Wire struct {
	net.Conn
	t *testing.T
}

// DialWire connects.
func DialWire(t *testing.T, addr string) *Wire {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &Wire{c, t}
}

// MQTTPacket is a packet of a kind, with its length (MQTT 3.1.1 section 2.2).
func MQTTPacket(kind byte, body ...[]byte) []byte {
	all := bytes.Join(body, nil)
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(all))), all...)
}

// MQTTText is a text with its length (MQTT 3.1.1 section 1.5.3).
func MQTTText(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

// Hello connects with a version of MQTT and returns the answer's code.
func (w *Wire) Hello(version byte, id, user, password string) byte {
	w.t.Helper()
	var props []byte
	if version == 5 {
		props = []byte{0}
	}
	w.Send(MQTTPacket(0x10, MQTTText("MQTT"), []byte{version, 0xc0, 0, 0}, props, MQTTText(id), MQTTText(user),
		MQTTText(password)))
	_, body := w.Packet(Patience)
	if len(body) < 2 {
		w.t.Fatalf("the answer to CONNECT is %x", body)
	}
	return body[1]
}

// Send writes bytes as they are.
func (w *Wire) Send(b []byte) {
	w.t.Helper()
	if _, err := w.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

// Packet is the next one, or nothing when the connection ends first, or none comes in
// time.
func (w *Wire) Packet(within time.Duration) (kind byte, body []byte) {
	w.t.Helper()
	if err := w.SetReadDeadline(time.Now().Add(within)); err != nil {
		w.t.Fatal(err)
	}
	head := make([]byte, 2) // none here is longer than 127 bytes
	if _, err := io.ReadFull(w, head); err != nil {
		return 0, nil
	}
	body = make([]byte, head[1])
	if _, err := io.ReadFull(w, body); err != nil {
		return 0, nil
	}
	return head[0], body
}

// CutOff returns after how long the connection ends, within what a busy machine makes of
// a time.
func (w *Wire) CutOff(within time.Duration) time.Duration {
	w.t.Helper()
	within = Longer(within)
	begun := time.Now()
	if err := w.SetReadDeadline(begun.Add(within)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, w); err != nil && strings.Contains(err.Error(), "timeout") {
		w.t.Errorf("it is not cut off within %s", within)
	}
	return time.Since(begun)
}

// PublisherAs connects with a user name and a password.
func PublisherAs(t *testing.T, addr, user, password string) *device.Link {
	t.Helper()
	link, err := device.ConnectAs("tcp://"+addr, "test-"+user, user, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	return link
}

// Authority is a certificate authority for a test.
type Authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	Cert *x509.Certificate
	n    int64
}

// NewAuthority makes a certificate authority whose files are in a directory.
func NewAuthority(t *testing.T, dir string) *Authority {
	t.Helper()
	a := &Authority{t: t, dir: dir}
	a.key, a.Cert = a.Make("ca",
		&x509.Certificate{Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign}, nil)
	return a
}

// Issue writes a certificate and its key.
func (a *Authority) Issue(file, name string) {
	a.Make(file, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.Cert)
}

// Make writes a certificate and its key from a template.
func (a *Authority) Make(file string, template, parent *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.n++
	template.SerialNumber, template.NotBefore = big.NewInt(a.n), time.Now().Add(-time.Hour)
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(24 * time.Hour)
	}
	signer := a.key
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	Write(a.t, filepath.Join(a.dir, file+".crt"),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})))
	WriteSecret(a.t, filepath.Join(a.dir, file+".key"),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, cert
}

// publish uses a connection of its own, which stays.
func Publisher(t *testing.T, addr, id string) *device.Link {
	t.Helper()
	link, err := device.Connect("tcp://"+addr, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	return link
}

// Raw is a connection that speaks MQTT by hand.
type Raw struct {
	net.Conn
	t *testing.T
}

// DialRaw connects as a client, without a library's help.
func DialRaw(t *testing.T, addr, id string) *Raw {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.ClientIdentifier, p.CleanSession = "MQTT", 4, id, true
	r := &Raw{conn, t}
	r.Put(p)
	if _, err := packets.ReadPacket(conn); err != nil {
		t.Fatal(err)
	}
	return r
}

// Put writes a packet.
func (r *Raw) Put(p packets.ControlPacket) {
	if err := p.Write(r); err != nil {
		r.t.Error(err)
	}
}

// Speaker is a client of MQTT 3.1.1 that says what it is told to, over TLS or not, and
// waits for each acknowledgement.
type Speaker struct {
	T  testing.TB
	c  net.Conn
	in *bufio.Reader
}

// Speak connects; the configuration is nil for a plain connection, and an address may be a
// WebSocket's, ws://HOST:PORT.
func Speak(t testing.TB, addr string, secure *tls.Config, id, user, password string) *Speaker {
	t.Helper()
	var c net.Conn
	if strings.HasPrefix(addr, "ws://") {
		c = WebSocket(t, addr, secure)
	} else {
		var err error
		if c, err = net.DialTimeout("tcp", addr, Patience); err != nil {
			t.Fatal(err)
		}
		if secure != nil {
			c = tls.Client(c, secure)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	s := &Speaker{t, c, bufio.NewReader(c)}
	s.Say(MQTTPacket(0x10, MQTTText("MQTT"), []byte{4, 0xc2, 0, 0}, MQTTText(id), MQTTText(user), MQTTText(password)))
	if got := s.Hear(); got[0] != 0x20 || got[3] != 0 {
		t.Fatalf("CONNACK is % x", got)
	}
	return s
}

// Say writes bytes.
func (s *Speaker) Say(b []byte) {
	_ = s.c.SetDeadline(time.Now().Add(Patience))
	if _, err := s.c.Write(b); err != nil {
		s.T.Error(err)
	}
}

// Hear reads an acknowledgement.
func (s *Speaker) Hear() (got [4]byte) {
	if _, err := io.ReadFull(s.in, got[:]); err != nil {
		s.T.Error(err)
	}
	return got
}

// Listen collects what is published on a topic, a message a line.
func Listen(t *testing.T, addr, topic string) *Output {
	t.Helper()
	heard := &Output{}
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("listens"))
	if tok := c.Connect(); !tok.WaitTimeout(Patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(100) })
	c.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { _, _ = heard.Write(append(m.Payload(), '\n')) }).Wait()
	return heard
}
