package query

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
)

var footfall = Stream{Stream: books.Stream{
	ID: "footfall", Timezone: "Europe/Madrid", Cells: []books.Cell{{ID: "rambla"}},
	Measures: []books.Measure{{Name: "devices"}},
}}

var latest = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func parse(raw string) (store.Query, error) {
	v, err := Values(raw, Parameters...)
	if err != nil {
		return store.Query{}, err
	}
	return Parse(v, footfall, latest)
}

func TestParse(t *testing.T) {
	q, err := parse("")
	if err != nil || !q.From.Equal(latest.Add(-24*time.Hour)) || !q.To.Equal(latest) || q.Limit != 0 {
		t.Errorf("by default %+v (%v); want all of the last 24 hours", q, err)
	}
	q, err = parse("from=2026-03-01&to=2026-03-02T00:00:00%2B01:00&cell=rambla&measure=devices&limit=7")
	want := time.Date(2026, 2, 28, 23, 0, 0, 0, time.UTC) // a local day
	if err != nil || !q.From.Equal(want) || !q.To.Equal(want.Add(24*time.Hour)) || q.Limit != 7 || len(q.Cells) != 1 {
		t.Errorf("got %+v (%v)", q, err)
	}
	o := store.Observation{Start: latest, Cell: "a/b;c", Measure: "m"}
	q, err = parse("cursor=" + Cursor(o))
	if err != nil || q.Limit != 100 || q.After == nil || !q.After.Start.Equal(latest) || q.After.Cell != "a/b;c" {
		t.Errorf("a cursor comes back as %+v (%v)", q.After, err)
	}
	for raw, parameter := range map[string]string{
		"limit=0": "limit", "limit=1001": "limit", "limit=x": "limit", "from=now": "from", "to=2026-13-01": "to",
		"from=2026-03-02&to=2026-03-01": "from", "cell=secret-zone": "cell", "measure=x": "measure",
		"cursor=x":   "cursor",
		"nonsense=1": "query", "a=1;b=2": "query", "limit=1&limit=2": "limit", "from=%zz": "query",
		"cursor=W10":                        "cursor",
		"from=" + strings.Repeat("x", 9000): "query",
	} {
		_, err := parse(raw)
		var invalid *Invalid
		if !errors.As(err, &invalid) || invalid.Parameter != parameter {
			t.Errorf("%.40s gives %v; want a complaint about %s", raw, err, parameter)
		} else if strings.Contains(err.Error(), "secret-zone") {
			t.Error("an error repeats a value")
		}
	}
}

// TestFollowingPagesAreTaken: what a page says of the next one is not refused.
func TestFollowingPagesAreTaken(t *testing.T) {
	for _, raw := range []string{"from=2026-03-01", "from=1970-01-01", "from=1970-01-01T00:00:00Z", "from=2200-12-31",
		"to=2200-12-31"} {
		q, err := parse(raw)
		if err != nil {
			t.Fatal(raw, err)
		}
		again, err := parse("from=" + q.From.Format(time.RFC3339) + "&to=" + q.To.Format(time.RFC3339))
		if err != nil || !again.To.Equal(q.To) || !again.From.Equal(q.From) {
			t.Errorf("%s: the next page is from %s to %s: %v", raw, again.From, again.To, err)
		}
	}
}

// TestLastDay: where a window is a day, the last 24 hours have the newest one.
func TestLastDay(t *testing.T) {
	place := Place("Europe/Madrid")
	for name, x := range map[string]struct {
		every        string
		closed       time.Time
		now          time.Time
		from, behind time.Time // it is in, and nothing before it is
	}{
		"a day, at its end": {"P1D", time.Date(2026, 3, 2, 0, 0, 0, 0, place),
			time.Date(2026, 3, 2, 0, 0, 0, 0, place), time.Date(2026, 3, 1, 0, 0, 0, 0, place),
			time.Date(2026, 2, 28, 0, 0, 0, 0, place)},
		"a day, at the next night": {"P1D", time.Date(2026, 3, 2, 0, 0, 0, 0, place),
			time.Date(2026, 3, 2, 23, 0, 0, 0, place), time.Date(2026, 3, 1, 0, 0, 0, 0, place),
			time.Date(2026, 2, 28, 0, 0, 0, 0, place)},
		"a day of 25 hours": {"P1D", time.Date(2026, 10, 26, 0, 0, 0, 0, place),
			time.Date(2026, 10, 26, 9, 0, 0, 0, place), time.Date(2026, 10, 25, 0, 0, 0, 0, place),
			time.Date(2026, 10, 24, 0, 0, 0, 0, place)},
		"an hour": {"PT1H", time.Date(2026, 3, 2, 9, 0, 0, 0, place),
			time.Date(2026, 3, 2, 9, 0, 0, 0, place), time.Date(2026, 3, 1, 9, 0, 0, 0, place),
			time.Date(2026, 3, 1, 8, 0, 0, 0, place)},
		"a day of a series that ended": {"P1D", time.Date(2026, 2, 1, 0, 0, 0, 0, place),
			time.Date(2026, 3, 2, 9, 0, 0, 0, place), time.Date(2026, 3, 1, 9, 0, 0, 0, place),
			time.Date(2026, 2, 1, 0, 0, 0, 0, place)},
	} {
		st := footfall
		st.Every, st.ClosedUntil = x.every, x.closed
		q, err := Parse(nil, st, x.now)
		if err != nil || q.From.After(x.from) || !q.From.After(x.behind) {
			t.Errorf("%s: from %s, %v; want after %s, to %s", name, q.From.In(place), err, x.behind, x.from)
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"from=2026-03-01&limit=7", "cursor=WzEsImEiLCJiIl0", "cell=rambla&cell=rambla",
		"a=%00;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parse(raw)
		if err != nil {
			var invalid *Invalid
			if !errors.As(err, &invalid) {
				t.Errorf("%v is not a complaint about a parameter", err)
			}
			return
		}
		if q.Limit < 0 || q.Limit > MaxLimit || q.From.After(q.To) {
			t.Errorf("%q gives %+v", raw, q)
		}
	})
}

// TestUnknownParameter: an error names what the asker has written, if that is short and plain,
// and the first of several.
func TestUnknownParameter(t *testing.T) {
	long := strings.Repeat("x", 41)
	for raw, want := range map[string]string{
		"bogus=1": "an unknown parameter, bogus; known are a", "z=1&b=2&a=1": "an unknown parameter, b; known are a",
		"%3Cb%3E=1": "an unknown parameter; known are a", long + "=1": "an unknown parameter; known are a",
		"=1": "an unknown parameter; known are a", "%E2%80%AEx=1": "an unknown parameter; known are a",
	} {
		if _, err := Values(raw, "a"); err == nil || err.Error() != "query: holds "+want {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
