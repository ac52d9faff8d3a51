package books

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/store"
	"sluice/store/influx"
	"sluice/test/harness"
)

// TestInfluxInBothOrders: the pages of a real InfluxDB have each row once, in either order,
// also rows that do not say whose they are, and of each status alone.
func TestInfluxInBothOrders(t *testing.T) {
	t.Parallel()
	db, bucket := harness.SharedInflux(t)
	s, err := influx.Open(influx.Config{URL: db, Org: "o", Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	statuses := []store.Status{store.Published, store.Withheld, store.NoData}
	var all []store.Observation
	for h := range 3 {
		for n, cell := range []string{"a", "b"} {
			for g, gateway := range []string{"", "edge-1", "edge-2"} {
				at, v := harness.Ten.Add(time.Duration(h)*time.Hour), float64(h)
				o := store.Observation{Gateway: gateway, Stream: "s", Start: at, End: at.Add(time.Hour), Every: "PT1H",
					Cell: cell, Zone: cell, Measure: "m", Status: statuses[(h+n+g)%3], Unit: "person", Decision: "1",
					Policy: "p", Mechanism: "exact"}
				if o.Status == store.Published {
					o.Value, o.Low, o.High = &v, &v, &v
				}
				all = append(all, o)
			}
		}
	}
	if err := s.Write(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	for _, desc := range []bool{false, true} {
		for limit := 1; limit <= 7; limit++ {
			for _, only := range [][]store.Status{nil, {store.Withheld}, {store.Published, store.NoData}} {
				q := store.Query{Stream: "s", From: harness.Ten, To: harness.Ten.Add(9 * time.Hour), Limit: limit,
					Desc: desc, Statuses: only}
				var want, got []string
				for _, o := range all {
					if only == nil || slices.Contains(only, o.Status) {
						want = append(want, name(o))
					}
				}
				if desc {
					slices.Reverse(want)
				}
				for {
					list, err := s.Observations(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					for _, o := range list {
						got = append(got, name(o))
					}
					if len(list) < limit {
						break
					}
					q.After = store.At(&list[len(list)-1])
				}
				if !slices.Equal(got, want) {
					t.Fatalf("desc %t, limit %d, %v:\ngot  %v\nwant %v", desc, limit, only, got, want)
				}
			}
		}
	}
}

func name(o store.Observation) string { return fmt.Sprint(o.Start.Hour(), o.Cell, o.Gateway) }
