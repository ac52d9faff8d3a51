package ingest

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/gateway/ingest/internal/mqtt"
)

// TestWhatABrokerDropsIsInAGap: a broker says how many messages it has dropped at intervals, what it
// says is on its way for a while, and the gateway looks now and then. Whatever it drops in a
// session that it keeps lies in a gap once it is known.
func TestWhatABrokerDropsIsInAGap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.IntRange(1000, 10_000).Draw(t, "interval") // milliseconds
		at := func(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }
		wall := 0
		cfg := &Config{Now: func() time.Time { return at(wall) }, Log: slog.New(slog.DiscardHandler)}
		clock := &eventClock{now: at(0), cfg: cfg}
		c := newCatchUp(cfg, clock)
		c.recover(&facts{Session: true, Dropped: 1})
		var drops []int
		var number int64
		st := mqtt.Status{Up: true, Connection: 1, Kept: true, Known: true, Said: 1}
		type word struct {
			at     int
			uptime bool
			number int64
		}
		var words []word
		// An away broker drops as well, and nothing is heard from it meanwhile.
		end := 300_000
		lag := rapid.SampledFrom([]int{0, 1000, 5000, 14_000}).Draw(t, "lag")
		away := rapid.IntRange(0, end).Draw(t, "away")
		back := rapid.IntRange(away, min(end, away+5*interval)).Draw(t, "back")
		next, heard := rapid.IntRange(0, interval).Draw(t, "it says it first"), 0
		drop := next - interval + 1 + rapid.IntRange(0, interval).Draw(t, "first drop") // perhaps before this process
		look, fresh := 0, 1
		for ms := -interval; ms < end+5*interval+60_000; ms += 50 {
			wall = ms
			if ms >= drop && ms < end {
				drops, number = append(drops, ms), number+1
				drop += rapid.SampledFrom([]int{50, interval, 40_000, 150_000}).Draw(t, "until the next drop") +
					rapid.IntRange(0, interval).Draw(t, "and")
			}
			if ms >= next {
				next += interval
				late := max(heard, ms+rapid.IntRange(lag/2, lag).Draw(t, "on its way"))
				words = append(words, word{at: late, uptime: true})
				heard = late + rapid.IntRange(0, 900).Draw(t, "between the two")
				words = append(words, word{at: heard, number: number})
			}
			for len(words) > 0 && words[0].at <= ms {
				switch gone := ms >= away && ms < back; {
				case gone:
					fresh, st.Known = 0, false
				case words[0].uptime:
					if fresh > 0 {
						st.Known = true
						st.Said++
					}
					fresh++
				default:
					st.Dropped = words[0].number
				}
				words = words[1:]
			}
			if ms >= look {
				c.watchDropped(st, at(ms))
				clock.now = at(ms)
				c.tendGaps(at(ms), time.Time{})
				look += 10 + rapid.IntRange(0, 2000).Draw(t, "until the next look")
			}
		}
		for _, ms := range drops {
			if !slices.ContainsFunc(c.gaps, func(g gap) bool {
				return !at(ms).Before(g.From) && !at(ms).After(g.Until)
			}) {
				t.Fatalf("what was dropped after %d ms is in none of %v", ms, c.gaps)
			}
		}
	})
}

// TestABrokerThatCountsAnew: a number that is less is of a broker that was started again with its
// sessions.
func TestABrokerThatCountsAnew(t *testing.T) {
	for number, want := range map[int64]int{60: 0, 0: 0, 5: 1, 61: 1} {
		cfg := &Config{Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		c := newCatchUp(cfg, &eventClock{now: noon, cfg: cfg})
		c.recover(&facts{Session: true, Dropped: 61})
		c.watchDropped(mqtt.Status{Up: true, Kept: true, Known: true, Dropped: number}, noon.Add(time.Second))
		if len(c.gaps) != want || c.dropped != number+1 {
			t.Errorf("%d after 60: %d gaps, and %d are remembered", number, len(c.gaps), c.dropped)
		}
	}
}
