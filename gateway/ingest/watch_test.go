package ingest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/plan"
	"sluice/register"
)

// seen is what technicians see of a sensor; empty where it is not shown singly.
func (i *Ingest) seen(id string) string {
	for _, s := range i.watch.answer().Each {
		if s.ID == id {
			text, _ := json.Marshal(s)
			return string(text)
		}
	}
	return ""
}

// sends takes a message of a sensor of the town, at an instant.
func (v *town) sends(sensor, payload string) { v.hear("up", sensor, payload, false) }

// TestWatchNobody: of a sensor about nobody a technician sees when it was heard last, how much of
// it counts, and every code with its count, at once.
func TestWatchNobody(t *testing.T) {
	v := newTown(t, tmpfs(t))
	defer v.i.journal.log.Close()
	if got := v.i.seen("count"); got != `{"ID":"count","Kind":"scan","Zone":"port","Life":2,"People":false,"Undecided":false,`+
		`"Heard":"0001-01-01T00:00:00Z","Readings":0,"PerMinute":0,"Codes":null}` {
		t.Errorf("before anything came: %s", got)
	}
	for n := range 30 {
		v.now = noon.Add(time.Duration(n) * 10 * time.Second)
		v.sends("count", fmt.Sprintf(`{"seq":%d,"fields":{"rssi":-50}}`, n))
	}
	v.sends("count", `{"seq":1,"fields":{"rssi":"loud"}}`)
	v.sends("count", `{"seq":102,"fields":{"rssi":-50,"odd":1}}`)
	v.sends("count", `{"seq":3,"fields":{"rssi":-500}}`)
	v.sends("count", `{"seq":4,"fields":{"rssi":-500}}`)
	got := v.i.seen("count")
	for _, want := range []string{`"Heard":"2026-03-02T12:04:50Z"`, `"Readings":31`, `"PerMinute":0,`,
		`{"Code":"E101","Pointer":"/fields/rssi","Rule":"kind scan","Fix":"send the type that the kind names: numbers ` +
			`as numbers, not as text","Count":1}`, `"Code":"E103","Pointer":"/*"`, `"Code":"E202"`,
		`send values from -115 to 5; look after the sensor","Count":2}`} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s in %s", want, got)
		}
	}
	v.now = noon.Add(7 * time.Minute)
	if got := v.i.seen("count"); !strings.Contains(got, `"PerMinute":6.2,`) {
		t.Errorf("after five minutes: %s", got)
	}
	v.now = noon.Add(12 * time.Minute)
	if got := v.i.seen("count"); !strings.Contains(got, `"PerMinute":0,`) {
		t.Errorf("after five minutes of silence: %s", got)
	}
}

// TestWatchPeople: of a sensor about people a technician sees what it was told itself, at the same
// instants, without numbers of readings and without what nobody can mend; between two instants
// nothing changes, whatever comes.
func TestWatchPeople(t *testing.T) {
	v := newTown(t, tmpfs(t))
	defer v.i.journal.log.Close()
	v.i.cfg.Feedback = 5 * time.Minute
	tell := func() {
		v.now = v.now.Add(5 * time.Minute)
		v.i.feedback.send()
		select {
		case <-v.i.feedback.out:
		default: // there is nothing to tell
		}
	}
	const none = `{"ID":"scan-a","Kind":"scan","Zone":"rambla","Life":0,"People":true,"Undecided":false,` +
		`"Heard":"0001-01-01T00:00:00Z",` +
		`"Readings":0,"PerMinute":0,"Codes":null}`
	still := func(want string) {
		t.Helper()
		if got := v.i.seen("scan-a"); got != want {
			t.Errorf("a technician sees\n%s; want\n%s", got, want)
		}
	}
	still(none)
	for n := range 25 {
		v.sends("scan-a", fmt.Sprintf(`{"seq":%d,"fields":{"device":"d%d","rssi":"loud"}}`, n, n))
		v.sends("scan-a", fmt.Sprintf(`{"seq":%d,"fields":{"device":"d%d","rssi":-50}}`, n, n))
		v.sends("scan-a", fmt.Sprintf(`{"seq":%d,"fields":{"device":"d%d","rssi":-50}}`, n, n)) // a duplicate
		still(none)
	}
	tell()
	told := strings.Replace(none, "null",
		`[{"Code":"E101","Pointer":"/fields/rssi","Rule":"kind scan","Fix":"send the `+
			`type that the kind names: numbers as numbers, not as text","Count":10}]`, 1)
	still(told)
	v.sends("scan-a", `no JSON`)
	v.sends("scan-a", `{"fields":{"device":"d1","rssi":1000}}`)
	still(told)
	v.i.feedback.dropSeqs()
	tell()
	if got := v.i.seen("scan-a"); strings.Count(got, `"Count":1}`) != 2 {
		t.Errorf("then %s", got)
	}
	tell()
	still(none)
}

// TestWatchHomes: sensors that stand for a home, or may, are a number for kind and zone, whatever
// they send; also those whose kind the policy does not know.
func TestWatchHomes(t *testing.T) {
	v := newTown(t, tmpfs(t))
	defer v.i.journal.log.Close()
	before := fmt.Sprint(v.i.watch.answer().Groups)
	v.sends("home-1", `{"fields":{"rssi":"x"}}`)
	v.sends("home-1", `{"fields":{"rssi":-50}}`)
	v.i.feedback.send()
	if got := fmt.Sprint(v.i.watch.answer().Groups); got != before ||
		got != "[{meter port true 1} {meter rambla true 1}]" {
		t.Errorf("homes are %s; before %s", got, before)
	}
	for _, s := range v.i.watch.answer().Each {
		if strings.HasPrefix(s.ID, "home") {
			t.Errorf("a home is shown singly: %+v", s)
		}
	}
	kinds := v.i.routing.versions[0].Kinds
	next := v.i.routing.versions[0]
	next.Digest, next.Kinds = "next", map[string]register.Kind{"meter": kinds["meter"]}
	if err := v.i.changes.adopt(next); err != nil {
		t.Fatal(err)
	}
	if got := v.i.watch.answer(); len(got.Each) > 0 || fmt.Sprint(got.Groups) !=
		"[{meter port true 1} {meter rambla true 1} {scan port false 2} {scan rambla false 2}]" {
		t.Errorf("of sensors whose kind is not known any more: %+v", got)
	}
}

// TestWatchForgets: what was counted of a sensor about nobody is gone when it is about people.
func TestWatchForgets(t *testing.T) {
	v := newTown(t, tmpfs(t))
	defer v.i.journal.log.Close()
	v.sends("count", `{"seq":1,"fields":{"rssi":-50}}`)
	v.sends("count", `{"seq":1,"fields":{"rssi":"x"}}`)
	next := v.i.routing.versions[0]
	next.Plans = map[string][]plan.Plan{"count": next.Plans["scan-a"]}
	v.i.routing.versions = append(v.i.routing.versions[:0], next)
	if err := v.i.changes.reroute(); err != nil {
		t.Fatal(err)
	}
	if got := v.i.seen("count"); !strings.Contains(got,
		`"People":true,"Undecided":false,"Heard":"0001-01-01T00:00:00Z","Readings":0,`) ||
		!strings.HasSuffix(got, `"Codes":null}`) {
		t.Errorf("of a sensor that is about people now: %s", got)
	}
}

// TestWatchCredentials: what somebody sends in a sensor's name is none of what was heard of it.
func TestWatchCredentials(t *testing.T) {
	v := newTown(t, tmpfs(t))
	defer v.i.journal.log.Close()
	m := intake.Message{Topic: "city/v1/o/count/up", Payload: []byte("{}"), Received: noon, Checked: true,
		Sender: "spy"}
	if err := v.i.handle(t.Context(), v.w, m); err != nil {
		t.Fatal(err)
	}
	if got := v.i.seen("count"); !strings.Contains(got, `"Heard":"0001`) || !strings.Contains(got, `"Codes":null`) {
		t.Errorf("after another's message: %s", got)
	}
}

// TestWatchAllocates: what is kept for technicians costs a reading no allocation.
func TestWatchAllocates(t *testing.T) {
	h, at := &heard{nobody: true}, noon
	if n := testing.AllocsPerRun(100, func() { h.message(at); h.counts(at); at = at.Add(time.Minute) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if !slices.Equal([]int64{magnitude(1), magnitude(9), magnitude(10), magnitude(99), magnitude(1000)},
		[]int64{1, 1, 10, 10, 1000}) {
		t.Error("orders of magnitude")
	}
}
