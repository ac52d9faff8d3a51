package operations

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// slip is a mistake and what doctor says of it: verdict, check and a part of the text.
type slip struct {
	plant func(t *testing.T, c *harness.City)
	says  string // a regular expression over one finding and its hint
}

// behind makes the gateway a client of a broker that nobody has started, with a
// mosquitto.conf beside it.
func behind(c *harness.City, conf string) {
	c.T.Helper()
	c.Passwords()
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt),
		fmt.Sprintf("mqtt: {broker: \"tcp://%s\", username: gateway, password_file: gateway.password}", c.Mqtt))
	harness.Write(c.T, filepath.Join(c.Dir, "mosquitto.conf"), strings.ReplaceAll(conf, "DIR", c.Dir))
}

// withPasswords gives the listener a password file.
func withPasswords(c *harness.City) {
	c.T.Helper()
	c.Passwords()
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt),
		fmt.Sprintf("listen: {mqtt: %q, passwords: passwords}", c.Mqtt))
}

// goodConf is what configs/mosquitto.conf sets.
const goodConf = "listener 1883\nallow_anonymous false\npassword_file DIR/passwords\nacl_file DIR/acl\npersistence " +
	"false\nmax_inflight_messages 1000\n" +
	"max_queued_messages 1000000\nmax_packet_size 1180000\nconnection_messages false\nlog_type error\n"

func conf(old, with string) func(*testing.T, *harness.City) {
	return func(t *testing.T, c *harness.City) {
		if !strings.Contains(goodConf, old) {
			t.Fatalf("there is no %q", old)
		}
		behind(c, strings.Replace(goodConf, old, with, 1))
	}
}

func entry(more string) func(*testing.T, *harness.City) {
	return func(_ *testing.T, c *harness.City) {
		harness.AppendTo(c.T, filepath.Join(c.Dir, "register.yaml"), "  - {"+more+"}\n")
	}
}

// mistakes are those that operators made, and some more of their like.
var mistakes = map[string]slip{
	"a zone that there is not": {entry(
		"id: x, owner: acme, kind: people-gate, zone: sqare, registered: 2026-01-01"),
		`warn +register .*no zone "sqare".*did you mean "square"`},
	"a kind that there is not": {entry(
		"id: x, owner: acme, kind: people-gat, zone: square, registered: 2026-01-01"),
		`warn +kinds .*1 sensor is of a kind that the policy does not know: x`},
	"a key that there is not": {entry(
		"id: x, owner: acme, knd: people-gate, zone: square, registered: 2026-01-01"),
		`fail +register +\S*register.yaml: \[\d+:\d+\] unknown field "knd"; did you mean kind\?\n {33}> +\d+ \| +- \{id: x, owner: acme, knd: .*\n {33} +\^`},
	"a field that the kind has not": {entry(
		"id: x, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, map: {past: /n}"),
		`warn +register .*has no field "past"`},
	"coordinates the wrong way round": {entry(
		"id: x, owner: acme, kind: people-gate, lat: 200, lon: 2, registered: 2026-01-01"),
		`warn +register .*not on earth`},
	"another sensor's topic": {entry(
		"id: x, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, topic: city/v1/acme/gate-1/up"),
		`fail +register .*one of the sensor gate-1`},
	"a register that is not there": {func(t *testing.T, c *harness.City) {
		harness.NoError(t, os.Remove(filepath.Join(c.Dir, "register.yaml")))
	}, `fail +register .*no such file`},
	"all registered in the future": {func(_ *testing.T, c *harness.City) {
		harness.Write(c.T, filepath.Join(c.Dir, "register.yaml"),
			strings.ReplaceAll(harness.Read(c.T, filepath.Join(c.Dir, "register.yaml")), "registered: 20",
				"registered: 29"))
	}, `fail +sensors .*no sensor of the register is registered today`},
	"all zones of another gateway": {func(_ *testing.T, c *harness.City) {
		harness.Write(c.T, filepath.Join(c.Dir, "policy/zones.geojson"),
			strings.ReplaceAll(harness.Read(c.T, filepath.Join(c.Dir, "policy/zones.geojson")), `"properties":{}`,
				`"properties":{"gateway":"edge-9"}`))
	}, `fail +sensors .*all sensors stand in zones of other gateways`},
	"a sensor without password": {func(t *testing.T, c *harness.City) {
		withPasswords(c)
		entry("id: new-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01")(t, c)
	}, `warn +passwords .*1 sensor has no password, so it cannot connect: new-1`},
	"no password file": {func(t *testing.T, c *harness.City) {
		withPasswords(c)
		harness.NoError(t, os.Remove(filepath.Join(c.Dir, "passwords")))
	}, `fail +listener .*sluice sensor acl`},
	"passwords others can read": {func(t *testing.T, c *harness.City) {
		withPasswords(c)
		harness.NoError(t, os.Chmod(filepath.Join(c.Dir, "passwords"), 0o644))
	}, `fail +listener .*passwords can be read by others`},
	"a password that others can read": {func(t *testing.T, c *harness.City) {
		behind(c, goodConf)
		harness.NoError(t, os.Chmod(filepath.Join(c.Dir, "gateway.password"), 0o644))
	}, `fail +broker .*gateway.password can be read by others`},
	"a certificate that has ended": {func(t *testing.T, c *harness.City) {
		ca := harness.NewAuthority(t, c.Dir)
		ca.Make("server",
			&x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(-time.Minute)},
			ca.Cert)
		withPasswords(c)
		c.Edit("gateway.yaml", "passwords: passwords}",
			"passwords: passwords, tls: {cert: server.crt, key: server.key}}")
	}, `fail +certificate .*has ended`},
	"a store below a file": {func(_ *testing.T, c *harness.City) {
		harness.AppendTo(c.T, filepath.Join(c.Dir, "gateway.yaml"),
			"store: {sqlite: {path: register.yaml/x/store.db}}\n")
	}, `fail +store .*register.yaml is a file, not a directory`},
	"a store that is a file": {func(_ *testing.T, c *harness.City) {
		harness.AppendTo(c.T, filepath.Join(c.Dir, "gateway.yaml"), "store: {sqlite: {path: policy}}\n")
	}, `fail +store .*policy is not a plain file`},
	"the listener's port is taken": {func(t *testing.T, c *harness.City) {
		occupied(t, c.Mqtt, http.NotFoundHandler())
	}, `fail +gateway .*could not listen: .*address already in use`},
	"open data at the admin address": {func(t *testing.T, c *harness.City) {
		addr := harness.FreeAddr(t)
		c.Edit("opendata.yaml", "http: 127.0.0.1:0", "http: "+addr)
		harness.NoError(t, os.MkdirAll(filepath.Join(c.Dir, "state/public"), 0o755))
		harness.Start(t, harness.Sluice, "opendata", "-c",
			filepath.Join(c.Dir, "opendata.yaml")).Find(`http=(http://\S+)`)
		c.Edit("gateway.yaml", "admin: 127.0.0.1:0", "admin: "+addr)
	}, `fail +gateway .*something else answers at the admin address`},
	"a directory that witnesses and is not there": {func(_ *testing.T, c *harness.City) {
		harness.AppendTo(c.T, filepath.Join(c.Dir, "gateway.yaml"), "witness: nowhere/books\n")
	}, `fail +witness .*is not there`},
	"a witness that is away": {func(t *testing.T, c *harness.City) {
		harness.AppendTo(c.T, filepath.Join(c.Dir, "gateway.yaml"), "witness: http://"+harness.FreeAddr(t)+"/books\n")
	}, `unreachable +witness .*connection refused`},
	"the ledger is gone": {func(_ *testing.T, c *harness.City) {
		harness.Write(c.T, filepath.Join(c.Dir, "state/public/releases.jsonl"), `{"n":1,"gateway":"test-1"}`+"\n")
	}, `fail +ledger .*and the public books beside it have lines`},
	"another gateway's books": {func(_ *testing.T, c *harness.City) {
		harness.Write(c.T, filepath.Join(c.Dir, "state/public/ledger.jsonl"),
			`{"n":1,"gateway":"edge-7","prev_sha256":""}`+"\n")
		harness.Write(c.T, filepath.Join(c.Dir, "state/ledger.db"), "")
	}, `warn +ledger .*are of gateway edge-7, and this is test-1`},
	"allow_anonymous true": {conf("allow_anonymous false", "allow_anonymous true"),
		`warn +broker doors .*the broker lets anyone connect`},
	"allow_anonymous and no acl": {conf("allow_anonymous false\npassword_file DIR/passwords\nacl_file DIR/acl",
		"allow_anonymous true"), `fail +broker doors .*lets anyone read and write`},
	"a second, open listener": {conf("listener 1883\n",
		"per_listener_settings true\nlistener 1999\nallow_anonymous true\nlistener 1883\n"),
		`fail +broker doors .*listener 1999 lets anyone read and write`},
	"max_packet_size": {conf("max_packet_size 1180000", "max_packet_size 300"),
		`warn +broker bounds .*max_packet_size is 300`},
	"max_queued_messages": {conf("max_queued_messages 1000000", "max_queued_messages 10"),
		`warn +broker bounds .*max_queued_messages is 10`},
	"connection_messages": {conf("connection_messages false\n", ""), `warn +broker log .*connection_messages`},
	"persistence true": {conf("persistence false", "persistence true"),
		`fail +broker persistence .*raw readings`},
	"log_type all": {conf("log_type error", "log_type all"),
		`fail +broker persistence .*writes topics to its log`},
	"the acl was not made again": {func(t *testing.T, c *harness.City) {
		behind(c, goodConf)
		entry("id: new-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01, topic: vendor/1")(t, c)
	}, `fail +broker access .*was made from another register`},
	"nor the broker's passwords": {func(t *testing.T, c *harness.City) {
		behind(c, goodConf)
		entry("id: new-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01")(t, c)
	}, `warn +passwords .*1 sensor has no password at the broker, so it cannot connect: new-1`},
}

// occupied has something else answer at an address.
func occupied(t *testing.T, addr string, h http.Handler) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	s.Start()
	t.Cleanup(s.Close)
}

// TestDoctor: each planted mistake is found, with a way to mend it, and of a city
// without mistakes doctor says nothing of the kind.
func TestDoctor(t *testing.T) {
	t.Parallel()
	sound := func(t *testing.T) *harness.City {
		c := harness.Found(t, harness.Small())
		for _, d := range []string{"gates", "devices"} {
			path := filepath.Join(c.Dir, "policy/decisions", d+".yaml")
			harness.Write(t, path, harness.WallClock(harness.Read(t, path)))
		}
		return c
	}
	seen := func(c *harness.City) string {
		args := []string{"doctor", "-c", filepath.Join(c.Dir, "gateway.yaml"), "--mosquitto",
			filepath.Join(c.Dir, "mosquitto.conf")}
		out, _ := exec.Command(harness.Sluice, args...).CombinedOutput()
		return regexp.MustCompile(`\n +-> `).ReplaceAllString(string(out), " -> ")
	}
	plain, listens, brokers := sound(t), sound(t), sound(t)
	withPasswords(listens)
	behind(brokers, goodConf)
	healthy := seen(plain) + seen(listens) + seen(brokers)
	if strings.Contains(healthy, "\nfail") {
		t.Errorf("of a sound city doctor says\n%s", healthy)
	}
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			says := regexp.MustCompile(`(?m)^` + m.says + `.* -> .+$`)
			if says.MatchString(healthy) {
				t.Errorf("it is said of a city without mistakes:\n%s", healthy)
			}
			c := sound(t)
			m.plant(t, c)
			if out := seen(c); !says.MatchString(out) {
				t.Errorf("doctor does not say %s\n%s", m.says, out)
			}
		})
	}
}
