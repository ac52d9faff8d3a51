package retention

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // a machine may have none

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/test/entered"
)

var (
	madrid, _ = time.LoadLocation("Europe/Madrid")
	june      = time.Date(2026, 6, 1, 0, 0, 0, 0, madrid)
)

// town is a gateway that has released ten days: hours of the stream s under decision 1, and
// days of the stream s-days under decision 2.
type town struct {
	*Remover
	at   time.Time // the gateway's clock
	kept *sqlite.Store
	log  bytes.Buffer
}

func newTown(t *testing.T, hours, days string) *town {
	t.Helper()
	dir := t.TempDir()
	w := &town{at: june.AddDate(0, 0, 10)}
	l, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"), "edge-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if w.kept, err = sqlite.Open(t.Context(), filepath.Join(dir, "store.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.kept.Close() })
	w.Remover = New(l, w.kept, Gateway{Trusted: func() bool { return true }, Now: func() time.Time { return w.at },
		Policy: func() string { return "p" }, Changed: func() {}}, 0, slog.New(slog.NewTextHandler(&w.log, nil)))
	var rows []store.Observation
	for day := range 10 {
		start := june.AddDate(0, 0, day)
		rows = append(rows, row("s-days", "2", "P1D", start, start.AddDate(0, 0, 1)))
		for h := range 24 {
			at := start.Add(time.Duration(h) * time.Hour)
			rows = append(rows, row("s", "1", "PT1H", at, at.Add(time.Hour)))
		}
	}
	public := books.Dir(filepath.Join(dir, "public"))
	if err := entered.Enter(public, rows); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Recovery.Import(t.Context(), books.Reader{Source: public}); err != nil {
		t.Fatal(err)
	}
	if err := w.kept.Write(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	w.plan(t, "s", "1", "PT1H")
	w.plan(t, "s-days", "2", "P1D")
	w.decide(t, hours, days)
	return w
}

func row(stream, decision, every string, start, end time.Time) store.Observation {
	v := 1.0
	return store.Observation{Gateway: "edge-1", Stream: stream, Start: start.UTC(), End: end.UTC(), Every: every,
		Cell: "plaza", Zone: "plaza", Measure: "m", Status: store.Published, Value: &v, Low: &v, High: &v,
		Decision: decision, Policy: "p"}
}

// plan keeps what a decision meant, in the time of its windows.
func (w *town) plan(t *testing.T, stream, decision, every string) {
	t.Helper()
	s := plan.Stream{ID: stream, Decision: decision, Timezone: "Europe/Madrid", Every: civil.MustPeriod(every),
		From: june.UTC(), Until: june.AddDate(0, 0, 10).UTC()}
	w.put(t, "plans/"+stream+".json", s)
}

func (w *town) put(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.ledger.Files.Put(t.Context(), name, raw); err != nil {
		t.Fatal(err)
	}
}

// decide has the books say what the decisions say of their numbers.
func (w *town) decide(t *testing.T, hours, days string) {
	t.Helper()
	w.put(t, "decisions.json", []books.Decision{{ID: "1", YAML: "decision: \"1\"\n" + hours},
		{ID: "2", State: books.Past, YAML: "decision: \"2\"\n" + days}})
}

// look looks once to enter what is over and once more to remove it, and returns the lines that there are, and how many
// numbers the store has of both streams. What is entered first is still there then.
func (w *town) look(t *testing.T) (list []books.Removal, hours, days int) {
	t.Helper()
	before, err := w.ledger.Removals.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	had := w.rows(t, "s")
	if err := w.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, err = w.ledger.Removals.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := w.rows(t, "s"); len(list) > len(before) && now != had {
		t.Errorf("%d of %d hours are left before the public books can have said it", now, had)
	}
	if err := w.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	return list, w.rows(t, "s"), w.rows(t, "s-days")
}

// rows is how many numbers the store has of a stream.
func (w *town) rows(t *testing.T, stream string) int {
	t.Helper()
	rows, err := w.kept.Observations(t.Context(), store.Query{Stream: stream, From: time.Unix(0, 0),
		To: time.Unix(1<<33, 0), Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// TestRemovedOnTime: at the first midnight behind their time hours are gone, with a line before,
// and days stay; nothing is said twice, and nothing of what there is not.
func TestRemovedOnTime(t *testing.T) {
	w := newTown(t, "retain: {hours: P5D, days: forever}\n", "retain: {days: P1Y}\n")
	for _, c := range []struct {
		at    time.Time
		lines int
		hours int
	}{
		{june.AddDate(0, 0, 5), 0, 240},
		{june.AddDate(0, 0, 6).Add(-time.Second), 0, 240},
		{june.AddDate(0, 0, 6), 1, 216},
		{june.AddDate(0, 0, 6).Add(23 * time.Hour), 1, 216},
		{june.AddDate(0, 0, 8), 2, 168},
		{june.AddDate(0, 0, 40), 3, 0},
		{june.AddDate(0, 0, 50), 3, 0},
	} {
		w.at = c.at
		list, hours, days := w.look(t)
		if len(list) != c.lines || hours != c.hours || days != 10 {
			t.Fatalf("at %s: %d lines, %d hours and %d days; want %d, %d and 10", c.at, len(list), hours, days, c.lines,
				c.hours)
		}
	}
	list, _, _ := w.look(t)
	if r := list[0]; r.Stream != "s" || r.Decision != "1" || r.Retain != "P5D" || r.Policy != "p" ||
		!r.Until.Equal(june.AddDate(0, 0, 1)) || !r.At.Equal(june.AddDate(0, 0, 6)) || r.Gateway != "edge-1" {
		t.Errorf("the line is %+v", r)
	}
	w.at = june.AddDate(2, 0, 0)
	if list, _, days := w.look(t); days != 0 || list[3].Retain != "P1Y" || list[3].Decision != "2" {
		t.Errorf("of a decision that is over %d days are left: %+v", days, list)
	}
}

// TestNothingIsRemoved: without a time that ends, without a clock, and where the books do not
// say it; what cannot be read stops it.
func TestNothingIsRemoved(t *testing.T) {
	for name, c := range map[string]struct {
		hours string
		at    time.Time
	}{
		"it is not said":      {"", june.AddDate(9, 0, 0)},
		"forever":             {"retain: forever\n", june.AddDate(9, 0, 0)},
		"hours forever":       {"retain: {hours: forever, days: forever}\n", june.AddDate(9, 0, 0)},
		"there is no time":    {"retain: P1D\n", time.Time{}},
		"a clock that stands": {"retain: P1D\n", june},
	} {
		w := newTown(t, c.hours, "")
		w.at = c.at
		if list, hours, days := w.look(t); len(list) != 0 || hours != 240 || days != 10 {
			t.Errorf("%s: %d lines, %d hours and %d days are left", name, len(list), hours, days)
		}
	}
	for _, name := range []string{"decisions.json", "plans/s.json"} {
		w := newTown(t, "retain: P1D\n", "retain: P1D\n")
		if err := w.ledger.Files.Put(t.Context(), name, []byte("{")); err != nil {
			t.Fatal(err)
		}
		if err := w.Look(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("with a broken %s it goes on: %v", name, err)
		}
	}
}

// TestChangedTimes: a shorter time holds for what there is, a longer one brings nothing back,
// and where a decision had hours and days the longer of both holds.
func TestChangedTimes(t *testing.T) {
	w := newTown(t, "retain: P8D\n", "")
	if list, hours, _ := w.look(t); len(list) != 1 || hours != 192 {
		t.Fatalf("%d hours are left: %+v", hours, list)
	}
	w.decide(t, "retain: P5D\n", "")
	if list, hours, _ := w.look(t); len(list) != 2 || hours != 120 || list[1].Retain != "P5D" {
		t.Fatalf("shortened, %d hours are left: %+v", hours, list)
	}
	w.decide(t, "retain: P1Y\n", "")
	if list, hours, _ := w.look(t); len(list) != 2 || hours != 120 {
		t.Fatalf("lengthened, %d hours are left: %+v", hours, list)
	}
	w.decide(t, "retain: {hours: P1D, days: P4D}\n", "")
	w.put(t, "plans/other.json", plan.Stream{ID: "s", Decision: "1", Timezone: "Europe/Madrid",
		Every: civil.MustPeriod("P1D"), From: june.AddDate(0, 0, 9).UTC(), Until: june.AddDate(0, 1, 0).UTC()})
	if list, hours, _ := w.look(t); len(list) != 3 || hours != 96 || list[2].Retain != "P4D" {
		t.Fatalf("with windows of both, %d hours are left: %+v", hours, list)
	}
}

// TestRemovedAgain: what a killed gateway left, or a backup brought back, goes all the same.
func TestRemovedAgain(t *testing.T) {
	w := newTown(t, "retain: P5D\n", "")
	old, err := w.kept.Observations(t.Context(), store.Query{Stream: "s", From: june, To: june.AddDate(0, 0, 1),
		Limit: 24})
	if err != nil || len(old) != 24 {
		t.Fatal(len(old), err)
	}
	stay := w.store
	w.store = broken{}
	if err := w.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Look(t.Context()); !errors.Is(err, errAway) {
		t.Fatalf("the store is away: %v", err)
	}
	if list, err := w.ledger.Removals.List(t.Context()); err != nil || len(list) != 1 {
		t.Fatalf("the books are told first: %+v, %v", list, err)
	}
	w.store = stay
	if list, hours, _ := w.look(t); len(list) != 1 || hours != 120 {
		t.Errorf("then %d hours are left: %+v", hours, list)
	}
	if err := w.kept.Write(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	w.asked = w.asked.Add(-again - time.Second)
	if _, hours, _ := w.look(t); hours != 120 {
		t.Errorf("what came back stays: %d hours", hours)
	}
}

var errAway = errors.New("away")

type broken struct{ Store }

func (broken) Remove(context.Context, string, string, []string, time.Time, int) (int, error) {
	return 0, errAway
}
