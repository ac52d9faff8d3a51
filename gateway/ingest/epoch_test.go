package ingest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/gateway/release"
	"sluice/internal/civil"
	"sluice/plan"
)

// drain takes batches and says that they are released.
func drain(t *testing.T) (wall, func() []release.Key) {
	t.Helper()
	out, done := make(chan release.Batch), make(chan release.Key)
	var keys []release.Key
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for b := range out {
			keys = append(keys, b.Key())
			done <- b.Key()
		}
	}()
	return wall{out, done}, func() []release.Key { close(out); <-ended; return keys }
}

// TestEpochs lives through whole local days, one of 23 hours and one of 25 among
// them, with epochs of every length: one unit comes in each window. It counts in
// max_contributions windows of every epoch, never in more; an epoch's key is there
// while one of its windows is open, and never after.
func TestEpochs(t *testing.T) {
	loc, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []time.Time{
		time.Date(2026, 6, 1, 0, 0, 0, 0, loc), time.Date(2026, 3, 29, 0, 0, 0, 0, loc),
		time.Date(2026, 10, 25, 0, 0, 0, 0, loc),
	} {
		for _, c := range [][2]string{{"PT15M", "PT15M"}, {"PT15M", "PT1H"}, {"PT1H", "PT2H"}, {"PT1H", "PT6H"},
			{"PT30M", "PT12H"}, {"PT1H", "P1D"}, {"PT6H", "PT6H"}, {"P1D", "P1D"}} {
			t.Run(fmt.Sprint(day.Format(time.DateOnly), " ", c), func(t *testing.T) {
				liveThrough(t, day, loc, c[0], c[1])
			})
		}
	}
}

func liveThrough(t *testing.T, day time.Time, loc *time.Location, every, forget string) {
	const most = 2
	s := footfall(t, most)
	s.Timezone, s.Every, s.Forget = loc.String(), civil.MustPeriod(every), civil.MustPeriod(forget)
	s.Lateness = civil.Period{}
	s.From, s.Until = day.AddDate(0, -1, 0), day.AddDate(0, 1, 0)
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("keys need memory: ", err)
	}
	defer os.RemoveAll(dir)
	i := awake(t, dir, s)
	defer i.journal.log.Close()
	i.cfg.Future = 48 * time.Hour
	i.clock.now = day.Add(-time.Minute)
	w, keys := drain(t)
	if err := i.tick(context.Background(), w, day); err != nil {
		t.Fatal(err)
	}
	admitted := make(map[time.Time]int64)
	windows := 0
	for at := day; at.In(loc).Day() == day.Day(); {
		start, end := s.Window(at)
		windows++
		i.hear(fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:10:00:01","rssi":-40}}`,
			start.Add(time.Second).Format(time.RFC3339), windows))
		if len(i.account.Refused) > 0 {
			t.Fatalf("refused: %v", i.account.Refused)
		}
		epoch, _ := s.Epoch(start)
		admitted[epoch] += i.windows.streams["footfall"].windows[start.UnixNano()].Sums(nil)[0].Units
		if err := i.tick(context.Background(), w, end); err != nil {
			t.Fatal(err)
		}
		names := strings.Join(i.journal.keys.Names(), " ")
		_, epochEnd := s.Epoch(start)
		if strings.Contains(names, "w-") || strings.Contains(names, "e-") == !epochEnd.After(end) {
			t.Fatalf("after the window to %s, of an epoch to %s, there are the keys %s", end.In(loc), epochEnd.In(loc),
				names)
		}
		at = end
	}
	if n := s.EpochsOfDay(day); len(admitted) != n {
		t.Errorf("there were %d epochs; the day has %d", len(admitted), n)
	}
	for epoch, n := range admitted {
		_, end := s.Epoch(epoch)
		inside := int64(0)
		for at := epoch; at.Before(end); _, at = s.Window(at) {
			inside++
		}
		if n != min(most, inside) {
			t.Errorf("in the epoch from %s the unit counted %d times; want %d", epoch.In(loc), n, min(most, inside))
		}
	}
	if got := len(keys()); got != windows {
		t.Errorf("%d windows were released; want %d", got, windows)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "keys", "[we]-*")); err != nil || len(files) > 0 {
		t.Errorf("keys are left: %v, %v", files, err)
	}
}

// TestTagsOfEpochs: a unit has another tag in each epoch and in each stream, and the
// same one within.
func TestTagsOfEpochs(t *testing.T) {
	one, other := footfall(t, 2), footfall(t, 2)
	other.ID, other.Decision = "other", "2"
	if err := other.Finish(); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("keys need memory: ", err)
	}
	defer os.RemoveAll(dir)
	i := awake(t, dir, one, other)
	defer i.journal.log.Close()
	tags := make(map[string]string)
	for _, s := range []*plan.Stream{one, other} {
		to := &stream{id: s.ID, epochs: make(map[int64]*openEpoch)}
		for day := range 3 {
			for range 2 {
				e, err := i.windows.epochAt(to, s, one.From.AddDate(0, 0, day))
				if err != nil {
					t.Fatal(err)
				}
				tag := e.Tag([]byte("02:00:5e:10:00:01"))
				of := fmt.Sprint(s.ID, " on day ", day)
				if was, known := tags[string(tag[:])]; known && was != of {
					t.Errorf("%s has the tag that it has in %s", of, was)
				}
				tags[string(tag[:])] = of
			}
		}
	}
	if len(tags) != 6 {
		t.Errorf("there are %d tags of 6 epochs", len(tags))
	}
}
