package test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCertificatesAndPasswordsAnew: a certificate that has ended is replaced, and a
// password rotated, while the gateway runs; amid readings, and a broken one changes
// nothing.
func TestCertificatesAndPasswordsAnew(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_pub")
	c := found(t, small())
	secrets := c.passwords()
	ca := newAuthority(t, c.dir)
	ended := &x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotAfter: time.Now().Add(-time.Minute)}
	ca.make("server", ended, ca.cert)
	c.edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.mqtt),
		fmt.Sprintf("listen: {mqtt: %q, passwords: passwords, tls: {cert: server.crt, key: server.key}}", c.mqtt))
	c.edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
	c.run()
	_, port, _ := strings.Cut(c.mqtt, ":")
	sent := 0
	as := func(password string) bool {
		sent++
		_, err := pub(t, "localhost:"+port, "-q", "1", "-t", "city/v1/acme/gate-1/up", "-m",
			fmt.Sprintf(`{"seq":%d,"fields":{"passed":1}}`, sent),
			"-u", "gate-1", "-P", password, "--cafile", filepath.Join(c.dir, "ca.crt"))
		return err == nil
	}
	if as(secrets["gate-1"]) {
		t.Error("a certificate that has ended is believed")
	}
	whole := read(t, filepath.Join(c.dir, "server.key"))
	writeSecret(t, filepath.Join(c.dir, "server.key"), "torn")
	c.hangup("nothing is changed", 1)
	writeSecret(t, filepath.Join(c.dir, "server.key"), whole)
	ca.issue("server", "localhost")
	c.hangup("are read anew", 1)
	if !as(secrets["gate-1"]) {
		t.Error("with the new certificate the sensor does not get in")
	}
	passwords := read(t, filepath.Join(c.dir, "passwords"))
	var others []string
	for line := range strings.Lines(passwords) {
		if !strings.HasPrefix(line, "gate-1:") {
			others = append(others, line)
		}
	}
	writeSecret(t, filepath.Join(c.dir, "passwords"), strings.Join(others, ""))
	fresh := c.passwords()["gate-1"]
	if as(fresh) || !as(secrets["gate-1"]) {
		t.Error("a password is rotated before anybody said so")
	}
	c.hangup("are read anew", 2)
	if as(secrets["gate-1"]) || !as(fresh) {
		t.Error("after SIGHUP the old password is right, or the new one wrong")
	}
	c.received(3)
	c.adds()
}

// TestHangupsAmidReadings: the register is read anew again and again while a sensor
// sends; nothing is lost and nothing counts twice.
func TestHangupsAmidReadings(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	const readings = 3000
	done := make(chan bool)
	go func() {
		defer close(done)
		for n := range readings {
			c.link.Publish("city/v1/acme/gate-1/up", []byte(gate(n, ten, 1)), false)
		}
		if err := c.link.Flush(); err != nil {
			t.Error(err)
		}
	}()
	for times := 1; times <= 5; times++ {
		write(t, filepath.Join(c.dir, "register.yaml"),
			read(t, filepath.Join(c.dir, "register.yaml"))+
				fmt.Sprintf("  - {id: more-%d, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n",
					times))
		c.hangup("are read anew", times)
	}
	<-done
	c.send("more-5", gate(1, ten, 1))
	c.counted(readings + 1)
}
