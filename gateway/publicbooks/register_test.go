package publicbooks

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/configs/portalba"
	"sluice/gateway/activation"
	"sluice/gateway/homes"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/compile"
	"sluice/policy/rego"
	"sluice/register"
)

// lister is the book of a register under a policy.
func lister(t *testing.T, entries string) (*registerBook, activation.View) {
	t.Helper()
	reg, err := register.Parse("r", []byte("sensors:\n"+entries))
	if err != nil {
		t.Fatal(err)
	}
	set, err := compile.Files(t.Context(), rego.InProcess(), portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	housed, err := homes.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := &registerBook{files: newFiles(ledger.Files{}, books.Dir(dir), slog.New(slog.DiscardHandler)), housed: housed}
	return b, activation.View{Latest: set, Current: set, Register: reg}
}

// TestWhatOfAnEntryIsPublic: a topic of a vendor's own, and pointers into its
// messages, may hold a secret or a name; neither is in the public book.
func TestWhatOfAnEntryIsPublic(t *testing.T) {
	b, v := lister(t, "  - {id: b, owner: o, kind: noise-meter, zone: rambla, registered: 2026-01-01, topic: "+
		"device/sck/secret/anna, map: {laeq: /devices/anna/level}, contact: \"<b>\"}\n"+
		"  - {id: a, owner: o, kind: noise-meter, zone: rambla, registered: 2026-01-01}\n")
	if err := b.write(t.Context(), &v, nil, nil); err != nil {
		t.Fatal(err)
	}
	raw, err := b.files.public.Get("register.json")
	if err != nil || strings.Contains(string(raw), "anna") || strings.Contains(string(raw), "secret") {
		t.Errorf("%v: %s", err, raw)
	}
	reg, err := books.Reader{Source: b.files.public}.Register()
	if err != nil || len(reg.Sensors) != 2 || reg.Sensors[0].ID != "a" || reg.Sensors[0].Topic != "city/v1/o/a/up" ||
		reg.Sensors[1].Topic != "" || len(reg.Sensors[1].Map) != 0 || reg.Sensors[1].Contact != "<b>" {
		t.Errorf("%v: %+v", err, reg)
	}
	if len(reg.Sensors[0].Fields) == 0 || reg.Homes == nil || reg.Unknown == nil {
		t.Errorf("%+v", reg)
	}
}

// TestTheRegisterIsWrittenOnChange: its book is written when register, policy or
// lives are others, and for lives alone no more often than it may.
func TestTheRegisterIsWrittenOnChange(t *testing.T) {
	b, v := lister(t, "  - {id: a, owner: o, kind: noise-meter, zone: rambla, registered: 2026-01-01}\n")
	path := string(b.files.public) + "/register.json"
	lives := func(l ingest.Life) *ingest.Lives { return &ingest.Lives{Register: v.Register, Of: []ingest.Life{l}} }
	wrote := func(ctx context.Context, running bool, l *ingest.Lives) bool {
		t.Helper()
		before, _ := os.Stat(path) // none at first
		view := v
		if !running {
			view.Current = nil
		}
		if err := b.write(ctx, &view, nil, l); err != nil {
			t.Fatal(err)
		}
		after, err := os.Stat(path)
		return err == nil && (before == nil || !os.SameFile(before, after))
	}
	living, silent := lives(ingest.Living), lives(ingest.Silent)
	if !wrote(t.Context(), true, living) {
		t.Error("nothing is written at first")
	}
	if wrote(t.Context(), true, living) {
		t.Error("it is written although nothing has changed")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !wrote(t.Context(), true, living) {
		t.Error("it is not written again when it was removed")
	}
	if !wrote(t.Context(), false, living) {
		t.Error("a policy that was taken away is not written")
	}
	b.listing.until = time.Now().Add(time.Hour)
	if wrote(t.Context(), false, silent) {
		t.Error("lives alone are written before their time")
	}
	if !wrote(context.WithoutCancel(t.Context()), false, silent) {
		t.Error("lives are not written at the end")
	}
	b.listing.until = time.Now()
	if !wrote(t.Context(), false, living) {
		t.Error("lives are not written when their time has come")
	}
	if raw, err := os.ReadFile(path); err != nil || !strings.Contains(string(raw), `"alive":true`) {
		t.Errorf("%v: %s", err, raw)
	}
	b.listing.until = time.Now().Add(time.Hour)
	if v.Versions++; !wrote(t.Context(), false, living) {
		t.Error("a new version is not written")
	}
	other := *v.Register
	if v.Register = &other; !wrote(t.Context(), false, living) {
		t.Error("a new register is not written")
	}
	if raw, err := os.ReadFile(path); err != nil || !strings.Contains(string(raw), `"alive":null`) {
		t.Errorf("another register's lives are taken for this one's: %v: %s", err, raw)
	}
}
