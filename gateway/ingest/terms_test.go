package ingest

import (
	"fmt"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/plan"
	"sluice/register"
)

// entries is a register of one sensor.
func entry(t testing.TB, entry string) *register.Register {
	t.Helper()
	reg, err := register.Parse("r", []byte("sensors:\n  - {id: a, registered: 2026-01-01, "+entry+"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// renewed takes another register, whose plans are those of its zones.
func (i *Ingest) renewed(t testing.TB, reg *register.Register) {
	t.Helper()
	v := i.routing.versions[len(i.routing.versions)-1]
	plans := map[string][]plan.Plan{}
	for _, s := range reg.Sensors {
		for _, spec := range v.Streams {
			plans[s.ID] = append(plans[s.ID], plan.Plan{Stream: spec, Zone: s.Zone})
		}
	}
	r := Renewal{Register: reg, Digest: v.Digest, Plans: plans}
	if !i.changes.renew(renewal{Renewal: r, roster: newRoster(reg)}) {
		t.Fatal("the register is not taken")
	}
}

// passedAt lets a device pass the sensor so many minutes after noon.
func (i *Ingest) passedAt(minute int) {
	s := i.routing.byID["a"]
	at := noon.Add(time.Duration(minute) * time.Minute)
	text := fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"d-%d","rssi":-40}}`, at.Format(time.RFC3339), minute,
		minute)
	i.deliver(s, &intake.Message{Topic: s.entry.UpTopic(), Payload: []byte(text), Received: at}, at.UnixNano())
}

// inCells are how many units count in each cell of an hour after noon.
func (i *Ingest) inCells(s *plan.Stream, hour int) (units []int64) {
	start := noon.Add(time.Duration(hour) * time.Hour)
	if w := i.windows.streams[s.ID].windows[start.UnixNano()]; w != nil {
		for _, sums := range w.Sums(nil) {
			units = append(units, sums.Units)
		}
	}
	return units
}

// TestMovedInAWindow: a sensor that moves feeds the cell of before until its window ends, and
// the other from the next on, also with readings that come late; and so whoever asks which
// sensors a cell has.
func TestMovedInAWindow(t *testing.T) {
	i, s := townOf(t, entry(t, "owner: o, kind: k, zone: z0"), 3)
	i.cfg.Future = 3 * time.Hour
	i.clock.now = noon.Add(10 * time.Minute)
	i.passedAt(5)
	i.renewed(t, entry(t, "owner: o, kind: k, zone: z1"))
	i.passedAt(15)
	i.clock.now = noon.Add(20 * time.Minute)
	i.renewed(t, entry(t, "owner: o, kind: k, zone: z2")) // no window has begun in z1
	i.passedAt(25)
	i.clock.now = noon.Add(62 * time.Minute)
	i.passedAt(62)
	i.passedAt(26) // late, and not too late
	i.renewed(t, entry(t, "owner: o, kind: k, zone: z0"))
	i.passedAt(63)
	i.passedAt(125)
	for hour, want := range []string{"[4 0 0]", "[0 0 2]", "[1 0 0]"} {
		if got := fmt.Sprint(i.inCells(s, hour)); got != want {
			t.Errorf("%d hours after noon the zones count %s; want %s", hour, got, want)
		}
		start := noon.Add(time.Duration(hour) * time.Hour)
		feeders := i.routing.fedBy(0, start.UnixNano())[s.ID]
		for cell, sums := range i.windows.streams[s.ID].windows[start.UnixNano()].Sums(feeders) {
			if sums.Alive != (want[1+2*cell] != '0') || sums.Registered != map[bool]int64{true: 1}[sums.Alive] {
				t.Errorf("%d hours after noon zone %d is fed: %v, by %d", hour, cell, sums.Alive, sums.Registered)
			}
		}
	}
	if len(i.account.Refused) > 0 {
		t.Errorf("refused is %v", i.account.Refused)
	}
}

// TestTermsAreFew: of a sensor that moves all the time as many terms are kept as windows have
// begun, and none when they are closed.
func TestTermsAreFew(t *testing.T) {
	i, s := townOf(t, entry(t, "owner: o, kind: k, zone: z0"), 3)
	i.clock.now = noon
	i.windows.beginStreams(noon)
	for n := range 360 {
		i.clock.now = noon.Add(time.Duration(n) * time.Minute / 2)
		i.renewed(t, entry(t, fmt.Sprintf("owner: o, kind: k, zone: z%d", n%3)))
	}
	if n := len(i.routing.byID["a"].past.terms); n != 3 {
		t.Errorf("%d terms are kept for the three windows of three hours", n)
	}
	i.windows.streams[s.ID].next = i.clock.now.Add(time.Hour)
	i.renewed(t, entry(t, "owner: o, kind: k, zone: z2"))
	if p := i.routing.byID["a"].past; p.terms != nil {
		t.Errorf("terms of windows that are closed: %v", p.terms)
	}
}

// TestMendedKind: of a sensor whose kind is mended nothing counts in windows that have begun,
// and all in the next.
func TestMendedKind(t *testing.T) {
	i, s := townOf(t, entry(t, "owner: o, kind: k, zone: z0"), 1)
	i.cfg.Future = 3 * time.Hour
	v := &i.routing.versions[0]
	v.Kinds["other"] = v.Kinds["k"]
	i.clock.now = noon.Add(10 * time.Minute)
	i.passedAt(5)
	i.renewed(t, entry(t, "owner: o, kind: other, zone: z0"))
	i.passedAt(15)
	i.passedAt(65)
	if got := fmt.Sprint(i.inCells(s, 0), i.inCells(s, 1), i.account.Refused); got != "[1] [1] map[E401:1]" {
		t.Errorf("%s; want one in each hour, and what came between refused", got)
	}
}

// TestOwnerOfAWindow: who has another owner spends the part of the one of before until the
// window ends, under a policy of before too.
func TestOwnerOfAWindow(t *testing.T) {
	s := parted(t, map[string]int64{"o": 1, "p": 1})
	i := ownersTown(t, inMemory(t), s)
	defer i.journal.log.Close()
	i.cfg.Future = 48 * time.Hour
	i.clock.now = noon.Add(time.Minute)
	owned := func(owner string) *register.Register {
		return entry(t, "kind: k, zone: rambla, owner: "+owner)
	}
	i.renewed(t, owned("o"))
	i.passes("a", 1, 0)
	next := i.routing.versions[0]
	next.Digest = "next"
	if err := i.changes.enact(enactment{version: next, settle: atOnce}); err != nil {
		t.Fatal(err)
	}
	i.clock.now = noon.Add(2 * time.Minute)
	i.renewed(t, owned("q")) // who has no part
	i.passes("a", 2, 0)
	i.passes("a", 3, 1)
	if i.units(0) != 2 || i.units(1) != 0 {
		t.Errorf("%d and %d units count; want two before the hour, and none after it", i.units(0), i.units(1))
	}
}

// TestKnownClockOnly: before the first tick nobody knows which windows have begun, and an
// entry holds for all.
func TestKnownClockOnly(t *testing.T) {
	i, s := townOf(t, entry(t, "owner: o, kind: k, zone: z0"), 2)
	i.clock.now = time.Time{}
	i.renewed(t, entry(t, "owner: o, kind: k, zone: z1"))
	i.passedAt(5)
	if got := fmt.Sprint(i.inCells(s, 0)); got != "[0 1]" {
		t.Errorf("the zones count %s", got)
	}
}

// atOnce has a version hold as soon as no window is open.
func atOnce(free time.Time) (time.Time, error) { return free, nil }
