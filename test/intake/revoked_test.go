package intake

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/test/harness"
)

// town is an authority of sluice sensor cert, in a city's directory, with a server's certificate of
// another.
type town struct {
	t   *testing.T
	dir string // of the city
}

func newTown(c *harness.City) *town {
	harness.NewAuthority(c.T, c.Dir).Issue("server", "localhost")
	harness.Run(c.T, harness.Sluice, "sensor", "cert", "init", filepath.Join(c.Dir, "town"))
	return &town{c.T, c.Dir}
}

func (w *town) cert(verb string, ids ...string) {
	w.t.Helper()
	harness.Run(w.t, harness.Sluice, append([]string{"sensor", "cert", verb, filepath.Join(w.dir, "town")}, ids...)...)
}

// connect connects with a sensor's certificate; it returns the CONNACK's code, or an error.
func (w *town) connect(addr, id string) (net.Conn, byte, error) {
	w.t.Helper()
	own, err := tls.LoadX509KeyPair(filepath.Join(w.dir, "town/sensors", id+".crt"),
		filepath.Join(w.dir, "town/sensors", id+".key"))
	if err != nil {
		w.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(harness.Read(w.t, filepath.Join(w.dir, "ca.crt"))))
	_, port, _ := strings.Cut(addr, ":")
	conn, err := tls.Dial("tcp", "localhost:"+port, &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: pool})
	if err != nil {
		return nil, 0, err
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(harness.Patience))
	ack := make([]byte, 4)
	if _, err = conn.Write(harness.MQTTPacket(0x10, harness.MQTTText("MQTT"), []byte{4, 2, 0, 0},
		harness.MQTTText(id))); err == nil {
		_, err = io.ReadFull(conn, ack)
	}
	return conn, ack[3], err
}

// works reports whether a connection is answered.
func works(conn net.Conn) bool {
	pong := make([]byte, 2)
	_ = conn.SetDeadline(time.Now().Add(harness.Patience))
	if _, err := conn.Write([]byte{0xc0, 0}); err != nil {
		return false
	}
	_, err := io.ReadFull(conn, pong)
	return err == nil
}

// TestRevokedCertificates: a sensor whose certificate is revoked is cut off within five seconds and
// does not come back; others stay. A broken list changes nothing and is said; one that is there
// again counts.
func TestRevokedCertificates(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	w := newTown(c)
	w.cert("issue", "gate-1", "wifi-1")
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt), fmt.Sprintf("listen: {mqtt: %q, tls: "+
		"{cert: server.crt, key: server.key, client_ca: town/ca.crt, crl: crl.pem}}", c.Mqtt))
	publish := func() {
		harness.Write(t, filepath.Join(c.Dir, "crl.new"), harness.Read(t, filepath.Join(c.Dir, "town/crl.pem")))
		harness.Run(t, "mv", filepath.Join(c.Dir, "crl.new"), filepath.Join(c.Dir, "crl.pem"))
	}
	publish()
	c.Run()
	gate, code, err := w.connect(c.Mqtt, "gate-1")
	wifi, other, err2 := w.connect(c.Mqtt, "wifi-1")
	if err != nil || err2 != nil || code != 0 || other != 0 {
		t.Fatal(err, err2, code, other)
	}
	w.cert("revoke", "gate-1")
	publish()
	began := time.Now()
	if _, err := io.ReadFull(gate, make([]byte, 1)); err == nil {
		t.Error("the revoked one hears something")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the revoked one is cut off after %s", took)
	}
	out := func(id string) bool {
		_, code, err := w.connect(c.Mqtt, id)
		return err != nil || code != 0
	}
	if !out("gate-1") || !works(wifi) {
		t.Error("the revoked one is back, or another is cut off")
	}
	harness.Write(t, filepath.Join(c.Dir, "crl.pem"), "-----BEGIN X509 CRL-----\n")
	harness.Await(t, 10*time.Second, "the gateway to say what is wrong", func() bool {
		return strings.Contains(c.Gateway.Err.String(), "no list of revoked certificates in PEM")
	})
	if !out("gate-1") || !works(wifi) {
		t.Error("a broken list changes something")
	}
	notes := func() string {
		_, _, body := harness.Get(t, c.Admin+"/readyz")
		return string(body)
	}
	if is := notes(); !strings.Contains(is, "no newer list of revoked certificates is taken: ") {
		t.Errorf("/readyz does not say so: %s", is)
	}
	w.cert("issue", "gate-1")
	w.cert("revoke", "wifi-1")
	publish()
	if _, err := io.ReadFull(wifi, make([]byte, 1)); err == nil || !out("wifi-1") || out("gate-1") {
		t.Error("the list that is there again is not in force, or a new certificate is of no use")
	}
	if is := notes(); strings.Contains(is, "revoked") {
		t.Errorf("/readyz still says so: %s", is)
	}
	hangup(c, "are read anew")
	if !out("wifi-1") || out("gate-1") {
		t.Error("after SIGHUP another list is in force")
	}
}

// TestMosquittoAsksForCertificates: mosquitto takes the town's certificates for user names, with the
// access list of sensor acl --certs, and the list of revoked ones at a reload.
func TestMosquittoAsksForCertificates(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	c := harness.Found(t, harness.Small())
	w := newTown(c)
	w.cert("issue", "gate-1", "wifi-1", "gateway")
	harness.Run(t, harness.Sluice, "sensor", "acl", "--certs", "--register", filepath.Join(c.Dir, "register.yaml"),
		"--dir", c.Dir)
	broker := harness.NewMosquitto(t, fmt.Sprintf("allow_anonymous false\nacl_file %[1]s/acl\n"+
		"cafile %[1]s/town/ca.crt\ncrlfile %[1]s/town/crl.pem\ncertfile %[1]s/server.crt\nkeyfile %[1]s/server.key\n"+
		"require_certificate true\nuse_identity_as_username true\n", c.Dir))
	_, port, _ := strings.Cut(broker.Addr, ":")
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt), "mqtt: {broker: \"tls://localhost:"+port+
		"\", ca: ca.crt, cert: town/sensors/gateway.crt, key: town/sensors/gateway.key}")
	c.Edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
	c.Run()
	c.BrokerUp(true)
	pub := func(id string) error {
		key := filepath.Join(c.Dir, "town/sensors", id)
		return exec.Command("timeout", harness.Limit(5*time.Second), "mosquitto_pub", "-h", "localhost", "-p", port,
			"-q", "1", "-V", "5", "-t", "city/v1/acme/gate-1/up", "-m", `{"fields":{"passed":1}}`, "--cafile",
			filepath.Join(c.Dir, "ca.crt"), "--cert", key+".crt", "--key", key+".key").Run()
	}
	if err := pub("gate-1"); err != nil {
		t.Error(err)
	}
	_ = pub("wifi-1") // the access list stops it
	if err := pub("gate-1"); err != nil {
		t.Error(err)
	}
	c.Received(2)
	standing, _, err := w.connect(broker.Addr, "gate-1")
	if err != nil {
		t.Fatal(err)
	}
	w.cert("revoke", "gate-1")
	if err := broker.P.Cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	harness.Await(t, 10*time.Second, "mosquitto to refuse the revoked one", func() bool { return pub("gate-1") != nil })
	if !works(standing) {
		t.Error("mosquitto cuts connections that stand, which docs/operations.md denies")
	}
	if _, code, err := w.connect(broker.Addr, "wifi-1"); err != nil || code != 0 {
		t.Errorf("another is refused: %v %d", err, code)
	}
}
