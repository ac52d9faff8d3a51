package ingest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/test/raced"

	"pgregory.net/rapid"

	"sluice/gateway/release"
	"sluice/plan"
)

// The lemma of docs/release.md: what becomes of a unit's contributions is a function of
// that unit's own readings and of public facts; what a sensor is told is a function of
// what it sent itself, and a technician at the machine is shown of it no more; everything else
// that leaves is a function of no unit's readings, but for totals.
//
// A town lives through a random log twice, once without all that one unit did, and
// everything that leaves is compared.

// drawLog draws what happens in an afternoon. The unit "d0", or the home, is the victim.
func drawLog(r *rapid.T) []event {
	var log []event
	at := 12 * time.Hour
	// Few values, so that units meet, numbers collide and bounds are reached.
	text := func(unit string) string {
		ts := noon.Add(time.Duration(rapid.IntRange(-90, 5).Draw(r, "minute"))*time.Minute + at - 12*time.Hour)
		value := fmt.Sprint(rapid.IntRange(-120, 10).Draw(r, "rssi"))
		parts := []string{fmt.Sprintf(`"fields":{"device":%q,"rssi":%s}`, unit, value)}
		switch rapid.IntRange(0, 9).Draw(r, "form") {
		case 0:
			parts[0] = `"fields":{"rssi":"loud"}`
		case 1:
			parts[0] = fmt.Sprintf(`"fields":{"device":%q,"rssi":%s,"odd":1}`, unit, value)
		}
		if rapid.IntRange(0, 3).Draw(r, "timed") > 0 {
			parts = append(parts, fmt.Sprintf(`"ts":%q`, ts.Format(time.RFC3339)))
		}
		if rapid.IntRange(0, 3).Draw(r, "sequenced") > 0 {
			parts = append(parts, fmt.Sprintf(`"seq":%d`, rapid.IntRange(0, 6).Draw(r, "seq")))
		}
		if rapid.IntRange(0, 5).Draw(r, "booted") == 0 {
			parts = append(parts, `"boot":"b"`)
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	// Two records of a SenML pack; the first of some cannot be read.
	packed := func(unit string) string {
		at, more := "", ""
		if rapid.Bool().Draw(r, "timed") {
			at = fmt.Sprintf(`,"t":%d`, noon.Unix()+int64(sinceNoon(log).Seconds())+
				int64(rapid.IntRange(-20, 1).Draw(r, "minute"))*60)
		}
		if rapid.IntRange(0, 4).Draw(r, "form") == 0 {
			more = rapid.SampledFrom([]string{`,"v":1`, `,"must_":1`}).Draw(r, "bad")
		}
		return fmt.Sprintf(`{"n":"device","vs":%q%s%s},{"n":"rssi","v":%d%s}`, unit, at, more,
			rapid.IntRange(-120, 10).Draw(r, "rssi"), at)
	}
	for range rapid.IntRange(1, 40).Draw(r, "events") {
		switch k := rapid.IntRange(0, 19).Draw(r, "what"); {
		case k < 3:
			if at += time.Duration(rapid.IntRange(1, 90).Draw(r, "minutes")) * time.Minute; at >= 23*time.Hour {
				return log
			}
			log = append(log, event{tick: at})
		case k < 4:
			log = append(log, event{restart: true})
		case k < 6:
			log = append(log,
				event{beat: true,
					sensor: rapid.SampledFrom([]string{"scan-a", "scan-b", "spy", "home-1", "home-2"}).Draw(r, "of")})
		case k < 8 && len(log) > 0:
			if e := log[rapid.IntRange(0, len(log)-1).Draw(r, "again")]; e.records != nil {
				e.dup = rapid.Bool().Draw(r, "dup")
				if rapid.Bool().Draw(r, "some") { // in another message
					e.records = e.records[rapid.IntRange(0, len(e.records)-1).Draw(r, "from record"):]
				}
				log = append(log, e)
			}
		default:
			e := event{sensor: rapid.SampledFrom(
				[]string{"scan-a", "scan-a", "scan-b", "spy", "count", "home-1", "home-2"}).Draw(r, "from")}
			form := text
			if rapid.IntRange(0, 3).Draw(r, "pack") == 0 {
				form = packed
			}
			for range rapid.IntRange(1, 4).Draw(r, "records") {
				unit := fmt.Sprint("d", rapid.IntRange(0, 3).Draw(r, "unit"))
				of := unit
				switch {
				case strings.HasPrefix(e.sensor, "home"):
					of = e.sensor
				case e.sensor == "count":
					of = ""
				}
				e.records = append(e.records, record{of, form(unit)})
			}
			log = append(log, e)
		}
	}
	return log
}

// sinceNoon is how far after noon a log has come.
func sinceNoon(log []event) (at time.Duration) {
	for _, e := range log {
		if e.tick > 0 {
			at = e.tick - 12*time.Hour
		}
	}
	return at
}

// without is the log without what a unit did at all sensors but one, and the sensors that
// sent nothing less.
func without(log []event, unit, but string) (rest []event, bystanders []string) {
	sent := make(map[string]bool)
	for _, e := range log {
		if e.sensor == unit {
			continue // a home, and its heartbeats
		}
		if e.records != nil && e.sensor != but {
			all := e.records
			e.records = slices.DeleteFunc(slices.Clone(all), func(r record) bool { return r.unit == unit })
			if len(e.records) < len(all) {
				sent[e.sensor] = true
			}
			if len(e.records) == 0 {
				continue
			}
		}
		rest = append(rest, e)
	}
	for _, id := range []string{"scan-a", "scan-b", "spy", "count", "home-1", "home-2"} {
		if !sent[id] && id != unit {
			bystanders = append(bystanders, id)
		}
	}
	return rest, bystanders
}

// TestLemma removes one unit from a random log and compares all that leaves: once all of
// it, and once what others than a spy have sent of it.
func TestLemma(t *testing.T) {
	raced.Skip(t)
	base := tmpfs(t)
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		log := append(drawLog(r), event{tick: 24*time.Hour + 30*time.Minute})
		unit := rapid.SampledFrom([]string{"d0", "d1", "home-1"}).Draw(r, "victim")
		for n := range log {
			r.Logf("%d: %+v", n, log[n])
		}
		live := func(events []event) *town {
			run++
			dir := filepath.Join(base, fmt.Sprint(run))
			v := newTown(r, dir)
			for _, e := range events {
				v.live(e)
			}
			_ = v.i.journal.log.Close()
			_ = os.RemoveAll(dir)
			return v
		}
		with := live(log)
		rest, bystanders := without(log, unit, "")
		less := live(rest)
		compareLeft(r, with, less, bystanders)
		compareNumbers(r, with, less, unit)
		rest, bystanders = without(log, unit, "spy")
		less = live(rest)
		compareLeft(r, with, less, bystanders)
		compareForged(r, with, less)
		compareParts(r, with, live(unforged(log, unit)), unit)
	})
}

// unforged is the log without what the spy sent of a unit.
func unforged(log []event, unit string) (rest []event) {
	for _, e := range log {
		if e.records != nil && e.sensor == "spy" {
			e.records = slices.DeleteFunc(slices.Clone(e.records), func(r record) bool { return r.unit == unit })
			if len(e.records) == 0 {
				continue
			}
		}
		rest = append(rest, e)
	}
	return rest
}

// compareParts: where owners have parts, in which pairs a unit counts by one of them does
// not depend on what another's sensors sent.
func compareParts(t interface{ Fatalf(string, ...any) }, with, less *town, unit string) {
	of := unit + " by o"
	if !slices.Equal(with.parts[of], less.parts[of]) {
		t.Fatalf("%s counts in %q, and without the spy in %q", of, with.parts[of], less.parts[of])
	}
}

// compareForged: what others than a forger sent of the unit that it forges moves no more
// than the whole bound where owners have parts of it, and twice that where they share it. A
// pair in which a value takes another's place counts as often as it moves by its bound.
func compareForged(t interface{ Fatalf(string, ...any) }, with, less *town) {
	for _, s := range with.i.routing.versions[0].Streams {
		cost, most := int64(0), 2*s.Protect.MaxContributions
		if len(s.OwnerParts()) > 0 {
			most = s.Protect.MaxContributions
		}
		for name, list := range with.numbers {
			if id, _, _ := strings.Cut(name, " "); id == s.ID && !s.Unit.None() {
				for c := range list {
					cost += costOf(s, &list[c], &less.numbers[name][c])
				}
			}
		}
		if cost > most {
			t.Fatalf("against a forger %s moves by %d bounds; %d are promised", s.ID, cost, most)
		}
	}
}

// costOf is by how many times its bound a pair moves, in the measure that moves most.
func costOf(s *plan.Stream, a, b *release.Sums) int64 {
	cost := max(a.Units-b.Units, b.Units-a.Units)
	for m := range s.Measures {
		moved, bound := int64(0), s.Measures[m].Bound()
		for slot := range a.Total[m] {
			moved += max(a.Total[m][slot]-b.Total[m][slot], b.Total[m][slot]-a.Total[m][slot])
		}
		cost = max(cost, (moved+bound-1)/bound)
	}
	return cost
}

// compareLeft compares what must not differ at all.
func compareLeft(t interface{ Fatalf(string, ...any) }, with, less *town, bystanders []string) {
	// An instant is seen once, however many messages come in it.
	a, b := append(slices.Compact(with.left), "the end"), append(slices.Compact(less.left), "the end")
	for n := range min(len(a), len(b)) {
		if a[n] != b[n] {
			t.Fatalf("this leaves:\n%s\nand without the unit this:\n%s", a[n], b[n])
		}
	}
	for _, id := range bystanders {
		if !slices.Equal(with.told[id], less.told[id]) {
			t.Fatalf("%s is told %q, and without the unit %q", id, with.told[id], less.told[id])
		}
		if !slices.Equal(with.shown[id], less.shown[id]) {
			t.Fatalf("of %s is shown %q, and without the unit %q", id, with.shown[id], less.shown[id])
		}
	}
}

// compareNumbers compares what may differ by one unit's bounds, and no more.
func compareNumbers(t interface{ Fatalf(string, ...any) }, with, less *town, unit string) {
	for other := range with.counts {
		if other != unit && !slices.Equal(with.counts[other], less.counts[other]) {
			t.Fatalf("%s counts in %q, and without %s in %q", other, with.counts[other], unit, less.counts[other])
		}
	}
	if len(with.epochs) < 3 || len(with.epochs) != len(less.epochs) {
		t.Fatalf("%d epochs end, and without the unit %d", len(with.epochs), len(less.epochs))
	}
	for name, a := range with.epochs {
		if !strings.HasSuffix(name, "from 23:00:00") {
			t.Fatalf("%s ends an epoch", name)
		}
		for n, b := range less.epochs[name] {
			if d := a[n] - b; d < 0 || d > 1 {
				t.Fatalf("one unit moves number %d of the epoch that ends with %s by %d", n, name, d)
			}
		}
	}
	specs := make(map[string]*plan.Stream)
	for _, s := range with.i.routing.versions[0].Streams {
		specs[s.ID] = s
	}
	pairs := make(map[string]int64)
	for _, name := range slices.Sorted(maps.Keys(with.numbers)) {
		id, _, _ := strings.Cut(name, " ")
		s := specs[id]
		for c, a := range with.numbers[name] {
			b := less.numbers[name][c]
			if s.Unit.None() || reflect.DeepEqual(a, b) {
				continue // an exact total is of nobody
			}
			if pairs[id]++; pairs[id] > s.Protect.MaxContributions {
				t.Fatalf("one unit moves %d pairs of %s", pairs[id], id)
			}
			if d := a.Units - b.Units; d < 0 || d > 1 {
				t.Fatalf("one unit moves the units of %s by %d", name, d)
			}
			for m := range s.Measures {
				moved := int64(0)
				for slot := range a.Total[m] {
					moved += max(a.Total[m][slot]-b.Total[m][slot], b.Total[m][slot]-a.Total[m][slot])
				}
				if bound := s.Measures[m].Bound(); moved > bound {
					t.Fatalf("one unit moves %s of %s by %d; the bound is %d", s.Measures[m].Name, name, moved, bound)
				}
			}
		}
	}
}
