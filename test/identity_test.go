package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/device"
)

// publisherAs connects with a user name and a password.
func publisherAs(t *testing.T, addr, user, password string) *device.Link {
	t.Helper()
	link, err := device.ConnectAs("tcp://"+addr, "test-"+user, user, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	return link
}

// TestListenerIdentities: with passwords, a stranger does not get in, and a
// sensor reads its own feedback only.
func TestListenerIdentities(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	secrets := c.passwords()
	path := filepath.Join(c.dir, "gateway.yaml")
	write(t, path,
		strings.Replace(read(t, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.mqtt),
			fmt.Sprintf("listen: {mqtt: %q, passwords: passwords}\n", c.mqtt), 1))
	c.run()
	for user, password := range map[string]string{"": "", "gate-1": "wrong", "nobody": secrets["gate-1"],
		"gateway": secrets["gateway"], "wifi-1": secrets["gate-1"]} {
		if link, err := device.ConnectAs("tcp://"+c.mqtt, "x", user, password); err == nil {
			link.Close()
			t.Errorf("user %q got in", user)
		}
	}
	link := publisherAs(t, c.mqtt, "gate-1", secrets["gate-1"])
	link.Publish("city/v1/acme/gate-1/up", []byte(`{"fields":{"passed":1}}`), false)
	if err := link.Flush(); err != nil {
		t.Fatal(err)
	}
	need(t, "mosquitto_sub")
	host, port, _ := strings.Cut(c.mqtt, ":")
	for topic, want := range map[string]bool{"city/v1/acme/gate-1/feedback": true,
		"city/v1/acme/wifi-1/feedback": false, "city/v1/acme/+/feedback": false, "#": false, "$SYS/#": false} {
		p := start(t, "stdbuf", "-oL", "mosquitto_sub", "-h", host, "-p", port, "-u", "gate-1", "-P", secrets["gate-1"],
			"-t", topic, "-d")
		if code := p.find(`Subscribed \(mid: \d+\): (\d+)`)[1]; (code == "0") != want {
			t.Errorf("subscribing to %s: it is answered %s; want it granted: %v", topic, code, want)
		}
		p.kill()
	}
}

// TestListenerCertificates: a sensor is who its certificate says.
func TestListenerCertificates(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_pub")
	c := found(t, small())
	ca := newAuthority(t, c.dir)
	ca.issue("server", "localhost")
	ca.issue("gate", "gate-1")
	ca.issue("wifi", "wifi-1")
	ca.issue("nobody", "nobody")
	path := filepath.Join(c.dir, "gateway.yaml")
	write(t, path,
		strings.Replace(read(t, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.mqtt),
			fmt.Sprintf("listen: {mqtt: %q, tls: {cert: server.crt, key: server.key, client_ca: ca.crt}}\n", c.mqtt),
			1))
	write(t, path, strings.Replace(read(t, path), "time: {topic: city/v1/clock}", "time: wall", 1))
	c.run()
	_, port, _ := strings.Cut(c.mqtt, ":")
	pub := func(who string) error {
		args := []string{"-h", "localhost", "-p", port, "-q", "1", "-t", "city/v1/acme/gate-1/up", "-m",
			`{"fields":{"passed":1}}`, "--cafile", filepath.Join(c.dir, "ca.crt")}
		if who != "" {
			args = append(args, "--cert", filepath.Join(c.dir, who+".crt"), "--key", filepath.Join(c.dir, who+".key"))
		}
		ctx := exec.Command("timeout", append([]string{limit(5 * time.Second), "mosquitto_pub"}, args...)...)
		return ctx.Run()
	}
	if err := pub("gate"); err != nil {
		t.Errorf("the sensor's own certificate: %v", err)
	}
	if err := pub("wifi"); err != nil {
		t.Errorf("another sensor's certificate: %v; want it taken and refused with a code", err)
	}
	for _, who := range []string{"", "nobody"} {
		if pub(who) == nil {
			t.Errorf("%q got in", who)
		}
	}
	c.received(2)
	if n := c.metric(`sluice_readings_total{code="E003",state="refused"}`); n != 1 {
		t.Errorf("%v readings were refused for their identity; want 1", n)
	}
}

// authority is a certificate authority for a test.
type authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	n    int64
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{t: t, dir: dir}
	a.key, a.cert = a.make("ca",
		&x509.Certificate{Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign}, nil)
	return a
}

func (a *authority) issue(file, name string) {
	a.make(file, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert)
}

func (a *authority) make(file string, template, parent *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
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
	write(a.t, filepath.Join(a.dir, file+".crt"),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})))
	writeSecret(a.t, filepath.Join(a.dir, file+".key"),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, cert
}

// TestBrokerWithTLS: the gateway as a client of a broker that wants TLS and a
// password, with the access list that sluice sensor acl writes; doctor finds
// nothing to mend, and finds it where a stranger may read.
func TestBrokerWithTLSAndDoctor(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	secrets := c.passwords()
	ca := newAuthority(t, c.dir)
	ca.issue("server", "localhost")
	broker := newMosquitto(t, fmt.Sprintf("allow_anonymous false\npassword_file %[1]s/passwords\nacl_file "+
		"%[1]s/acl\ncafile %[1]s/ca.crt\ncertfile %[1]s/server.crt\nkeyfile %[1]s/server.key\n", c.dir))
	_, port, _ := strings.Cut(broker.addr, ":")
	path := filepath.Join(c.dir, "gateway.yaml")
	write(t, path, strings.Replace(read(t, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.mqtt),
		"mqtt: {broker: \"tls://localhost:"+port+
			"\", username: gateway, password_file: gateway.password, ca: ca.crt}\n", 1))
	write(t, path, strings.Replace(read(t, path), "time: {topic: city/v1/clock}", "time: wall", 1))
	c.run()
	c.brokerUp(true)
	link := func(user string) error {
		return exec.Command("timeout", limit(5*time.Second), "mosquitto_pub", "-h", "localhost", "-p", port, "-q", "1",
			"-V", "5", "-u", user, "-P", secrets[user], "-t", "city/v1/acme/gate-1/up", "-m", `{"fields":{"passed":1}}`,
			"--cafile", filepath.Join(c.dir, "ca.crt")).Run()
	}
	if err := link("gate-1"); err != nil {
		t.Error(err)
	}
	_ = link("wifi-1") // the broker says nothing, or no
	c.received(1)
	time.Sleep(200 * time.Millisecond)
	if n := c.metric("sluice_received_total"); n != 1 {
		t.Errorf("%v readings came through; want the sensor's own alone", n)
	}
	for _, policy := range []string{"gates", "devices"} { // doctor looks at today
		p := filepath.Join(c.dir, "policy/decisions", policy+".yaml")
		write(t, p, wallClock(read(t, p)))
	}
	doctor := func(code int, says ...string) {
		t.Helper()
		cmd := exec.Command(sluice, "doctor", "-c", path, "--mosquitto", broker.conf)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("doctor gives %d; want %d\n%s", got, code, out)
		}
		for _, s := range says {
			if !strings.Contains(string(out), s) {
				t.Errorf("doctor does not say %q\n%s", s, out)
			}
		}
	}
	time.Sleep(2 * time.Second) // the policy is looked at
	doctor(0, "a stranger is refused", "in memory only", "decisions in force")
	if n := c.metric("sluice_received_total"); n != 1 {
		t.Errorf("doctor was counted as a reading: %v", n)
	}
	conf := read(t, broker.conf)
	write(t, broker.conf,
		strings.Replace(strings.Replace(conf, "persistence false", "persistence true", 1), "max_inflight",
			"log_type all\nmax_inflight", 1))
	doctor(1, "raw readings to its disk in clear")
	write(t, broker.conf, conf)
	broker.p.kill()
	doctor(4, "nobody answers")
	write(t, broker.conf,
		strings.NewReplacer("allow_anonymous false", "allow_anonymous true", "acl_file", "# acl_file").Replace(conf))
	broker.start()
	doctor(1, "can read what sensors publish")
	appendTo(t, path, "unknown: 1\n")
	doctor(3, "unknown")
}
