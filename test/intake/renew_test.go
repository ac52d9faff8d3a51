package intake

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestCertificatesAndPasswordsAnew: a certificate that has ended is replaced, and a
// password rotated, while the gateway runs, at SIGHUP or on save; a broken one changes nothing.
func TestCertificatesAndPasswordsAnew(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	c := harness.Found(t, harness.Small())
	secrets := c.Passwords()
	ca := harness.NewAuthority(t, c.Dir)
	ended := &x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotAfter: time.Now().Add(-time.Minute)}
	ca.Make("server", ended, ca.Cert)
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt),
		fmt.Sprintf("listen: {mqtt: %q, passwords: passwords, tls: {cert: server.crt, key: server.key}}", c.Mqtt))
	c.Edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
	c.Run()
	_, port, _ := strings.Cut(c.Mqtt, ":")
	sent := 0
	as := func(password string) bool {
		sent++
		_, err := harness.Pub(t, "localhost:"+port, "-q", "1", "-t", "city/v1/acme/gate-1/up", "-m",
			fmt.Sprintf(`{"seq":%d,"fields":{"passed":1}}`, sent),
			"-u", "gate-1", "-P", password, "--cafile", filepath.Join(c.Dir, "ca.crt"))
		return err == nil
	}
	if as(secrets["gate-1"]) {
		t.Error("a certificate that has ended is believed")
	}
	whole := harness.Read(t, filepath.Join(c.Dir, "server.key"))
	harness.WriteSecret(t, filepath.Join(c.Dir, "server.key"), "torn")
	hangup(c, "nothing is changed")
	harness.WriteSecret(t, filepath.Join(c.Dir, "server.key"), whole)
	ca.Issue("server", "localhost")
	hangup(c, "are read anew")
	if !as(secrets["gate-1"]) {
		t.Error("with the new certificate the sensor does not get in")
	}
	passwords := harness.Read(t, filepath.Join(c.Dir, "passwords"))
	var others []string
	for line := range strings.Lines(passwords) {
		if !strings.HasPrefix(line, "gate-1:") {
			others = append(others, line)
		}
	}
	harness.WriteSecret(t, filepath.Join(c.Dir, "passwords"), strings.Join(others, ""))
	fresh := c.Passwords()["gate-1"] // saved, and nobody says so
	harness.Await(t, time.Minute, "the new password to be right", func() bool { return as(fresh) })
	if as(secrets["gate-1"]) {
		t.Error("the old password is right, too")
	}
	c.Received(2)
	c.Adds()
}

// TestHangupsAmidReadings: the register is read anew again and again while a sensor
// sends; nothing is lost and nothing counts twice.
func TestHangupsAmidReadings(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	const readings = 3000
	done := make(chan bool)
	go func() {
		defer close(done)
		for n := range readings {
			c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(n, harness.Ten, 1)), false)
		}
		if err := c.Link.Flush(); err != nil {
			t.Error(err)
		}
	}()
	for times := 1; times <= 5; times++ {
		harness.Write(t, filepath.Join(c.Dir, "register.yaml"),
			harness.Read(t, filepath.Join(c.Dir, "register.yaml"))+
				fmt.Sprintf("  - {id: more-%d, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n",
					times))
		hangup(c, "are read anew")
	}
	<-done
	c.Send("more-5", harness.Gate(1, harness.Ten, 1))
	c.Counted(readings + 1)
}
