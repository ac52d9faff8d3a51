package forward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/gateway/release"
	"sluice/store"
)

// picky is a store that refuses some rows, and with them all that comes with them.
type picky struct {
	bad   func(store.Observation) bool
	away  bool
	has   map[string]int // times that a row was written
	asked int
}

func (p *picky) Write(_ context.Context, list []store.Observation) error {
	p.asked++
	if p.away {
		return errors.New("away")
	}
	for _, o := range list {
		if p.bad(o) {
			return fmt.Errorf("%w: no", store.ErrRefused)
		}
	}
	for _, o := range list {
		p.has[name(o)]++
	}
	return nil
}

func name(o store.Observation) string { return fmt.Sprint(o.Stream, o.Start.Unix(), o.Cell, o.Measure) }

// box is an outbox in memory.
type box struct {
	parcels []ledger.Parcel
	aside   []store.Observation
	lists   int
}

func (b *box) Next(_ context.Context, n int) ([]ledger.Parcel, error) {
	return b.parcels[:min(n, len(b.parcels))], nil
}

func (b *box) Delivered(_ context.Context, seq int64) error {
	for len(b.parcels) > 0 && b.parcels[0].Seq <= seq {
		b.parcels = b.parcels[1:]
	}
	return nil
}

func (b *box) SetAside(ctx context.Context, seq int64, refused [][]store.Observation, _ string) error {
	for _, rows := range refused {
		for _, o := range rows {
			if o.Stream != rows[0].Stream || !o.Start.Equal(rows[0].Start) {
				return errors.New("a list of two windows")
			}
		}
		b.aside = append(b.aside, rows...)
		b.lists++
	}
	return b.Delivered(ctx, seq)
}

func (b *box) Changed() <-chan struct{} { return nil }

// filled is an outbox of so many windows of so many cells.
func filled(windows, cells int) *box {
	b := new(box)
	for w := range windows {
		p := ledger.Parcel{Seq: int64(w + 1)}
		for c := range cells {
			p.Rows = append(p.Rows,
				store.Observation{Stream: "s", Start: time.Unix(int64(w)*3600, 0), Cell: fmt.Sprint("c", c),
					Measure: "m"})
		}
		b.parcels = append(b.parcels, p)
	}
	return b
}

// TestOnlyWhatIsRefused: what a store refuses for good is set aside, and nothing else;
// everything else arrives. A store that is not well has everything wait.
func TestOnlyWhatIsRefused(t *testing.T) {
	const windows, cells = 100, 20
	for what, c := range map[string]struct {
		bad  func(store.Observation) bool
		want int // set aside; -1 where all waits
	}{
		"nothing":   {func(store.Observation) bool { return false }, 0},
		"one row":   {func(o store.Observation) bool { return o.Start.Unix() == 7*3600 && o.Cell == "c3" }, 1},
		"the first": {func(o store.Observation) bool { return o.Start.Unix() == 0 && o.Cell == "c0" }, 1},
		"the last":  {func(o store.Observation) bool { return o.Start.Unix() == 99*3600 && o.Cell == "c19" }, 1},
		"a window":  {func(o store.Observation) bool { return o.Start.Unix() == 50*3600 }, cells},
		"five, scattered": {func(o store.Observation) bool {
			return o.Start.Unix()%(20*3600) == 0 && o.Cell == "c9"
		}, 5},
		"everything": {func(store.Observation) bool { return true }, -1},
	} {
		b, p := filled(windows, cells), &picky{bad: c.bad, has: make(map[string]int)}
		f := New(b, p, slog.New(slog.DiscardHandler))
		err := f.drain(t.Context())
		if c.want < 0 {
			if err == nil || len(b.aside) > 0 || len(b.parcels) != windows {
				t.Errorf("%s: %v, %d rows are set aside, %d windows wait", what, err, len(b.aside), len(b.parcels))
			}
			continue
		}
		if err != nil || len(b.aside) != c.want || len(b.parcels) != 0 || len(p.has) != windows*cells-c.want {
			t.Errorf("%s: %v, %d rows are set aside, %d windows wait, %d rows arrived", what, err, len(b.aside),
				len(b.parcels), len(p.has))
		}
		for _, o := range b.aside {
			if !c.bad(o) {
				t.Errorf("%s: %v is set aside although the store takes it", what, o)
			}
		}
		t.Logf("%s: the store was asked %d times", what, p.asked)
	}
}

// TestNothingIsSetAsideInABadHour: a store that refuses everything for a while, or goes
// away in the middle of the search, gets everything afterwards.
func TestNothingIsSetAsideInABadHour(t *testing.T) {
	b, p := filled(3, 4), &picky{has: make(map[string]int)}
	f := New(b, p, slog.New(slog.DiscardHandler))
	all := func(store.Observation) bool { return true }
	none := func(store.Observation) bool { return false }
	p.bad = none
	if err := f.drain(t.Context()); err != nil { // it has taken something before
		t.Fatal(err)
	}
	for what, mood := range map[string]func(o store.Observation) bool{
		"all refused": all,
		// It recovers after some refusals: what it refused it takes then.
		"recovers": func() func(store.Observation) bool {
			n := 0
			return func(store.Observation) bool { n++; return n < 9 }
		}(),
		"goes away": func(o store.Observation) bool { p.away = o.Cell == "c3"; return o.Cell == "c3" },
	} {
		p.bad, p.away = mood, false
		b.parcels = filled(3, 4).parcels
		_ = f.drain(t.Context())
		if len(b.aside) > 0 {
			t.Errorf("%s: %d rows are set aside", what, len(b.aside))
		}
		p.bad, p.away, p.has = none, false, make(map[string]int)
		b.parcels = filled(3, 4).parcels
		if err := f.drain(t.Context()); err != nil || len(p.has) != 12 {
			t.Errorf("%s: afterwards %d rows have arrived (%v)", what, len(p.has), err)
		}
	}
}

// TestOneAloneIsSetAside: where nothing else waits, what the store took before shows that
// it is well.
func TestOneAloneIsSetAside(t *testing.T) {
	b, p := filled(1, 1), &picky{has: make(map[string]int), bad: func(o store.Observation) bool {
		return o.Cell == "bad"
	}}
	f := New(b, p, slog.New(slog.DiscardHandler))
	if err := f.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.parcels = []ledger.Parcel{{Seq: 2, Rows: []store.Observation{{Stream: "s", Start: time.Unix(9, 0), Cell: "bad"}}}}
	if err := f.drain(t.Context()); err != nil || len(b.aside) != 1 || len(b.parcels) != 0 {
		t.Errorf("%v, %d are set aside, %d wait", err, len(b.aside), len(b.parcels))
	}
}

// TestAsideInTheLedger keeps what was refused over a restart, sends it again in order, and
// what was withdrawn meanwhile as withdrawn.
func TestAsideInTheLedger(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := ledger.Open(ctx, path, "edge-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for n := range 3 {
		start := at.Add(time.Duration(n) * time.Hour)
		if err := l.Commit(ctx,
			release.Commit{Key: release.Key{Stream: "s", Start: start}, End: start.Add(time.Hour), Policy: "p",
				Plan: "q"}); err != nil {
			t.Fatal(err)
		}
	}
	v := 5.0
	row := store.Observation{Stream: "s", Start: at, End: at.Add(time.Hour), Cell: "c", Measure: "m",
		Status: store.Published, Value: &v, Low: &v, High: &v}
	other := row
	other.Measure = "n"
	if err := l.Outbox.SetAside(ctx, 2, [][]store.Observation{{row, other}}, "no"); err != nil {
		t.Fatal(err)
	}
	if list, err := l.Outbox.Next(ctx, 10); err != nil || len(list) != 1 || list[0].Seq != 3 {
		t.Errorf("%v waits (%v); want the third only", list, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = ledger.Open(ctx, path, "edge-1", 1<<20); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	list, err := l.Asides.List(ctx, 10)
	if err != nil || len(list) != 1 || list[0].Stream != "s" || !list[0].Start.Equal(at) || list[0].Rows != 2 ||
		list[0].Reason != "no" {
		t.Errorf("it lists %+v (%v)", list, err)
	}
	if is, err := l.Asides.Has(ctx, "s", at); !is || err != nil {
		t.Errorf("%v, %v", is, err)
	}
	unknown := books.Withdrawal{Stream: "s", Start: at, Measure: "other", Reason: "a mistake"}
	if err := l.Withdraw(ctx, unknown, nil); !errors.Is(err, ledger.ErrUnreleased) {
		t.Errorf("what was never released is withdrawn: %v", err)
	}
	// The store has nothing of it.
	refused := books.Withdrawal{Stream: "s", Start: at, Measure: "m", Reason: "a mistake"}
	if err := l.Withdraw(ctx, refused, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.Outbox.Delivered(ctx, 100); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Asides.Send(ctx); n != 2 || err != nil {
		t.Errorf("%d are sent (%v)", n, err)
	}
	sent, err := l.Outbox.Next(ctx, 10)
	if err != nil || len(sent) != 2 || len(sent[0].Rows) != 2 || len(sent[1].Rows) != 1 ||
		sent[1].Rows[0].Status != store.Withdrawn || sent[1].Rows[0].Value != nil {
		t.Errorf("it sends %+v (%v)", sent, err)
	}
	if windows, rows, _, err := l.Asides.Count(ctx); windows != 0 || rows != 0 || err != nil {
		t.Errorf("%d rows of %d windows are aside still (%v)", rows, windows, err)
	}
}

// flighty refuses what it is asked first, and then takes everything.
type flighty struct {
	refuses int
	last    map[string]store.Status
}

func (f *flighty) Write(_ context.Context, list []store.Observation) error {
	if f.refuses--; f.refuses >= 0 {
		return store.ErrRefused
	}
	for _, o := range list {
		f.last[name(o)] = o.Status
	}
	return nil
}

// TestWithdrawnStaysWithdrawn: what a store refuses in passing does not come behind what
// follows it in its load.
func TestWithdrawnStaysWithdrawn(t *testing.T) {
	o := store.Observation{Stream: "s", Start: time.Unix(0, 0), Cell: "c", Measure: "m", Status: store.Published}
	for refuses := range 6 {
		s, b := &flighty{refuses, make(map[string]store.Status)},
			&box{parcels: []ledger.Parcel{{Seq: 1, Rows: []store.Observation{o}},
				{Seq: 2, Rows: []store.Observation{o.Withdraw("wrong")}}}}
		f := &Forwarder{outbox: b, writer: s, log: slog.New(slog.DiscardHandler)}
		for tries := 0; len(b.parcels) > 0 && tries < 10; tries++ {
			_ = f.deliver(t.Context(), b.parcels)
		}
		if len(b.parcels) > 0 || s.last[name(o)] != store.Withdrawn || len(b.aside) > 0 {
			t.Errorf("refused %d times: %d wait, %d are aside, and the store has it as %s", refuses, len(b.parcels),
				len(b.aside), s.last[name(o)])
		}
	}
}
