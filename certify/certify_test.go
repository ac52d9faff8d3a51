package certify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"sluice/certify/bench"
	"sluice/certify/report"
	"sluice/gateway"
	"sluice/policy/rego"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == gateway.RulesVerb { // the bench's gateway runs this very binary
		if rego.Serve(os.Stdin, os.Stdout) != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const kinds = "kinds:\n  ear:\n    heartbeat: PT1S\n    fields: [{name: laeq, type: float, class: measurement}]\n" +
	"  mute:\n    fields: [{name: laeq, type: float, class: measurement}]\n"

// certify runs all checks on a device.
func certify(t *testing.T, d *device, change func(*Options)) *report.Report {
	t.Helper()
	o := Options{
		Sensor: bench.Sensor{ID: "ear-1", Owner: "acme", Kind: "ear"}, File: "kinds.yaml", Kinds: []byte(kinds),
		Device: "Acme Ear", Program: "test", Listen: "127.0.0.1:0", Outage: time.Second, Patience: 30 * time.Second,
		Deadline: 2 * time.Minute, Hand: d, Progress: func(string) {},
		Show: func(c report.Check) { t.Log(strings.TrimSpace(c.Text())) },
	}
	if change != nil {
		change(&o)
	}
	defer d.off()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := r.File()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"CANARY", "61.5", d.entry.Password} {
		if secret != "" && strings.Contains(string(raw)+r.Text(), secret) {
			t.Errorf("the report has %q", secret)
		}
	}
	return r
}

// want is what the checks that are named must come to, as NAME=pass, fail or untried; all others pass.
func want(t *testing.T, r *report.Report, list string) {
	t.Helper()
	odd := map[string]report.Result{}
	for _, pair := range strings.Fields(list) {
		name, result, _ := strings.Cut(pair, "=")
		odd[name] = map[string]report.Result{"fail": report.Fail, "untried": report.Untried}[result]
	}
	for _, c := range r.Checks {
		wanted, is := odd[c.Check]
		if !is {
			wanted = report.Pass
		}
		if c.Result != wanted {
			t.Errorf("%s: %s, want %s: %s", c.Check, c.Result, wanted, c.Text())
		}
	}
}

// TestDevices: a good device passes, and each fault fails the check that is for it, and no other.
func TestDevices(t *testing.T) {
	t.Parallel()
	own, roots := certificate(t)
	secure := func(o *Options) { o.TLS = own }
	speaks := func(o *Options) {
		secure(o)
		o.Web = true
		o.Sensor.Preset, o.Sensor.Profile, o.Sensor.Device = "ear", "level", "ear/7"
		o.Sensor.Files = map[string][]byte{
			"ear.yaml": []byte("preset: ear\ntopics:\n  - {pattern: \"ears/{device}/{device}/up\", type: reading}\n" +
				"  - {pattern: \"ears/{device}/{device}/alive\", type: heartbeat, every: PT1M, " +
				"when: {pointer: /state, is: [online]}}\n" +
				"format: json\nts: [{pointer: /at, as: rfc3339}]\nseq: /n\nboot: /start\nroot: /v\n"),
			"level.yaml": []byte("profile: level\nfields: {laeq: {pointer: /level, number: text}}\n"),
		}
		o.Sensor.Kind = "mute"
	}
	soon := func(o *Options) { o.Patience = 5 * time.Second } // what never comes is waited for
	for _, c := range []struct {
		name   string
		faults faults
		want   string
		change func(*Options)
	}{
		{"good", faults{}, "", secure},
		{"good without boot, and without the flag", faults{noBoot: true, unmarked: true}, "tls=untried", nil},
		{"good in CBOR", faults{binary: true}, "tls=untried", nil},
		{"good in a preset, by WebSocket", faults{wrapped: true, web: true}, "declared=untried", speaks},
		{"sloppy in a preset", faults{wrapped: true, web: true, forgets: true, elsewhere: true, silent: true},
			"declared=untried retransmission=fail backlog=fail", func(o *Options) {
				speaks(o)
				soon(o)
			}},
		{"sloppy", faults{text: true, extra: true, elsewhere: true, silent: true, trusting: true, ahead: time.Hour},
			"malformed=fail declared=fail identity=fail heartbeat=fail tls=fail clock=fail", func(o *Options) {
				secure(o)
				soon(o)
			}},
		{"forgetful", faults{forgets: true, sameBoot: true, zone: true},
			"retransmission=fail backlog=fail reset=fail clock=fail tls=untried", soon},
		{"careless", faults{noAcks: true, noTime: true, oddBeats: true},
			"retransmission=fail backlog=fail clock=fail heartbeat=fail tls=untried", soon},
		{"without seq and flag, and dead after a restart", faults{noSeq: true, unmarked: true, unreliable: true},
			"retransmission=fail reset=untried heartbeat=untried tls=untried", soon},
		{"hasty", faults{busy: true}, "backlog=fail tls=untried", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && c.faults != (faults{}) {
				t.Skip("what never comes is waited for")
			}
			want(t, certify(t, &device{faults: c.faults, roots: roots}, c.change), c.want)
		})
	}
}

// TestStranger: who comes with another user fails, and nothing else was tried; who does not come at all
// is not tried.
func TestStranger(t *testing.T) {
	t.Parallel()
	const others = " retransmission=untried clock=untried backlog=untried reset=untried malformed=untried " +
		"declared=untried heartbeat=untried tls=untried"
	soon := func(o *Options) { o.Deadline = 3 * time.Second }
	want(t, certify(t, &device{faults: faults{stranger: true}}, soon), "identity=fail"+others)
	want(t, certify(t, &device{}, func(o *Options) {
		soon(o)
		o.Hand = Person{Out: &strings.Builder{}}
	}), "identity=untried"+others)
}

// certificate is one for bench.example with its authority.
func certificate(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"bench.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, roots
}
