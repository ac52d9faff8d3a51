package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/books"
	"sluice/internal/civil"
	"sluice/plan"
)

// yearly is books of some streams over some days, made while they are read.
type yearly struct {
	plans []*plan.Stream
	days  int
	most  *atomic.Int64 // bytes that are live, as far as it was looked
}

func (y yearly) Get(name string) ([]byte, error) {
	for _, s := range y.plans {
		if name == "plans/"+s.Digest+".json" {
			return s.Canonical(), nil
		}
	}
	if name == "city.json" {
		return []byte("{}"), nil
	}
	if name == "streams.json" || name == "decisions.json" {
		return []byte("[]"), nil
	}
	if name == "zones.geojson" {
		return nil, fs.ErrNotExist
	}
	return nil, fmt.Errorf("%s: %w", name, io.ErrUnexpectedEOF)
}

func (y yearly) Each(name string, f func(string) error) error {
	if name == "removals.jsonl" || name == books.ArchiveName {
		return nil
	}
	start, prev, n := y.plans[0].From, "", 0
	line := func(v any, sum *string) error {
		*sum = prev
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if n%100_000 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			y.most.Store(max(y.most.Load(), int64(m.HeapAlloc)))
		}
		prev = books.Hash(string(raw))
		return f(string(raw))
	}
	for day := range y.days {
		for k, s := range y.plans {
			at := start.AddDate(0, 0, day)
			if name == "ledger.jsonl" {
				n++
				e := books.Entry{N: int64(n), Day: at.Format(time.DateOnly), Gateway: "g", Decision: s.Decision,
					Plan: s.Digest, Unit: "device", Kind: "reserve", Epsilon: 0.5, Delta: 1e-6, Cap: 100}
				e.Left = 100 - 0.5*float64(k+1)
				if err := line(&e, &e.PrevSHA256); err != nil {
					return err
				}
				continue
			}
			for h := range 24 {
				n++
				r := books.Released{N: int64(n), Gateway: "g", Stream: s.ID,
					Start: at.Add(time.Duration(h) * time.Hour), End: at.Add(time.Duration(h+1) * time.Hour),
					Plan: s.Digest, Ledger: int64(day*len(y.plans) + k + 1), Rows: 1, SHA256: strings.Repeat("0", 64)}
				if err := line(&r, &r.PrevSHA256); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// hourly makes streams of an hour whose epoch is a day.
func hourly(t *testing.T, n int) (list []*plan.Stream) {
	t.Helper()
	for k := range n {
		s := &plan.Stream{
			ID: fmt.Sprint("s", k), Decision: fmt.Sprint(k), Timezone: "UTC", Every: civil.MustPeriod("PT1H"),
			Forget: civil.MustPeriod("P1D"),
			From:   time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC),
			Zones: []string{"a"}, Unit: plan.Unit{Field: "d", StandsFor: "device"},
			Measures: []plan.Measure{{Name: "n", Of: plan.Distinct, Unit: "device"}},
			Protect:  plan.Protect{MinUnits: 3, Epsilon: 0.5, Delta: 1e-6, MaxContributions: 1},
		}
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// TestFiveYearsOfBooks: books of years are checked a line at a time: what is held is a
// small part of what is read, 700 bytes for each window.
func TestFiveYearsOfBooks(t *testing.T) {
	days := 5 * 365
	if testing.Short() {
		days = 365
	}
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	y := yearly{plans: hourly(t, 4), days: days, most: &atomic.Int64{}}
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r, err := Check(books.Reader{Source: y})
	if err != nil || len(r.Problems) > 0 {
		t.Fatalf("%v, %v", err, r)
	}
	windows := int64(24 * days * len(y.plans))
	if r.Releases != int(windows) || r.Lines != days*len(y.plans) || r.Plans != len(y.plans) {
		t.Errorf("%+v", r)
	}
	held := y.most.Load() - int64(before.HeapAlloc)
	t.Logf("%d windows and %d lines: %d KiB are held", windows, r.Lines, held>>10)
	if held > 70*windows {
		t.Errorf("%d bytes are held for %d windows; want a tenth of what is read", held, windows)
	}
}
