package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/config"
)

// TestDoctorWaitsForAStart: right after a start there is only intake, which is not ready.
// Doctor asks again, and says what it is then.
func TestDoctorWaitsForAStart(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 4 {
			fmt.Fprint(w, `{"ready":false,"checks":{"intake":{"ok":false,"hint":"the gateway starts"}}}`)
			return
		}
		fmt.Fprint(w, `{"ready":true,"checks":{"intake":{"ok":true},"policy":{"ok":true}}}`)
	}))
	defer server.Close()
	d := &process{new(findings), &config.Config{Admin: strings.TrimPrefix(server.URL, "http://")}}
	d.running(t.Context())
	if len(d.list) != 1 || d.list[0].Verdict != Fine || asked != 4 {
		t.Errorf("asked %d times, doctor says %+v", asked, d.list)
	}
}

// TestAdminElsewhere: an admin address that others reach is a warning.
func TestAdminElsewhere(t *testing.T) {
	for addr, open := range map[string]bool{"127.0.0.1:0": false, "[::1]:0": false, "localhost:0": false,
		"0.0.0.0:0": true, ":0": true} {
		d := &machine{new(findings), &config.Config{Admin: addr}}
		d.admin()
		if f := d.list[0]; (f.Verdict == Warn) != open || open && f.Hint == "" {
			t.Errorf("%s: doctor says %+v", addr, f)
		}
	}
}

// TestTheMachine: what is wrong with a state directory, a store and keys is found, each
// with what to do.
func TestTheMachine(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	public := filepath.Join(dir, "public")
	line := "{\"n\":1,\"prev_sha256\":\"\",\"gateway\":\"edge-9\"}\n"
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(public, 0o755),
		os.WriteFile(filepath.Join(public, "ledger.jsonl"), []byte(line), 0o644)); err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{Gateway: "edge-1", Dir: dir, Keys: dir, Witness: filepath.Join(dir, "none")}
	cfg.Store.SQLite = &config.SQLite{Path: filepath.Join(file, "store.db")}
	m := &machine{new(findings), cfg}
	m.store(t.Context())
	m.ledger(t.Context())
	m.witness(t.Context())
	if err := os.WriteFile(filepath.Join(dir, "ledger.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m.renamed()
	for n, want := range []struct {
		verdict Verdict
		found   string
	}{
		{Fail, "is a file, not a directory"},
		{Fail, "there is no " + filepath.Join(dir, "ledger.db")},
		{Fail, "is not there"},
		{Warn, "are of gateway edge-9, and this is edge-1"},
	} {
		if n >= len(m.list) || m.list[n].Verdict != want.verdict || !strings.Contains(m.list[n].Found, want.found) ||
			m.list[n].Hint == "" {
			t.Errorf("%d: want %q; doctor says %+v", n, want.found, m.list)
		}
	}
}

// TestTheBroker: what its configuration keeps on disk, writes into its log, or lets in.
func TestTheBroker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mosquitto.conf")
	for text, want := range map[string]string{
		"persistence true\n":         "writes raw readings to its disk",
		"log_type all\n":             "writes topics to its log",
		"max_inflight_messages 20\n": "slows the gateway down",
		"max_inflight_messages 1000\nmax_packet_size 1000\n":    "whoever sends a longer message is disconnected",
		"max_inflight_messages 1000\nmax_queued_messages 100\n": "is lost beyond that",
		"max_inflight_messages 1000\nallow_anonymous true\n":    "lets anyone read and write",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := &sources{new(findings), &config.Config{MQTT: &config.MQTT{Broker: "tcp://127.0.0.1:1883"}}, nil}
		s.persistence(path)
		if !slices.ContainsFunc(s.list, func(f Finding) bool {
			return f.Verdict != Fine && strings.Contains(f.Found, want) && f.Hint != ""
		}) {
			t.Errorf("%q: want %q; doctor says %+v", text, want, s.list)
		}
	}
}

// TestBucketRetention: a bucket that loses numbers too early is wrong; one that cannot lose them
// in time is said, with what to do.
func TestBucketRetention(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for name, c := range map[string]struct {
		decisions []string
		bucket    time.Duration
		want      Verdict
		say       string
	}{
		"as decided":           {[]string{"P2Y", "P2Y"}, 2*year + 3*24*time.Hour, Fine, "as the decisions do"},
		"too early":            {[]string{"P2Y"}, year, Fail, "17592h"},
		"a little too early":   {[]string{"P2Y"}, 2 * year, Fail, "17592h"},
		"some for ever":        {[]string{"P2Y", "forever"}, 9 * year, Fail, "no end"},
		"not said is for ever": {[]string{"P2Y", "''"}, 9 * year, Fail, "no end"},
		"never":                {[]string{"P2Y"}, 0, Warn, "17592h"},
		"much too late":        {[]string{"P2Y"}, 4 * year, Warn, "17592h"},
		"two times":            {[]string{"P2Y", "P5Y"}, 5*year + 7*24*time.Hour, Warn, "SQLite"},
		"hours and days":       {[]string{"{hours: P2Y, days: forever}", "{days: forever}"}, 0, Warn, "SQLite"},
	} {
		var list []books.Decision
		for _, retain := range c.decisions {
			list = append(list, books.Decision{YAML: "retain: " + retain + "\n"})
		}
		dir := books.Dir(t.TempDir())
		enter := func(w io.Writer) error { return json.NewEncoder(w).Encode(list) }
		if err := dir.Write("decisions.json", enter); err != nil {
			t.Fatal(err)
		}
		longest, shortest, err := terms(books.Reader{Source: dir})
		if err != nil {
			t.Fatal(err)
		}
		d := &machine{new(findings), nil}
		d.compare(c.bucket, longest, shortest)
		if f := d.list[0]; f.Verdict != c.want || !strings.Contains(f.Found+f.Hint, c.say) {
			t.Errorf("%s: doctor says %+v; want %s, with %q", name, f, c.want, c.say)
		}
	}
}
