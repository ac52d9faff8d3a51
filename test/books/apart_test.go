package books

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/store"
	"sluice/store/influx"
	"sluice/store/sqlite"
	"sluice/test/harness"
)

// apartRow is what a gateway, or one of before gateways were noted, released of a cell.
func apartRow(gateway, cell string, hour int) store.Observation {
	v, at := float64(hour)+float64(len(gateway)), harness.Ten.Add(time.Duration(hour)*time.Hour)
	return store.Observation{
		Gateway: gateway, Stream: "gates", Start: at, End: at.Add(time.Hour), Every: "PT1H", Cell: cell, Zone: cell,
		Measure: "passed", Status: store.Published,
		Value: &v, Low: &v, High: &v, Decision: "1", Policy: "p", Mechanism: "exact", Simulation: true,
	}
}

// TestRowsOfGatewaysApart: both stores give the same rows in the same order, whether all,
// none or some of them say whose they are, whole and row by row.
func TestRowsOfGatewaysApart(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, bucket := harness.SharedInflux(t)
	for name, of := range map[string][]string{"none": {""}, "one": {"edge-1"}, "two": {"edge-2", "edge-1"},
		"mixed": {"edge-2", "", "edge-1"}, "late": {"", "edge-1"}} {
		t.Run(name, func(t *testing.T) {
			a, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "store.db"))
			harness.NoError(t, err)
			defer a.Close()
			b, err := influx.Open(influx.Config{URL: db, Org: "city", Bucket: bucket})
			harness.NoError(t, err)
			defer b.Close()
			var rows []store.Observation
			for n, gateway := range of {
				for h := range 3 {
					if name == "late" && n != min(h, 1) { // points have the tag from the second hour on
						continue
					}
					for _, cell := range []string{"square", "park"} {
						o := apartRow(gateway, cell, h)
						o.Stream = name
						rows = append(rows, o)
					}
				}
			}
			for _, s := range []interface {
				Write(context.Context, []store.Observation) error
			}{a, b} {
				harness.NoError(t, s.Write(ctx, rows))
				harness.NoError(t, s.Write(ctx, []store.Observation{rows[0].Withdraw("wrong")}))
			}
			whole := store.Query{Stream: name, From: harness.Ten, To: harness.Ten.Add(24 * time.Hour)}
			for n, q := range []store.Query{
				whole,
				{Gateways: []string{"edge-1"}}, {Gateways: []string{"edge-2"}},
				{Gateways: []string{"edge-1", "edge-2"}}, {Gateways: []string{"edge-3"}},
				{Cells: []string{"park"}}, {Cells: []string{"park"}, Measures: []string{"passed"}},
				{Cells: []string{"park", "square"}, Measures: []string{"passed"}},
				{Cells: []string{"square"}, Gateways: []string{"edge-2"}}, {Measures: []string{"passed"}},
				{Measures: []string{"turns"}},
			} {
				q.Stream, q.From, q.To, q.Limit = whole.Stream, whole.From, whole.To, 1000
				want := paged(t, a, q)
				if n == 0 && len(want) != len(rows) {
					t.Errorf("%d rows are there; %d were written", len(want), len(rows))
				}
				for _, limit := range []int{1000, 1 + n%4} {
					q.Limit = limit
					for kind, s := range map[string]asked{"sqlite": a, "influx": b} {
						if got := paged(t, s, q); !slices.Equal(got, want) {
							t.Errorf("%s, %+v: %d rows\n%v\nwant %d\n%v", kind, q, len(got), got, len(want), want)
						}
					}
				}
			}
		})
	}
}

// asked is a store that is read.
type asked interface {
	Observations(ctx context.Context, q store.Query) ([]store.Observation, error)
}

// paged are all rows of a query, as JSON, page by page.
func paged(t *testing.T, s asked, q store.Query) (all []string) {
	t.Helper()
	for range 100 {
		list, err := s.Observations(context.Background(), q)
		harness.NoError(t, err)
		for _, o := range list {
			raw, err := json.Marshal(o)
			harness.NoError(t, err)
			all = append(all, string(raw))
		}
		if len(list) < q.Limit {
			return all
		}
		q.After = store.At(&list[len(list)-1])
	}
	t.Fatal("the pages do not end")
	return nil
}
