package parts

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"sluice/gateway/release"
	"sluice/internal/civil"
	"sluice/plan"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// several are streams of so many zones.
func several(t *testing.T, streams, zones int) (list []*plan.Stream) {
	t.Helper()
	for n := range streams {
		s := &plan.Stream{
			ID: fmt.Sprint("stream-", n), Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1M"),
			From: noon.AddDate(0, -1, 0), Until: noon.AddDate(0, 1, 0), Unit: plan.Unit{StandsFor: "none"},
			Keep: []string{"device"}, Measures: []plan.Measure{{Name: "n", Of: plan.Count}},
		}
		for z := range zones {
			s.Zones = append(s.Zones, fmt.Sprint("zone-", z))
		}
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// part is what a partition has of a minute.
func part(s *plan.Stream, minute int) release.Partial {
	start := noon.Add(time.Duration(minute) * time.Minute)
	var list []release.Part
	for range s.Cells {
		p := release.NewPart(s)
		p.Units, p.Weight[0] = 1, 1
		p.Total[0][0].Add(1)
		list = append(list, p)
	}
	return release.NewPartial(s, "v", start, start.Add(time.Minute), list, "", nil)
}

func fresh(partitions int) *sums {
	return newSums(&Collector{Partitions: partitions, Now: time.Now, Wait: time.Hour,
		Logger: slog.New(slog.DiscardHandler)})
}

// TestACityOfManyStreams: what an hour in which one worker of many is away leaves of 500 streams of 20 zones, with
// windows of a minute, fits, and takes no more memory than is reckoned with: of 60 minutes a twelfth is tried.
func TestACityOfManyStreams(t *testing.T) {
	streams, s := several(t, 500, 20), fresh(32)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const minutes = 60 / 12
	for minute := range minutes {
		for _, one := range streams {
			p := part(one, minute)
			for partition := range 2 { // the others say theirs as well, and it takes no more room
				if out := s.add(place{1, partition}, 1, p); len(out) > 0 {
					t.Fatalf("a window is handed over in minute %d", minute)
				}
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	took := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d windows take %d MB, and %d are reckoned with", minutes*len(streams), took>>20, s.bytes>>20)
	if took > int64(s.bytes)*5/4 || 12*s.bytes > mostBytes {
		t.Error("that is too much")
	}
}

// TestNoRoom: where there is no room for more windows the oldest are gaps, and the others go on.
func TestNoRoom(t *testing.T) {
	streams, s := several(t, 2, 3), fresh(2)
	s.add(place{1, 0}, 1, part(streams[0], 0))
	s.most = 16 * s.bytes
	var gaps []release.Batch
	for minute := range 20 {
		for _, one := range streams {
			gaps = append(gaps, s.add(place{1, 0}, uint64(minute), part(one, minute))...)
		}
	}
	if len(gaps) < 20 || s.bytes > s.most {
		t.Fatalf("%d windows made room, and %d bytes of %d are taken", len(gaps), s.bytes, s.most)
	}
	for n, b := range gaps {
		if want := noon.Add(time.Duration(n/2) * time.Minute); !b.Key().Start.Equal(want) {
			t.Errorf("%d: the one of %s is a gap", n, b.Key().Start.Format(time.TimeOnly))
		}
	}
	last := len(gaps) / 2
	if out := s.add(place{1, 1}, 99, part(streams[0], last-1)); len(out) > 0 {
		t.Error("a gap is handed over again")
	}
	if out := s.add(place{1, 1}, 99, part(streams[1], 19)); len(out) != 20-last {
		t.Errorf("%d windows are handed over with the last one", len(out))
	}
}
