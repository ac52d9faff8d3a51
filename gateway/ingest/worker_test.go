package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"sluice/plan"
	"sluice/register"
)

// TestAWorkerIsRenewed: the owners of partitions say of cells what one process says when a sensor moves while windows
// are open: it feeds the cell of before until its window ends; and with another version after that.
func TestAWorkerIsRenewed(t *testing.T) {
	i, s := townOf(t, entry(t, "owner: o, kind: k, zone: z0"), 3)
	v := i.routing.versions[0]
	w, err := NewWorker(i.routing.register, []Version{v}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	own := func() *Owner {
		t.Helper()
		logs := newLogs()
		o, err := w.Own(context.Background(), Owned{Keys: memoryKeys{}, In: logs, State: stateOf{logs},
			Parts: memoryParts{logs}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	first := own()
	before := fmt.Sprint(first.inner.routing.fedBy(0, noon.UnixNano())[s.ID])
	renew := func(minute int, reg *register.Register) {
		t.Helper()
		i.clock.now = noon.Add(time.Duration(minute) * time.Minute)
		i.renewed(t, reg)
		r := Renewal{Register: reg, Digest: v.Digest, Plans: i.routing.versions[0].Plans}
		next, ok, err := w.Renew(r, i.clock.now, time.Time{})
		if !ok || err != nil {
			t.Fatalf("the register is not taken: %v", err)
		}
		w = next
	}
	compare := func(o *Owner) {
		t.Helper()
		for hour := range 3 {
			start := noon.Add(time.Duration(hour) * time.Hour).UnixNano()
			got, want := o.inner.routing.fedBy(0, start)[s.ID], i.routing.fedBy(0, start)[s.ID]
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%d hours after noon an owner has %+v, and one process %+v", hour, got, want)
			}
		}
	}
	i.windows.beginStreams(noon)
	renew(10, entry(t, "owner: o, kind: k, zone: z1"))
	compare(own())
	renew(62, entry(t, "owner: o, kind: k, zone: z2"))
	renew(63, entry(t, "owner: o, kind: k, zone: z0"))
	compare(own())
	if w.routing.sensors[0].past.terms == nil {
		t.Fatal("it has not moved")
	}
	later := v
	later.Digest, later.Since = "later", noon.Add(2*time.Hour)
	if w, err = w.Adopt(later); err != nil {
		t.Fatal(err)
	}
	if err := i.changes.adopt(later); err != nil {
		t.Fatal(err)
	}
	compare(own())
	if again := fmt.Sprint(first.inner.routing.fedBy(0, noon.UnixNano())[s.ID]); again != before {
		t.Errorf("an owner of before has %s, and had %s", again, before)
	}
	r := Renewal{Register: w.register, Digest: v.Digest, Plans: map[string][]plan.Plan{}}
	if next, ok, err := w.Renew(r, i.clock.now, time.Time{}); ok || next != w || err != nil {
		t.Errorf("a register under an earlier version is taken: %v", err)
	}
	if next, _, err := w.Renew(Renewal{Register: w.register, Digest: "later", Plans: later.Plans}, i.clock.now,
		noon.Add(3*time.Hour)); err != nil || next.routing.sensors[0].past.terms != nil {
		t.Errorf("terms of windows that are closed are kept: %v", err)
	}
}
