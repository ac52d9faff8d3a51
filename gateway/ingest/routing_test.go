package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/window"
	"sluice/plan"
	"sluice/register"
	"sluice/test/raced"
)

// cityOf is an Ingest with many sensors of one kind, in a stream of many cells.
func cityOf(t testing.TB, sensors, zones int) (*Ingest, *plan.Stream) {
	t.Helper()
	var text strings.Builder
	text.WriteString("sensors:\n")
	for n := range sensors {
		fmt.Fprintf(&text, "  - {id: s-%d, owner: o, kind: k, zone: z%d, registered: 2026-01-01}\n", n, n%zones)
	}
	reg, err := register.Parse("register.yaml", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return townOf(t, reg, zones)
}

// townOf is one of a register's sensors, all of one kind.
func townOf(t testing.TB, reg *register.Register, zones int) (*Ingest, *plan.Stream) {
	t.Helper()
	s := footfall(t, 1)
	s.Cells, s.Zones = nil, nil
	for n := range zones {
		s.Zones = append(s.Zones, fmt.Sprintf("z%d", n))
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	i := still(t, footfall(t, 1))
	i.routing.versions, i.windows.streams = nil, map[string]*stream{}
	i.routing.roster = newRoster(reg)
	v := Version{Digest: "v", Location: time.UTC, Streams: []*plan.Stream{s}, Plans: map[string][]plan.Plan{},
		Kinds: map[string]register.Kind{"k": {
			Fields: []register.Field{{Name: "device", Type: "string"}, {Name: "rssi", Type: "int"}},
		}}}
	for n := range reg.Sensors {
		v.Plans[reg.Sensors[n].ID] = []plan.Plan{{Stream: s, Zone: reg.Sensors[n].Zone}}
	}
	if err := i.changes.adopt(v); err != nil {
		t.Fatal(err)
	}
	i.clock.now = noon
	return i, s
}

// TestClosesDoNotCountSensors: who feeds a version's cells is looked up at a close,
// and gathered once.
func TestClosesDoNotCountSensors(t *testing.T) {
	i, s := cityOf(t, 2000, 10)
	i.routing.fedBy(0, noon.UnixNano())
	if n := testing.AllocsPerRun(10, func() { i.routing.fedBy(0, noon.UnixNano()) }); n > 0 {
		t.Errorf("a close allocates %v times to know who feeds its cells", n)
	}
	w, _ := i.windows.at(&i.routing.sensors[0].routes[0], noon.UnixNano())
	if w == nil {
		t.Fatal("no window")
	}
	alive := func() (n int) {
		for _, sums := range w.Sums(i.routing.fedBy(0, noon.UnixNano())[s.ID]) {
			if sums.Alive {
				n++
			}
		}
		return n
	}
	if got := alive(); got != 10 {
		t.Fatalf("%d cells are measured by sensors of which nothing is known; want 10", got)
	}
	i.cfg.Clock = ""
	for n, one := range i.routing.sensors {
		if n%10 < 7 { // those of z7, z8 and z9 are never heard of
			i.reception.heartbeat(one,
				&intake.Message{Payload: []byte(`{"every":"PT60S"}`), Received: noon.Add(-24 * time.Hour)})
		}
	}
	if got := alive(); got != 3 {
		t.Errorf("%d cells are measured once all but three zones' sensors are known to be silent; want 3", got)
	}
}

// TestRulesAreShared: what does not depend on the sensor is made once.
func TestRulesAreShared(t *testing.T) {
	i, _ := cityOf(t, 2000, 10)
	rules, shapes := map[any]bool{}, map[any]bool{}
	for _, s := range i.routing.sensors {
		rules[s.routes[0].rule], shapes[s.shape] = true, true
	}
	if len(rules) != 10 || len(shapes) != 1 {
		t.Errorf("%d rules and %d shapes for 2000 sensors of one kind in 10 zones", len(rules), len(shapes))
	}
}

// TestAheadIsASet: however often all sensors say that they will live, each is noted
// once.
func TestAheadIsASet(t *testing.T) {
	raced.Skip(t)
	i, s := cityOf(t, 2000, 10)
	began := time.Now()
	for range 20 {
		for _, one := range i.routing.sensors {
			i.reception.heartbeat(one, &intake.Message{Payload: []byte(`{"every":"PT1H"}`), Received: noon})
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("40000 heartbeats took %v", took)
	}
	for start, list := range i.windows.streams[s.ID].ahead {
		if len(list) != 2000 {
			t.Errorf("%d are noted at %d", len(list), start)
		}
	}
	if len(i.windows.streams[s.ID].ahead) == 0 {
		t.Error("nobody is noted")
	}
}

// TestLivesStayTheSame: as long as nobody's life changes, and between looks, what is
// said of lives is the same value.
func TestLivesStayTheSame(t *testing.T) {
	i, _ := cityOf(t, 10, 2)
	first := i.liveness.judge(&i.routing.roster, nil)
	if got := i.liveness.judge(&i.routing.roster, first); got != first {
		t.Error("nothing has changed, and it is said anew")
	}
	i.routing.sensors[3].silentAfter = noon.Add(time.Minute).UnixNano()
	second := i.liveness.judge(&i.routing.roster, first)
	if second == first || second.Of[3] != Living || second.Of[2] != NotKnown {
		t.Errorf("after a heartbeat: %v", second.Of)
	}
	i.cfg.Clock = ""
	i.clock.now = noon.Add(livesEvery / 2)
	i.routing.sensors[3].silentAfter = 1
	if got := i.liveness.judge(&i.routing.roster, second); got != second {
		t.Error("in wall time it is looked at every tick")
	}
	i.clock.now = noon.Add(livesEvery)
	if got := i.liveness.judge(&i.routing.roster, second); got.Of[3] != Silent {
		t.Errorf("later: %v", got.Of)
	}
	other, _ := cityOf(t, 10, 2)
	i.routing.register = other.routing.register
	if got := i.liveness.judge(&i.routing.roster, second); got == second || got.Register != other.routing.register {
		t.Error("lives of one register are taken for those of another")
	}
}

// TestOneBadMapIsOneSensor: an entry that does not fit takes out its sensor, with a
// code of its own, and neither the policy nor others.
func TestOneBadMapIsOneSensor(t *testing.T) {
	i := still(t, footfall(t, 1))
	reg, err := register.Parse("r", []byte("sensors:\n"+
		"  - {id: good, owner: o, kind: k, zone: rambla, registered: 2026-01-01}\n"+
		"  - {id: mapped, owner: o, kind: k, zone: rambla, registered: 2026-01-01, map: {device: /a/mac, rssi: "+
		"/a/0}}\n"+
		"  - {id: typo, owner: o, kind: k, zone: rambla, registered: 2026-01-01, map: {devise: /a/mac}}\n"+
		"  - {id: bad, owner: o, kind: k, zone: rambla, registered: 2026-01-01, map: {device: /a}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	v := i.routing.versions[0]
	v.Plans = map[string][]plan.Plan{}
	for _, s := range reg.Sensors {
		zone := "rambla"
		if s.ID == "bad" {
			zone = "elsewhere" // no rule fits
		}
		v.Plans[s.ID] = []plan.Plan{{Stream: v.Streams[0], Zone: zone}}
	}
	if err := v.Check(reg); err != nil {
		t.Fatalf("one entry takes the policy with it: %v", err)
	}
	i.routing.versions = nil
	i.routing.roster = newRoster(reg)
	if err := i.changes.adopt(v); err != nil {
		t.Fatalf("one entry takes the policy with it: %v", err)
	}
	send := func(id, payload string) {
		if err := i.handle(t.Context(), wall{},
			intake.Message{Topic: "city/v1/o/" + id + "/up", Payload: []byte(payload), Received: noon}); err != nil {
			t.Fatal(err)
		}
	}
	send("good", `{"fields":{"device":"x","rssi":-50}}`)
	send("mapped", `{"a":{"mac":"y","0":-50}}`)
	send("typo", `{"fields":{"device":"z","rssi":-50}}`)
	send("bad", `{"fields":{"device":"w","rssi":-50}}`)
	if n := i.closes.unreleased(); n != 3 {
		t.Errorf("%d readings count; want those of three sensors. Refused: %v", n, i.account.Refused)
	}
	if n := i.account.Refused["E409"]; n != 1 || len(i.account.Refused) != 1 {
		t.Errorf("refused: %v", i.account.Refused)
	}
	for id, want := range map[string]int64{"good": 0, "mapped": 0, "typo": 1, "bad": 1} {
		if got := i.feedback.tally[i.routing.byID[id]][fault.New(fault.Unfit)].count; got != want {
			t.Errorf("%s is told E409 %d times; want %d", id, got, want)
		}
	}
	// A plan that does not fit its own kind is the policy's fault, and refused whole.
	v.Kinds = map[string]register.Kind{"k": {Fields: []register.Field{{Name: "rssi", Type: "int"}}}}
	if err := v.Check(reg); err == nil {
		t.Error("a policy whose kind lacks a field passes")
	}
}

func BenchmarkAdopt(b *testing.B) {
	i, _ := cityOf(b, 100_000, 500)
	v := i.routing.versions[0]
	b.ReportAllocs()
	for b.Loop() {
		i.routing.versions = nil
		if err := i.changes.adopt(v); err != nil {
			b.Fatal(err)
		}
	}
}

// TestRenew: another register is taken between two messages, and what is known of a
// sensor's life, of homes and of faults goes with it.
func TestRenew(t *testing.T) {
	i := still(t, footfall(t, 1))
	i.routing.sensors[0].silentAfter = noon.Add(time.Minute).UnixNano()
	i.feedback.add(i.routing.sensors[0], fault.New(fault.NotJSON), nil)
	send := func(topic string) {
		payload := []byte(`{"fields":{"device":"x","rssi":-50}}`)
		m := intake.Message{Topic: topic, Payload: payload, Received: noon}
		if err := i.handle(t.Context(), wall{}, m); err != nil {
			t.Fatal(err)
		}
	}
	send("city/v1/o/a/up")
	send("city/v1/o/b/up") // of nobody yet
	reg, err := register.Parse("r", []byte("sensors:\n  - {id: b, owner: o, kind: k, zone: rambla, registered: "+
		"2026-01-01}\n  - {id: a, owner: o, kind: k, zone: rambla, registered: 2026-01-01, topic: elsewhere/a}\n"))
	if err != nil {
		t.Fatal(err)
	}
	plans := map[string][]plan.Plan{}
	for _, s := range reg.Sensors {
		plans[s.ID] = []plan.Plan{{Stream: i.routing.versions[0].Streams[0], Zone: "rambla"}}
	}
	next := Renewal{Register: reg, Digest: "another", Plans: plans}
	if i.changes.renew(renewal{Renewal: next, roster: newRoster(reg)}) || i.routing.byID["b"] != nil {
		t.Error("plans of another version are taken")
	}
	next.Digest = "v"
	i.routing.sensors[0].wasHome = true
	if !i.changes.renew(renewal{Renewal: next, roster: newRoster(reg)}) {
		t.Fatal("the renewal is not taken")
	}
	if !i.routing.byID["a"].home || i.routing.byID["b"].home {
		t.Error("whoever stood for somebody is shown singly after the register was read anew, or the other way round")
	}
	if len(i.feedback.tally) != 0 {
		t.Error("a home is told what was wrong")
	}
	i.routing.byID["a"].wasHome = false
	i.feedback.add(i.routing.byID["b"], fault.New(fault.NotJSON), nil)
	if !i.changes.renew(renewal{Renewal: next, roster: newRoster(reg)}) || i.routing.byID["a"].home {
		t.Fatal("the renewal is not taken")
	}
	if len(i.feedback.tally) != 1 || i.feedback.tally[i.routing.byID["b"]] == nil {
		t.Errorf("what is to be told is lost: %v", i.feedback)
	}
	send("city/v1/o/b/up")
	send("elsewhere/a")
	send("city/v1/o/a/up") // where it is not any more
	if n := i.closes.unreleased(); n != 3 || i.account.Refused["E001"] != 2 {
		t.Errorf("%d readings count, refused %v", n, i.account.Refused)
	}
	if lives := i.liveness.judge(&i.routing.roster, nil); lives.Register != reg || lives.Of[1] != Living ||
		lives.Of[0] != NotKnown {
		t.Errorf("lives: %v", lives.Of)
	}
}

// TestRegisteredNow: a home whose device was replaced is registered once, one that has left
// or is still to come not at all: as many as there are decide, where that is public.
func TestRegisteredNow(t *testing.T) {
	reg, err := register.Parse("register.yaml", []byte(`sensors:
- {id: stays, owner: o, kind: k, zone: z0, registered: 2026-01-01}
- {id: left, owner: o, kind: k, zone: z0, registered: 2026-01-01, until: 2026-01-31}
- {id: comes, owner: o, kind: k, zone: z0, registered: 2027-01-01}
- {id: old, owner: o, kind: k, zone: z0, registered: 2026-01-01}
- {id: new, owner: o, kind: k, zone: z0, registered: 2026-03-01, replaces: old}
`))
	if err != nil {
		t.Fatal(err)
	}
	i, s := townOf(t, reg, 1)
	for at, want := range map[time.Time]int64{
		noon: 2, noon.AddDate(-1, 0, 0): 0, noon.AddDate(1, 0, 0): 3,
		time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC): 3, time.Date(2026, 2, 15, 0, 0, 0, 0, time.UTC): 2,
	} {
		start, end := s.Window(at)
		fed := i.routing.fedBy(0, start.UnixNano())[s.ID]
		if got := window.New(s, "v", start, end).Sums(fed)[0].Registered; got != want {
			t.Errorf("%s: %d homes are registered; want %d", start, got, want)
		}
	}
}
