package activation

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/gateway/config"
	"sluice/gateway/inbox"
	"sluice/gateway/ledger"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/rego"
	"sluice/register"
)

// signed is a gateway that takes motions and has none yet.
func signed(t *testing.T) (m *motions, i *runs, log *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	l, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"), "test-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	rules := rego.NewChild(self, rulesVerb)
	t.Cleanup(func() { _, _ = rules.Close(), l.Close() })
	cfg := &config.Config{Gateway: "test-1", Dir: dir, Policy: config.Policy{Inbox: filepath.Join(dir, "inbox")}}
	log, i = new(bytes.Buffer), new(runs)
	p := New(cfg, l, rules, new(register.Register), func() {}, slog.New(slog.NewTextHandler(log, nil)))
	versions, err := p.Restore(t.Context(), "")
	if err != nil || len(versions) != 1 || versions[0].Digest != none ||
		rego.CodeOf(p.View().Problem) != rego.NoPolicy {
		t.Fatalf("at the first start %+v, %v, %v", versions, err, p.View().Problem)
	}
	p.Attach(i)
	m, ok := p.source.(*motions)
	if !ok {
		t.Fatal("a gateway with an inbox takes no motions")
	}
	return m, i, log
}

// enacted is a motion as if it had been verified.
func enacted(t *testing.T, id string, version int) *council.Enacted {
	t.Helper()
	p, err := bundle.Read(portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	e := &council.Enacted{Policy: p, Hash: "hash of " + id, Text: []byte("text of " + id)}
	e.ID, e.Version = id, version
	return e
}

// TestAMotionComesIntoForce: it goes the way of a directory, and beside that the chain goes
// on from it, the ledger keeps its file, it is laid out, and one that waited is void.
func TestAMotionComesIntoForce(t *testing.T) {
	m, i, log := signed(t)
	waiting, e := enacted(t, "founding", 1), enacted(t, "m2", 2)
	m.announce(t.Context(), waiting)
	if coming := m.p.View().Coming; coming == nil || coming.Motion != waiting || m.p.View().Running() {
		t.Fatalf("a motion that waits: %+v", coming)
	}
	if err := m.p.View().Problem; err == nil || !strings.Contains(err.Error(), FirstWaits) {
		t.Errorf("meanwhile %v", err)
	}
	if err := m.p.activate(t.Context(), candidate{motion: e, raw: []byte("file of m2")}); err != nil {
		t.Fatal(err)
	}
	v := m.p.View()
	if v.Enacted != e || v.Coming != nil || v.Versions != 2 || v.Problem != nil ||
		v.Current.Digest != e.Policy.Files.Digest() {
		t.Errorf("%d versions, %+v comes, %v", v.Versions, v.Coming, v.Problem)
	}
	if !strings.Contains(log.String(), "a motion that waited for its time is void") {
		t.Errorf("the log says\n%s", log)
	}
	if m.p.chain.last != e || !m.p.chain.taken[council.Sum([]byte("file of m2"))] {
		t.Error("the chain does not go on from it")
	}
	list, err := m.p.ledger.Policies.Versions(t.Context())
	if err != nil || len(list) != 1 || string(list[0].Motion) != "file of m2" || list[0].Digest != v.Current.Digest ||
		len(i.digests) != 1 {
		t.Errorf("the ledger has %+v, %v", list, err)
	}
	for name, want := range map[string]string{"current": "2\n", "2/" + council.TextName: "text of m2"} {
		if raw, err := os.ReadFile(filepath.Join(m.p.cfg.Dir, "policy", name)); err != nil || string(raw) != want {
			t.Errorf("%s is %q, %v", name, raw, err)
		}
	}
}

// TestAMotionThatIngestRefuses: nothing of it is seen, kept, or followed.
func TestAMotionThatIngestRefuses(t *testing.T) {
	m, i, _ := signed(t)
	i.err = errors.New("no")
	err := m.p.activate(t.Context(), candidate{motion: enacted(t, "m", 1), raw: []byte("file")})
	if list, _ := m.p.ledger.Policies.Versions(t.Context()); !errors.Is(err, i.err) || len(list) != 0 ||
		m.p.chain.last != nil ||
		m.p.View().Enacted != nil {
		t.Errorf("%v, and the ledger has %+v", err, list)
	}
}

// TestAMotionForOthers: the chain goes on from it, and the policy here stays as it is.
func TestAMotionForOthers(t *testing.T) {
	m, i, _ := signed(t)
	e := enacted(t, "theirs", 1)
	if err := m.follow(t.Context(), e, []byte("file")); err != nil {
		t.Fatal(err)
	}
	list, err := m.p.ledger.Policies.Versions(t.Context())
	if err != nil || len(list) != 1 || list[0].Digest != elsewhere || m.p.chain.last != e || m.p.View().Running() ||
		len(i.digests) != 0 {
		t.Errorf("the ledger has %+v, %v", list, err)
	}
}

// TestRubbishInTheInbox: it is refused once, counted once, and changes nothing.
func TestRubbishInTheInbox(t *testing.T) {
	m, _, log := signed(t)
	for range 2 {
		verdict, gap := m.judge(context.Background(),
			motionFile{File: inbox.File{Name: "x.motion", Raw: []byte("rubbish")}, sum: "s"})
		if verdict != inbox.Settled || gap != nil {
			t.Errorf("the verdict is %v", verdict)
		}
	}
	total := 0
	for _, n := range m.p.View().Refused {
		total += n
	}
	if n := strings.Count(log.String(), "a motion is refused"); n != 1 || total != 1 || m.p.View().Running() {
		t.Errorf("it is said %d times, counted %d times", n, total)
	}
	if err := m.p.View().Problem; err == nil || !strings.Contains(err.Error(), "the last that came was refused") {
		t.Errorf("what is wrong: %v", err)
	}
	if now := m.now(); time.Since(now).Abs() > time.Minute {
		t.Errorf("motions are judged by %s", now)
	}
}
