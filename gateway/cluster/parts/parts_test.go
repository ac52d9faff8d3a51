package parts_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/parts"
	"sluice/gateway/release"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/test/harness"
	"sluice/test/nats"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// keys are a city's; those of the partition without are gone, and late ones on their way.
type keys struct {
	without string
	late    func(epoch int64, use string) bool
}

func (k keys) Key(epoch int64, use string) ([]byte, error) {
	if use == k.without {
		return nil, fs.ErrNotExist
	}
	if k.late != nil && k.late(epoch, use) {
		return nil, errors.New("not yet")
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", epoch, use))
	return sum[:], nil
}

func visitors(t *testing.T) *plan.Stream {
	t.Helper()
	s := &plan.Stream{
		ID: "footfall", Decision: "1", Timezone: "UTC",
		Every: civil.MustPeriod("PT1H"), Forget: civil.MustPeriod("P1D"),
		From: noon.AddDate(0, -1, 0), Until: noon.AddDate(0, 1, 0),
		Unit: plan.Unit{Field: "device", StandsFor: "device"}, Keep: []string{"device"}, Zones: []string{"rambla"},
		Measures: []plan.Measure{{Name: "devices", Of: plan.Distinct}},
		Protect:  plan.Protect{MinUnits: 3, Epsilon: 1, Delta: 1e-6, MaxContributions: 2},
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	return s
}

// partial says that a partition has so many units in the window that begins at an hour.
func partial(s *plan.Stream, hour int, units int64) release.Partial {
	start := noon.Add(time.Duration(hour) * time.Hour)
	p := release.NewPart(s)
	p.Units, p.Weight[0] = units, units
	p.Total[0][0].Add(units)
	return release.NewPartial(s, "v", start, start.Add(time.Hour), []release.Part{p}, "", nil)
}

// words are what is handed over for release.
func words(b release.Batch) string {
	of := reflect.ValueOf(b)
	return fmt.Sprintf("%s: %d units, gap %q", b.Key().Start.Format(time.TimeOnly),
		of.FieldByName("cells").Index(0).FieldByName("Units").Int(), of.FieldByName("gap"))
}

// collect hands over so many windows.
func collect(t *testing.T, c parts.Collector, n int) (list []string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out, done := make(chan release.Batch), make(chan release.Key)
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx, out, done); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	for range n {
		select {
		case b := <-out:
			list = append(list, words(b))
			done <- b.Key()
		case <-ctx.Done():
			t.Fatalf("there is nothing behind %q", list)
		}
	}
	stop()
	running.Wait()
	return list
}

// open opens a log for parts, of servers of its own.
func open(t *testing.T) *engine.Log {
	t.Helper()
	s := nats.Start(t)
	conn, err := engine.Dial(t.Context(), engine.Config{URLs: s.URLs(), CA: s.CA, Credentials: s.Data,
		Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	log, err := conn.Open(t.Context(), parts.Spec(3))
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// collector is one of three partitions and a stream.
func collector(log *engine.Log, k parts.Keys, stream *plan.Stream, wait time.Duration) parts.Collector {
	return parts.Collector{Log: log, Keys: k, Partitions: 3, Wait: wait, Now: time.Now,
		Plan: func(digest string) *plan.Stream {
			if digest == stream.Digest {
				return stream
			}
			return nil
		}, Logger: slog.New(slog.DiscardHandler)}
}

const epoch = 20514 // of noon

// TestALongWindow: a window whose parts are too long for an entry comes in pieces, and is whole when all have come.
func TestALongWindow(t *testing.T) {
	log := open(t)
	stream := &plan.Stream{
		ID: "speeds", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1H"), From: noon.AddDate(0, -1, 0),
		Until: noon.AddDate(0, 1, 0), Unit: plan.Unit{StandsFor: "none"}, Keep: []string{"speed"},
		Measures: []plan.Measure{{Name: "speeds", Of: plan.Histogram, Field: "speed"}},
	}
	for n := range plan.MaxEdges {
		stream.Measures[0].Edges = append(stream.Measures[0].Edges, float64(n))
	}
	for n := range 10_000 {
		stream.Zones = append(stream.Zones, fmt.Sprint("zone-", n))
	}
	if err := stream.Finish(); err != nil {
		t.Fatal(err)
	}
	part := func(hour int) release.Partial {
		var list []release.Part
		for range stream.Cells {
			p := release.NewPart(stream)
			p.Units = 1
			for slot := range p.Total[0] {
				p.Total[0][slot].Add(1 << 40)
			}
			list = append(list, p)
		}
		start := noon.Add(time.Duration(hour) * time.Hour)
		return release.NewPartial(stream, "v", start, start.Add(time.Hour), list, "", nil)
	}
	w := parts.Writer{Log: log, Keys: keys{}}
	for partition := range 3 {
		for range 2 { // once more by another owner
			if err := w.Put(t.Context(), epoch, partition, part(0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := collector(log, keys{}, stream, time.Minute)
	if got, want := fmt.Sprint(collect(t, c, 1)), `[12:00:00: 3 units, gap ""]`; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	held, err := log.Held(t.Context(), "part.*.*.*")
	if n := len(part(1).Pieces()); err != nil || n < 2 || len(held) != 3*n {
		t.Errorf("%d pieces are in %d subjects, %v", n, len(held), err)
	}
}

// TestWindowsOfAllPartitions: a window is handed over once, when all partitions have said what they have of it; what a
// partition has said stays; one that does not say it in time makes a gap, and no number.
func TestWindowsOfAllPartitions(t *testing.T) {
	log := open(t)
	stream, w := visitors(t), parts.Writer{Log: log, Keys: keys{}}
	put := func(partition, hour int, units int64) {
		t.Helper()
		if err := w.Put(t.Context(), epoch, partition, partial(stream, hour, units)); err != nil {
			t.Fatal(err)
		}
	}
	forged := fmt.Sprintf("part.%d.1.forged", epoch)
	if _, err := log.Append(t.Context(), forged, 0, "x", []byte("not sealed")); err != nil {
		t.Fatal(err)
	}
	for partition := range 3 {
		put(partition, 0, int64(1+partition))
		put(partition, 0, 1000) // another owner, of whom nothing is believed
	}
	put(0, 1, 5)
	put(2, 1, 5)
	for partition := range 3 {
		put(partition, 2, 7)
	}
	c := collector(log, keys{}, stream, time.Second)
	const away, later = `13:00:00: 0 units, gap "partition_away"`, `14:00:00: 21 units, gap ""`
	c.Resume = map[string]time.Time{stream.ID: noon.Add(time.Hour)}
	if got, want := fmt.Sprint(collect(t, c, 2)), "["+away+" "+later+"]"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	c.Resume = nil
	put(1, 1, 5) // too late: it has said what it has of the next window
	if got, want := fmt.Sprint(collect(t, c, 3)), `[12:00:00: 6 units, gap "" `+away+" "+later+"]"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	put(0, 3, 5)
	c.Resume = map[string]time.Time{stream.ID: noon.Add(3 * time.Hour)}
	if got, want := fmt.Sprint(collect(t, c, 1)), `[15:00:00: 0 units, gap "partition_away"]`; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	c.Keys = keys{without: "part-2"}
	c.Resume = map[string]time.Time{stream.ID: noon.Add(2 * time.Hour)}
	if got, want := fmt.Sprint(collect(t, c, 1)), `[14:00:00: 0 units, gap "partition_away"]`; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

// TestKeysOnTheirWay: what is in a place whose key is not here keeps nothing else back, and is counted when the key has
// come, however late; an epoch that never comes is in nobody's way.
func TestKeysOnTheirWay(t *testing.T) {
	log := open(t)
	stream, w := visitors(t), parts.Writer{Log: log, Keys: keys{}}
	put := func(partition, hour int) {
		t.Helper()
		if err := w.Put(t.Context(), epoch, partition, partial(stream, hour, 7)); err != nil {
			t.Fatal(err)
		}
	}
	far := func(n int) {
		t.Helper()
		for _, e := range []int{epoch + 1, epoch + 1000, 1 << 40, -1} {
			subject := fmt.Sprintf("part.%d.%d.far%d", e, n%3, n)
			if _, err := log.Append(t.Context(), subject, 0, "x", []byte("not sealed")); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range 20 {
		far(n)
	}
	for hour := range 2 {
		for partition := range 3 {
			put(partition, hour)
		}
	}
	var came atomic.Bool
	k := keys{late: func(e int64, use string) bool { return e != epoch || use == "part-1" && !came.Load() }}
	const wait, whole = time.Second, `[12:00:00: 21 units, gap "" 13:00:00: 21 units, gap ""]`
	c := collector(log, k, stream, wait)
	late := time.AfterFunc(3*wait, func() { came.Store(true) })
	defer late.Stop()
	began := time.Now()
	if got := fmt.Sprint(collect(t, c, 2)); got != whole {
		t.Errorf("%s; want %s", got, whole)
	}
	if time.Since(began) < 2*wait {
		t.Error("the key was not late")
	}
	c.Keys = keys{late: func(e int64, _ string) bool { return e != epoch }}
	c.Wait = time.Hour // which no epoch that is far may take
	if got := fmt.Sprint(collect(t, c, 2)); got != whole {
		t.Errorf("%s; want %s", got, whole)
	}
}

// TestReleasedIsTrimmed: what was released is taken out of the log, and what was not stays for who comes later.
func TestReleasedIsTrimmed(t *testing.T) {
	log := open(t)
	stream, w := visitors(t), parts.Writer{Log: log, Keys: keys{}}
	put := func(partition, hour int) {
		t.Helper()
		if err := w.Put(t.Context(), epoch, partition, partial(stream, hour, 7)); err != nil {
			t.Fatal(err)
		}
	}
	far := fmt.Sprintf("part.%d.1.far", epoch+1000)
	if _, err := log.Append(t.Context(), far, 0, "x", []byte("not sealed")); err != nil {
		t.Fatal(err)
	}
	for hour := range 3 {
		put(0, hour)
		put(1, hour)
	}
	put(2, 0)
	put(2, 1)
	ctx, stop := context.WithCancel(t.Context())
	out, done := make(chan release.Batch), make(chan release.Key)
	var clock atomic.Int64 // seconds that have passed
	c := collector(log, keys{late: func(e int64, _ string) bool { return e != epoch }}, stream, 1000*time.Hour)
	begun := time.Now()
	c.Now = func() time.Time { return begun.Add(time.Duration(clock.Load()) * time.Second) }
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx, out, done); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	left := func() (list []string) {
		t.Helper()
		for e, err := range log.Entries(t.Context(), "part.*.*.*", 1) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, e.Subject)
		}
		return list
	}
	first := <-out // and it is not released yet
	clock.Add(100)
	time.Sleep(1500 * time.Millisecond) // longer than it takes to look again
	if n := len(left()); n != 9 {
		t.Errorf("%d entries are left of 9, and nothing is released", n)
	}
	done <- first.Key()
	second := <-out
	done <- second.Key()
	// Both parts of the third window stand before the last of those that are released.
	harness.Await(t, time.Minute, "the released to go", func() bool {
		clock.Add(100) // it may have looked between the two
		return len(left()) <= 4
	})
	stop()
	running.Wait()
	put(2, 2) // whoever comes later has all of it
	c.Resume = map[string]time.Time{stream.ID: noon.Add(2 * time.Hour)}
	if got, want := fmt.Sprint(collect(t, c, 1)), `[14:00:00: 21 units, gap ""]`; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}
