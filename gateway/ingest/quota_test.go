package ingest

import (
	"testing"
	"time"

	"sluice/plan"
	"sluice/register"
)

func TestQuota(t *testing.T) {
	for _, c := range []struct{ entry, kind, want int }{{0, 0, 0}, {5, 0, 5}, {0, 7, 7}, {5, 7, 5}, {9, 7, 7}} {
		q := newQuota(&register.Sensor{Quota: c.entry}, register.Kind{Quota: c.kind})
		if c.want == 0 != (q == nil) || q != nil && q.most != c.want {
			t.Errorf("%v gives %v", c, q)
		}
	}
	q := newQuota(&register.Sensor{Quota: 2}, register.Kind{})
	for n, want := range []bool{false, false, true} {
		if q.spent(int64(time.Hour)) != want {
			t.Errorf("reading %d", n)
		}
		q.spend(int64(time.Hour) + int64(n))
	}
	if q.spent(int64(time.Hour + time.Minute)) {
		t.Error("the next minute has none of its own")
	}
	for n := range 2 * maxMinutes {
		q.spend(int64(n) * int64(time.Minute))
	}
	if len(q.minutes) > maxMinutes {
		t.Errorf("%d minutes are remembered", len(q.minutes))
	}
	if holds(&plan.Stream{Unit: plan.Unit{Field: "device"}}) {
		t.Error("one device's readings would decide on another's")
	}
}
