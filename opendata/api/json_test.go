package api

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/opendata/query"
	"sluice/store"
)

// TestObservationsAreJSON compares what is written by hand with encoding/json.
func TestObservationsAreJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Float64(),
			rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1e21, 1e-7, 0.1, 702})).Filter(func(v float64) bool {
			return !math.IsInf(v, 0) && !math.IsNaN(v)
		})
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Observation {
			at := time.Unix(0, rapid.Int64Range(0, 1<<62).Draw(t, "start")).UTC()
			o := store.Observation{
				Gateway: rapid.SampledFrom([]string{"", "edge-1"}).Draw(t, "gateway"),
				Start:   at, End: at.Add(time.Hour), Cell: rapid.String().Draw(t, "cell"), Zone: "a",
				Category: `"\<>&` + "\u2028", Measure: rapid.StringMatching(`[a-z]+`).Draw(t, "measure"),
				Status: store.Published, Reason: rapid.String().Draw(t, "reason"), Unit: "µg/m³", Decision: "2026-14",
				Epsilon: number.Draw(t, "epsilon"), Scale: number.Draw(t, "scale"), Threshold: 40.25,
				Simulation: rapid.Bool().Draw(t, "simulation"),
			}
			if rapid.Bool().Draw(t, "published") {
				v := number.Draw(t, "value")
				o.Value, o.Low, o.High = &v, &v, &v
			}
			return o
		}), 0, 3).Draw(t, "list")
		next := rapid.SampledFrom([]string{"", "/api/v1/streams/s/observations?cursor=x&from=y"}).Draw(t, "next")
		items := []item{}
		for _, o := range list {
			items = append(items, item{
				o.Start, o.End, o.Cell, o.Zone, o.Category, o.Measure, o.Status, o.Reason, o.Value, o.Low, o.High,
				o.Unit,
				o.Decision, o.Policy, o.Mechanism, o.Epsilon, o.Scale, o.Threshold, o.Simulation, o.Gateway,
			})
		}
		epochs, shown := []query.Epoch{}, []epoch{}
		for n := 0; n+1 < len(list); n++ {
			e := query.Epoch{Start: list[n].Start, End: list[n].End, Units: list[n], Bounded: list[n+1],
				Zones: rapid.SampledFrom([][]string{nil, {"a"}, {"a", "é"}}).Draw(t, "zones")}
			epochs, shown = append(epochs, e), append(shown, epoch{e.Start, e.End, items[n], items[n+1], e.Share()})
		}
		want, err := asJSON(observationPage{"s", items, optional(next), shown})
		if err != nil {
			t.Fatal(err)
		}
		got := appendObservations(nil, "s", list, next, epochs)
		if string(got) != string(want.Body) || !json.Valid(got) {
			t.Fatalf("got\n%s\nwant\n%s", got, want.Body)
		}
	})
}

// TestNoFormula: no text of a row, whoever wrote it into the store, begins a formula.
func TestNoFormula(t *testing.T) {
	const evil = "=cmd|x"
	o := store.Observation{Every: evil, Cell: evil, Zone: evil, Measure: evil, Status: evil, Unit: evil, Decision: evil,
		Gateway: evil, Category: evil}
	for n, rows := range [][][]string{observationTable(query.Stream{}, nil).rows(o),
		zoneTable.rows(zoneRow{evil, evil, shownOf(&o)})} {
		for _, cell := range rows[0] {
			if strings.HasPrefix(cell, "=") {
				t.Errorf("table %d has %q", n, rows[0])
				break
			}
		}
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "rambla": "rambla", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx",
		"\rx": "'\rx", "\nx": "'\nx", "a=b": "a=b", "|x": "|x", "%x": "%x",
	} {
		if got := text(in); got != want {
			t.Errorf("%q becomes %q; want %q", in, got, want)
		}
	}
}
