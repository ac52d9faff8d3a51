package studio

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/policy/rego"
	"sluice/policy/workspace"
)

// TestServes goes through the listener: the printed address answers, a stranger's name for the same
// port does not, and at the end nobody listens.
func TestServes(t *testing.T) {
	dir := t.TempDir()
	if err := portalba.Policy().Write(dir); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Dir: dir, Addr: "127.0.0.1:0", Rules: rego.InProcess(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	get := func(address, host string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	if got, body := get(s.Address(), ""); got != 200 || !strings.Contains(body, "Footfall in the old town") {
		t.Errorf("the address is %d: %.300s", got, body)
	}
	for _, host := range []string{"evil.example", "127.0.0.1.evil.example", "[::1]:80"} {
		if got, body := get(s.Address(), host); got != http.StatusMisdirectedRequest ||
			strings.Contains(body, "Footfall") {
			t.Errorf("as %s it is %d: %.300s", host, got, body)
		}
	}
	for _, path := range []string{"draft/..%2f..%2f..%2fetc%2fpasswd", "static/..%2f..%2fgo.mod",
		"draft/%2e%2e%2fcharter"} {
		if got, body := get(s.Address()+path, ""); got != http.StatusNotFound || strings.Contains(body, "root:") {
			t.Errorf("%s is %d: %.300s", path, got, body)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := http.Get(s.Address()); err == nil {
		t.Error("it listens after its end")
	}
}

// TestOnlyThisMachine: an address that others could reach is refused, before anything is made.
func TestOnlyThisMachine(t *testing.T) {
	dir := t.TempDir()
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.org:0", "127.0.0.1", ""} {
		if s, err := Open(Options{Dir: dir, Addr: addr}); err == nil {
			t.Errorf("%q is listened to as %s", addr, s.Address())
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// TestWhatItChanges: beside a policy that was voted, each decision says whether it is as it was, and
// what it changes, for better or worse.
func TestWhatItChanges(t *testing.T) {
	s := open(t)
	d := workspace.Dir(s.o.Dir)
	key := filepath.Join(t.TempDir(), "anna")
	line, err := workspace.MakeKey(key, "anna")
	if err != nil {
		t.Fatal(err)
	}
	charter := regexp.MustCompile(`quorums: .*`).ReplaceAllString(s.onDisk(t, "charter.yaml"),
		"quorums: {enact: 1, weaken: 1, charter: 1, roster: 1, suspend: 1}")
	for name, raw := range map[string][]byte{"charter.yaml": []byte(charter),
		"council.yaml": workspace.Roster([]workspace.Member{{ID: "anna", Key: line}})} {
		if err := os.WriteFile(filepath.Join(s.o.Dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.FoundAlone("anna", key, t.TempDir(), s.o.Now()); err != nil {
		t.Fatal(err)
	}
	_, page := s.answer(s.request("GET", footfall, ""))
	shows(t, page, "as it was voted", "The decision is as it was voted")
	page = s.post(t, footfall, url.Values{"protect.min_units": {"20"}, "protect.epsilon": {"1"}})
	shows(t, page, `state changed`, `class="mark stronger"`)
	page = s.post(t, footfall, url.Values{"protect.max_contributions": {"3"}, "retain": {"P10Y"}, "do": {"save"}})
	shows(t, page, `class="mark (weaker|stronger|neutral)"`)
	_, page = s.answer(s.request("GET", "/", ""))
	shows(t, page, "changed", "as it was voted")
	s.begun(t, "2026-40", "cycling")
	_, page = s.answer(s.request("GET", "/draft/2026-40", ""))
	shows(t, page, `state new`)
}
