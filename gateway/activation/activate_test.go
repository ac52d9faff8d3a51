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
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/rego"
	"sluice/register"
)

// runs is an ingest that has the versions it was given, or refuses them.
type runs struct {
	digests []string
	from    []time.Time
	err     error
	first   func() // what happens before a version is taken
}

func (r *runs) Enact(_ context.Context, v ingest.Version, settle ingest.Settle) error {
	if r.first != nil {
		r.first()
	}
	if r.err != nil {
		return r.err
	}
	since, err := settle(monday.AddDate(0, 0, len(r.digests)))
	if err != nil {
		return err
	}
	r.digests, r.from = append(r.digests, v.Digest), append(r.from, since)
	return nil
}

func (r *runs) Renew(context.Context, ingest.Renewal) (bool, error) { return true, r.err }
func (r *runs) Admit(*register.Register, ingest.Listen)             {}
func (r *runs) Report() ingest.Report                               { return ingest.Report{} }

// edited is an editable policy in force, with its ledger, its ingest and its log.
func edited(t *testing.T) (p *Policies, l *ledger.Ledger, i *runs, log *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if l, err = ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"), "test-1", 1<<20); err != nil {
		t.Fatal(err)
	}
	rules := rego.NewChild(self, rulesVerb)
	t.Cleanup(func() { _, _ = rules.Close(), l.Close() })
	cfg := &config.Config{Gateway: "test-1", Dir: dir, Simulation: true,
		Policy: config.Policy{Dir: filepath.Join(dir, "policy")}}
	if err := portalba.Policy().Write(cfg.Policy.Dir); err != nil {
		t.Fatal(err)
	}
	reg := &register.Register{Sensors: []register.Sensor{{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"}}}
	log, i = new(bytes.Buffer), new(runs)
	p = New(cfg, l, rules, reg, func() {}, slog.New(slog.NewTextHandler(log, nil)))
	versions, err := p.Restore(t.Context(), "")
	if err != nil || len(versions) != 1 || versions[0].Digest == none {
		t.Fatalf("at the first start %+v, %v", versions, err)
	}
	p.Attach(i)
	return p, l, i, log
}

// edit changes the charter by a comment, or takes the file away.
func edit(t *testing.T, p *Policies, text string) {
	t.Helper()
	path := filepath.Join(p.cfg.Policy.Dir, "charter.yaml")
	raw := append([]byte("# "+text+"\n"), portalba.Policy()["charter.yaml"]...)
	if text == "" {
		raw = []byte("city: [\n")
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

// kept are the digests that the ledger has.
func kept(t *testing.T, l *ledger.Ledger) (digests []string) {
	t.Helper()
	list, err := l.Policies.Versions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		digests = append(digests, v.Digest)
	}
	return digests
}

// TestTheWayIntoForce: a directory that is saved is taken by ingest, kept by the ledger and
// then seen, and a view that somebody has does not change meanwhile.
func TestTheWayIntoForce(t *testing.T) {
	p, l, i, _ := edited(t)
	d := &directory{p: p}
	before := p.View()
	first := before.Current.Digest
	if err := d.reload(t.Context()); err != nil || p.View() != before {
		t.Errorf("a directory that is in force is taken again: %v", err)
	}
	edit(t, p, "another")
	if err := d.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := p.View()
	if now.Current.Digest == first || now.Latest != now.Current || now.Versions != 2 || len(now.Sets) != 2 ||
		now.Problem != nil {
		t.Errorf("then there are %d versions, %d sets, %v", now.Versions, len(now.Sets), now.Problem)
	}
	if before.Current.Digest != first || before.Versions != 1 || len(before.Sets) != 1 || len(before.Idle) != 1 {
		t.Errorf("the view of before has changed: %+v", before)
	}
	if got := kept(t, l); len(got) != 2 || got[1] != now.Current.Digest || len(i.digests) != 1 ||
		i.digests[0] != got[1] {
		t.Errorf("the ledger has %v, ingest %v", got, i.digests)
	}
	if len(now.Cells()) == 0 || now.Location() != now.Latest.Location {
		t.Error("its cells or its place are not known")
	}
}

// TestWhatStopsOnTheWay: what ingest does not take, or the ledger cannot keep, is not in
// force, and is not seen.
func TestWhatStopsOnTheWay(t *testing.T) {
	p, l, i, _ := edited(t)
	d := &directory{p: p}
	first := p.View().Current.Digest
	i.err = errors.New("no")
	edit(t, p, "another")
	if err := d.reload(t.Context()); !errors.Is(err, i.err) || p.View().Current.Digest != first ||
		len(kept(t, l)) != 1 {
		t.Errorf("ingest refuses it: %v, %v", err, kept(t, l))
	}
	i.err = nil
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.reload(t.Context()); err == nil || p.View().Current.Digest != first || len(i.digests) != 0 {
		t.Errorf("the ledger is closed: %v, ingest has %v", err, i.digests)
	}
}

// TestABrokenDirectory: it is said once and counted, and the policy in force goes on; one
// that is gone lets nothing flow.
func TestABrokenDirectory(t *testing.T) {
	p, l, i, log := edited(t)
	d := &directory{p: p}
	first := p.View().Current
	edit(t, p, "")
	for range 2 {
		d.setProblem(d.reload(t.Context()))
	}
	v := p.View()
	if v.Current != first || v.Problem == nil || len(v.Refused) != 1 || v.Refused[rego.CodeOf(v.Problem)] != 1 {
		t.Errorf("refused %v, %v", v.Refused, v.Problem)
	}
	if n := strings.Count(log.String(), "cannot be used; the policy in force goes on"); n != 1 {
		t.Errorf("it is said %d times:\n%s", n, log)
	}
	if err := os.RemoveAll(p.cfg.Policy.Dir); err != nil {
		t.Fatal(err)
	}
	d.setProblem(d.reload(t.Context()))
	v = p.View()
	if v.Running() || v.Latest != first || rego.CodeOf(v.Problem) != rego.NoPolicy {
		t.Errorf("it is gone, and %v runs, %v", v.Current, v.Problem)
	}
	if n := strings.Count(log.String(), "there is no policy in force, so nothing flows"); n != 1 ||
		strings.Contains(log.String(), "no policy yet") {
		t.Errorf("it was there and is gone, which is said %d times as an error:\n%s", n, log)
	}
	if got := kept(t, l); len(got) != 2 || got[1] != none || len(i.digests) != 1 || i.digests[0] != none {
		t.Errorf("the ledger has %v, ingest %v", got, i.digests)
	}
}

// TestSignedAndUnsigned: a state directory has one sort of policies.
func TestSignedAndUnsigned(t *testing.T) {
	signed, unsigned := ledger.Version{Digest: "a", Motion: []byte("m")}, ledger.Version{Digest: "b"}
	for _, c := range []struct {
		known   []ledger.Version
		signed  bool
		refused bool
	}{
		{[]ledger.Version{signed}, true, false},
		{[]ledger.Version{unsigned}, false, false},
		{[]ledger.Version{{Digest: none}}, true, false},
		{[]ledger.Version{signed}, false, true},
		{[]ledger.Version{unsigned}, true, true},
	} {
		if err := checkSignedness(c.known, c.signed); (err != nil) != c.refused {
			t.Errorf("%+v where motions are taken (%v): %v", c.known, c.signed, err)
		}
	}
}
