package publicbooks

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/configs/portalba"
	"sluice/gateway/activation"
	"sluice/gateway/config"
	"sluice/gateway/homes"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/gateway/release"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/rego"
	"sluice/register"
)

// unwritten are the books of a city before its first policy, and the policy of the example city.
func unwritten(t *testing.T) (w *Writer, v *activation.View, set *compile.Set, trusted *bool, log *bytes.Buffer) {
	t.Helper()
	set, err := compile.Files(t.Context(), rego.InProcess(), portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	housed, err := homes.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"), "edge-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	at := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	key := release.Key{Stream: "noise", Start: at}
	c := release.Commit{Key: key, End: at.Add(time.Hour), Policy: "p", Plan: "q"}
	if err := l.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	v = &activation.View{Register: &register.Register{}}
	trusted, log = new(bool), new(bytes.Buffer)
	w = New(Sources{
		Config: &config.Config{Gateway: "edge-1"}, Ledger: l, Public: books.Dir(filepath.Join(dir, "public")),
		Housed: housed, Fresh: true,
		Trusted: func() bool { return *trusted }, View: func() *activation.View { return v },
		Report: func() ingest.Report { return ingest.Report{Now: at.Add(time.Hour)} },
	}, slog.New(slog.NewTextHandler(log, nil)))
	if err := w.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err := (books.Reader{Source: w.files.public}).City(); err != nil || c.Silence != "no_policy" ||
		c.Policy != "" {
		t.Errorf("before any policy the city is %+v, %v", c, err)
	}
	return w, v, set, trusted, log
}

// written are the books of the example city, which has released one window.
func written(t *testing.T) (w *Writer, v *activation.View, trusted *bool, log *bytes.Buffer) {
	t.Helper()
	w, v, set, trusted, log := unwritten(t)
	*v = activation.View{Register: v.Register, Current: set, Latest: set, Versions: 1,
		Sets: map[string]*compile.Set{set.Digest: set}}
	if err := w.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, v, trusted, log
}

// TestTheFirstMotionIsAnnounced: before its time has come the books say whose they are and what is to come.
func TestTheFirstMotionIsAnnounced(t *testing.T) {
	w, v, set, _, _ := unwritten(t)
	day := time.Date(2027, 6, 1, 0, 0, 0, 0, set.Location)
	motion := &council.Enacted{Policy: set.Policy, Text: []byte("text"), Signers: []byte("signers")}
	motion.Packed = []byte("bundle")
	motion.ID, motion.Version, motion.City, motion.NotBefore = "first", 1, "portalba", day
	*v = activation.View{Register: v.Register, Coming: &activation.Announced{Set: set, Motion: motion}}
	if err := w.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := books.Reader{Source: w.files.public}
	if c, err := r.City(); err != nil || c.ID != "portalba" || c.Silence != "no_policy" || c.Policy != "" {
		t.Errorf("the city is %+v, %v", c, err)
	}
	list, err := r.Decisions()
	if err != nil || len(list) != len(set.Decisions) {
		t.Errorf("%d decisions, %v", len(list), err)
	}
	for _, d := range list {
		if d.State != books.Coming || d.Since < "2027-06-01" || d.Motion != "first" || len(d.Explain) != 3 {
			t.Errorf("%s is %s since %q, of motion %q", d.ID, d.State, d.Since, d.Motion)
		}
	}
	if _, err := w.files.public.Get("zones.geojson"); err != nil {
		t.Error(err)
	}
}

// TestWhatIsWritten: the books have the city, its decisions with their words, and each plan;
// those that grow come when the state directory is known to be the latest.
func TestWhatIsWritten(t *testing.T) {
	w, v, trusted, _ := written(t)
	r := books.Reader{Source: w.files.public}
	if c, err := r.City(); err != nil || c.ID != "portalba" || c.Policy != v.Latest.Digest ||
		c.Charter != council.Sum(v.Latest.Files["charter.yaml"]) {
		t.Errorf("the city is %+v, %v", c, err)
	}
	decisions, err := r.Decisions()
	if err != nil || len(decisions) != len(v.Latest.Decisions) {
		t.Errorf("%d decisions, %v", len(decisions), err)
	}
	for _, d := range decisions {
		if d.State == "" || len(d.Explain) != 3 || d.YAML == "" {
			t.Errorf("%s is %q, with %d explanations", d.ID, d.State, len(d.Explain))
		}
	}
	for _, s := range v.Latest.Streams {
		if raw, err := w.files.public.Get("plans/" + s.Digest + ".json"); err != nil || books.Sum(raw) != s.Digest {
			t.Errorf("the plan of %s: %v", s.ID, err)
		}
	}
	lines := filepath.Join(string(w.files.public), "releases.jsonl")
	if _, err := os.Stat(lines); err == nil {
		t.Error("growing books are written before the state directory is trusted")
	}
	*trusted = true
	if err := w.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(lines); err != nil || strings.Count(string(raw), "\n") != 1 {
		t.Errorf("then they are %q, %v", raw, err)
	}
}

// TestWhatOthersWrite: what somebody has changed, or taken away, is written again, and said
// in one line.
func TestWhatOthersWrite(t *testing.T) {
	w, _, trusted, log := written(t)
	*trusted = true
	if err := w.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
	was := map[string][]byte{}
	for _, name := range []string{"city.json", "decisions.json", "decisions/2026-16/decision.yaml", "releases.jsonl"} {
		raw, err := w.files.public.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		was[name] = raw
		path := filepath.Join(string(w.files.public), name)
		if name == "city.json" {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, []byte("{}\n"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	log.Reset()
	for range 2 {
		if err := w.Write(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for name, raw := range was {
		if now, err := w.files.public.Get(name); err != nil || !bytes.Equal(now, raw) {
			t.Errorf("%s is %q, %v", name, now, err)
		}
	}
	if n := strings.Count(log.String(), "were written anew"); n != 1 || !strings.Contains(log.String(), "count=4") {
		t.Errorf("it says %d times\n%s", n, log)
	}
}

// TestPolicyTakenAway: without a policy in force its decisions are suspended, and the
// register stays.
func TestPolicyTakenAway(t *testing.T) {
	w, v, _, _ := written(t)
	v.Current = nil
	if err := w.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := books.Reader{Source: w.files.public}
	if c, err := r.City(); err != nil || c.Silence != "policy_taken_away" {
		t.Errorf("the city is %+v, %v", c, err)
	}
	decisions, err := r.Decisions()
	for _, d := range decisions {
		if d.State != books.Suspended || d.By != books.ByPolicy {
			t.Errorf("%s is %s by %q", d.ID, d.State, d.By)
		}
	}
	if err != nil || len(decisions) == 0 {
		t.Errorf("%d decisions, %v", len(decisions), err)
	}
}
