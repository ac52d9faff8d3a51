package ingest

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"sluice/plan"
)

// TestAFrontThatHearsOfAPolicyTooLate: windows for which it has handed something over under the policy before are gaps;
// one who owns the partition and does not know the policy stops, and whoever knows it goes on to the same.
func TestAFrontThatHearsOfAPolicyTooLate(t *testing.T) {
	logs := newLogs()
	i := facing(t, 1, logs)
	i.clock.now = noon
	i.windows.streams["footfall"].next = noon
	passes := func(seq int, at time.Time) {
		t.Helper()
		i.decode([]byte(said(at, seq)), at.UnixNano())
		if err := i.front.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	passes(1, noon)
	before, other := i.routing.versions[0], footfall(t, 3)
	later := before
	later.Digest, later.Streams = "later", []*plan.Stream{other}
	later.Plans = map[string][]plan.Plan{"a": {{Stream: other, Zone: "rambla"}}}
	var free time.Time
	if err := i.changes.enact(enactment{version: later, settle: func(at time.Time) (time.Time, error) {
		free = at
		return noon, nil
	}}); err != nil || !free.Equal(noon.Add(time.Hour)) {
		t.Fatalf("no window is open from %v on, %v", free, err)
	}
	i.clock.now = noon.Add(time.Hour)
	passes(2, noon)
	passes(3, noon.Add(time.Hour))
	later.Since = noon
	own := func(versions ...Version) *Owner {
		t.Helper()
		w, err := NewWorker(i.cfg.Register, versions, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		o, err := w.Own(t.Context(), Owned{Keys: memoryKeys{}, In: logs, State: stateOf{logs}, Parts: memoryParts{logs},
			CatchUp: time.Hour, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if err := own(before).Run(t.Context()); !errors.Is(err, ErrPolicy) {
		t.Errorf("who does not know the policy: %v", err)
	}
	clear(logs.state)
	o := own(before, later)
	_ = o.Run(t.Context()) // until the log has ended
	if got := o.gaps[keyName("w", "footfall", noon)]; got != reasonSilent {
		t.Errorf("the window of both policies has the gap %q", got)
	}
	if w := o.inner.windows.streams["footfall"].windows[noon.Add(time.Hour).UnixNano()]; w == nil ||
		w.Stream.Digest != other.Digest || w.Readings != 1 {
		t.Errorf("the window behind it is %+v", w)
	}
}
