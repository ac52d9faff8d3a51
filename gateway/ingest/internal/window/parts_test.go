package window

import (
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/gateway/release"
	"sluice/plan"
)

// TestPartsAddUp: windows in which each unit, or each sensor about nobody, has its readings in
// one of them add up to the window that has all, exactly.
func TestPartsAddUp(t *testing.T) {
	start := time.Unix(0, 0).UTC()
	all := []plan.Aggregation{plan.Leq, plan.Lday, plan.Lden}
	for name, s := range map[string]*plan.Stream{
		"people": people(t, plan.Unit{Field: "u", StandsFor: "device"}),
		"nobody": people(t, plan.Unit{StandsFor: "none"}), "levels": days(t, all, start),
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) { addUp(r, s) })
		})
	}
}

func addUp(r *rapid.T, s *plan.Stream) {
	fresh := func() *Window { return New(s, "p", time.Unix(0, 0), time.Unix(3600, 0)) }
	known := new(atomic.Bool)
	known.Store(rapid.Bool().Draw(r, "known"))
	feeders := NewFeeders(s)
	feeders.Add("a", Feeder{Sensor: 1, Known: known, Until: 1 << 62})
	whole, parts := fresh(), []*Window{fresh(), fresh(), fresh()}
	for _, e := range entries(r) {
		part := parts[int(e.Unit[0])%len(parts)]
		if s.Unit.None() {
			part = parts[int(e.Sensor)%len(parts)]
			e.Cell %= uint32(len(s.Cells))
		}
		if rapid.IntRange(0, 20).Draw(r, "alive") == 0 {
			e = Entry{Alive: true, Sensor: 1}
			part = parts[0]
		}
		offerUnit(whole, e)
		offerUnit(part, e)
	}
	got, want := parts[0].Parts(feeders), whole.Parts(feeders)
	for _, w := range parts[1:] {
		for i, p := range w.Parts(feeders) {
			got[i].Add(p)
		}
	}
	sums := make([]release.Sums, len(got))
	for i, p := range got {
		sums[i] = p.Sums()
	}
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(sums, whole.Sums(feeders)) {
		r.Fatalf("the parts add up to\n%+v\nthe whole is\n%+v", got, want)
	}
}
