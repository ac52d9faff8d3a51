package ingest

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/window"
	"sluice/gateway/release"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/register"
	"sluice/test/raced"
)

// townSensors: two that scan, with a zone each; a third whose owner tries what it can
// learn; a counter of nobody; a home in a zone of its own.
const townSensors = `sensors:
  - {id: scan-a, owner: o, kind: scan, zone: rambla, registered: 2026-01-01}
  - {id: scan-b, owner: o, kind: scan, zone: port, registered: 2026-01-01}
  - {id: spy, owner: p, kind: scan, zone: rambla, registered: 2026-01-01}
  - {id: count, owner: o, kind: scan, zone: port, registered: 2026-01-01}
  - {id: home-1, owner: o, kind: meter, zone: rambla, registered: 2026-01-01}
  - {id: home-2, owner: o, kind: meter, zone: port, registered: 2026-01-01}
`

// townStreams are decisions of every measure about devices, about homes, and about nobody.
func townStreams(t interface{ Fatal(...any) }) []*plan.Stream {
	stream := func(id string, unit plan.Unit, measures ...plan.Measure) *plan.Stream {
		s := &plan.Stream{
			ID: id, Decision: id, Timezone: "UTC", Every: civil.MustPeriod("PT1H"), Lateness: civil.MustPeriod("PT2M"),
			Forget: civil.MustPeriod("P1D"),
			From:   noon.AddDate(0, -1, 0), Until: noon.AddDate(0, 1, 0), Unit: unit, Keep: []string{"device", "rssi"},
			Zones: []string{"rambla", "port"}, Measures: measures,
			Protect: plan.Protect{MinUnits: 3, Epsilon: 1, Delta: 1e-6, MaxContributions: 2},
		}
		if unit.None() {
			s.Protect, s.Forget = plan.Protect{}, civil.Period{}
		}
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	device, home := plan.Unit{Field: "device", StandsFor: "device"}, plan.Unit{Sensor: true, StandsFor: "home"}
	apart := func(s *plan.Stream) *plan.Stream {
		s.Protect.MaxContributions, s.Protect.ByOwner = 3, map[string]int64{"o": 2, "p": 1}
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	known := stream("known", home,
		plan.Measure{Name: "sum", Of: plan.Sum, Field: "rssi", Bounded: true, Low: -100, High: 0})
	known.Protect.Membership = plan.Public
	if err := known.Finish(); err != nil {
		t.Fatal(err)
	}
	noisy := stream("noisy", device, plan.Measure{Name: "devices", Of: plan.Distinct},
		plan.Measure{Name: "n", Of: plan.Count, Bounded: true, High: 3})
	noisy.Protect.Floor = plan.Noisy
	if err := noisy.Finish(); err != nil {
		t.Fatal(err)
	}
	return []*plan.Stream{
		noisy,
		apart(stream("apart", device, plan.Measure{Name: "devices", Of: plan.Distinct})),
		apart(
			stream("values", device,
				plan.Measure{Name: "mean", Of: plan.Mean, Field: "rssi", Bounded: true, Low: -100, High: 0},
				plan.Measure{Name: "classes", Of: plan.Histogram, Field: "rssi", Edges: []float64{-90, -60, -30}},
				plan.Measure{Name: "n", Of: plan.Count, Bounded: true, High: 3},
				plan.Measure{Name: "sum", Of: plan.Sum, Field: "rssi", Bounded: true, Low: -100, High: 0})),
		stream("different", device, plan.Measure{Name: "devices", Of: plan.Distinct}),
		stream("sums", device, plan.Measure{Name: "n", Of: plan.Count, Bounded: true, High: 3},
			plan.Measure{Name: "sum", Of: plan.Sum, Field: "rssi", Bounded: true, Low: -100, High: 0}),
		stream("last", device,
			plan.Measure{Name: "mean", Of: plan.Mean, Field: "rssi", Bounded: true, Low: -100, High: 0},
			plan.Measure{Name: "classes", Of: plan.Histogram, Field: "rssi", Edges: []float64{-90, -60, -30}}),
		stream("homes", home,
			plan.Measure{Name: "sum", Of: plan.Sum, Field: "rssi", Bounded: true, Low: -100, High: 0}),
		known,
		stream("nobody", plan.Unit{StandsFor: "none"}, plan.Measure{Name: "n", Of: plan.Count}),
	}
}

// event is one thing that happens to a town.
type event struct {
	tick    time.Duration // to this time of the day
	restart bool
	beat    bool
	sensor  string
	records []record
	dup     bool
}

// record is one reading of a message, as it is written.
type record struct{ unit, text string }

// fewer has rapid draw a tenth of the towns with the race detector: what is beside what is the same in each.
func fewer(t *testing.T) {
	t.Helper()
	if f := flag.Lookup("rapid.checks"); raced.On && f.Value.String() == f.DefValue {
		t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
		if err := f.Value.Set("10"); err != nil {
			t.Fatal(err)
		}
	}
}

// town is a gateway by wall time and all that has left it.
type town struct {
	t    interface{ Fatal(...any) }
	i    *Ingest
	dir  string
	now  time.Time
	w    wall
	out  chan release.Batch
	done chan release.Key
	left []string // what must be equal
	// numbers are each window's cells, by stream and window, and told what each sensor was
	// told.
	numbers map[string][]release.Sums
	told    map[string][]string
	// shown is what technicians were shown of each sensor, each state once.
	shown map[string][]string
	// epochs are the two numbers of each epoch, by its last window.
	epochs map[string][2]int64
	// counts says of each unit in which windows and cells it counts.
	counts map[string][]string
	// parts says it of each unit and owner, where owners have parts of the bound.
	parts map[string][]string
	// front is what the town hands its readings to; nil where it counts them.
	front *Front
}

func newTown(t interface{ Fatal(...any) }, dir string, front ...*Front) *town {
	v := &town{
		t: t, dir: dir, now: noon, out: make(chan release.Batch, 1), done: make(chan release.Key, 1),
		numbers: make(map[string][]release.Sums), told: make(map[string][]string), counts: make(map[string][]string),
		parts: make(map[string][]string), shown: make(map[string][]string),
		epochs: make(map[string][2]int64),
	}
	v.w = wall{v.out, v.done}
	if len(front) > 0 {
		v.front = front[0]
	}
	v.open()
	return v
}

func (v *town) open() {
	reg, err := register.Parse("register.yaml", []byte(townSensors))
	if err != nil {
		v.t.Fatal(err)
	}
	i := newIngest(Config{
		Dir: filepath.Join(v.dir, "checkpoint"), Keys: filepath.Join(v.dir, "keys"), Register: reg, Future: time.Minute,
		Now: func() time.Time { return v.now }, Uptime: func() time.Duration {
			return v.now.Sub(noon)
		}, Log: slog.New(slog.DiscardHandler),
	})
	if v.front != nil {
		if err := i.lead(v.front); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := i.changes.adopt(townVersion(v.t, reg)); err != nil {
		v.t.Fatal(err)
	}
	if err := newRecovery(i).run(); err != nil {
		v.t.Fatal(err)
	}
	i.startClock()
	v.i = i
	v.note()
}

// note keeps what everybody can see at this moment.
func (v *town) note() {
	v.i.reporter.refresh()
	r := v.i.Report()
	watched := v.i.watch.answer()
	v.left = append(v.left,
		fmt.Sprintf("%s: %d windows, through %s, lives %v, homes %v", v.now.Format(time.TimeOnly), r.Windows,
			r.Through.Format(time.TimeOnly), r.Lives.Of, watched.Groups))
	for _, s := range watched.Each {
		if strings.HasPrefix(s.ID, "home") {
			v.t.Fatal("a home is shown singly")
		}
		if s.People && (!s.Heard.IsZero() || s.Readings > 0 || s.PerMinute > 0) {
			v.t.Fatal("a sensor about people is shown with what it sends")
		}
		if was, is := v.shown[s.ID], fmt.Sprintf("%+v", s); len(was) == 0 || was[len(was)-1] != is {
			v.shown[s.ID] = append(was, is)
		}
	}
}

func (v *town) live(e event) {
	i := v.i
	switch {
	case e.tick > 0:
		v.now = noon.Truncate(24 * time.Hour).Add(e.tick)
		v.look()
		if err := i.tick(context.Background(), v.w, v.now); err != nil {
			v.t.Fatal(err)
		}
		v.release()
		i.tellInto(v.told)
	case e.restart:
		v.commit()
		_ = i.journal.log.Close()
		i.tellInto(v.told)
		v.open()
		return
	case e.beat:
		v.hear("hb", e.sensor, fmt.Sprintf(`{"ts":%q,"every":"PT10M"}`, v.now.Format(time.RFC3339)), false)
	default:
		list := make([]string, len(e.records))
		for n := range e.records {
			list[n] = e.records[n].text
		}
		v.hear("up", e.sensor, "["+strings.Join(list, ",")+"]", e.dup)
	}
	v.note()
}

func (v *town) hear(leaf, sensor, payload string, dup bool) {
	topic := "city/v1/o/" + sensor + "/" + leaf
	if sensor == "spy" {
		topic = "city/v1/p/spy/" + leaf
	}
	v.i.sources.queue.Put(context.Background(),
		intake.Message{Topic: topic, Payload: []byte(payload), Received: v.now, Dup: dup,
			Checked: true, Sender: sensor, Explains: true})
	m, ok := v.i.sources.queue.Take()
	if !ok {
		v.t.Fatal("no message waits")
	}
	if err := v.i.handle(context.Background(), v.w, m); err != nil {
		v.t.Fatal(err)
	}
	answered := v.i.reception.batch.messages[0].Outcome
	v.told[sensor] = append(v.told[sensor], fmt.Sprintf("answered %+v", answered))
	if answered.Code != fault.None && strings.HasPrefix(sensor, "home") {
		v.t.Fatal("a home is told " + answered.Why)
	}
	v.commit()
}

// end ends the process.
func (v *town) end() {
	v.commit()
	_ = v.i.journal.log.Close()
}

func (v *town) commit() {
	if err := v.i.commit(context.Background()); err != nil {
		v.t.Fatal(err)
	}
}

// release lets everything that is due cross the wall.
func (v *town) release() {
	for len(v.i.closes.list) > 0 || v.i.closes.overdue {
		b := <-v.out
		gap := reflect.ValueOf(b).FieldByName("gap").String()
		name := fmt.Sprintf("%s from %s", b.Key().Stream, b.Key().Start.Format(time.TimeOnly))
		sums := cellsOf(b)
		shown := make([]string, len(sums))
		for n := range sums { // and all that decides what is shown where the register does
			shown[n] = fmt.Sprintf("%v, %d registered", sums[n].Alive, sums[n].Registered)
		}
		v.left = append(v.left, fmt.Sprintf("%s is released: gap %q, alive %v", name, gap, shown))
		v.numbers[name] = sums
		if e := reflect.ValueOf(b).FieldByName("epoch"); !e.IsNil() {
			known := e.Elem().FieldByName("Known").Bool()
			v.left = append(v.left, fmt.Sprintf("%s ends an epoch: known %v", name, known))
			v.epochs[name] = [2]int64{e.Elem().FieldByName("Units").Int(), e.Elem().FieldByName("Bounded").Int()}
		}
		if err := v.i.crossed(context.Background(), v.w); err != nil {
			v.t.Fatal(err)
		}
	}
}

// look notes which units count where, in the windows that are open.
func (v *town) look() {
	for _, id := range slices.Sorted(maps.Keys(v.i.windows.streams)) {
		for _, at := range slices.Sorted(maps.Keys(v.i.windows.streams[id].windows)) {
			w := v.i.windows.streams[id].windows[at]
			if w.Stream.Unit.None() {
				continue
			}
			for _, unit := range []string{"d0", "d1", "d2", "d3", "home-1", "home-2"} {
				for c := range w.Stream.Cells {
					if w.HasUnit(&window.Entry{Cell: uint32(c), Unit: w.epoch.Tag([]byte(unit))}) {
						v.counts[unit] = append(v.counts[unit],
							fmt.Sprintf("%s %s: %s, %s", v.now.Format(time.TimeOnly), w.name, w.Stream.Cells[c].Zone,
								did(w, c, unit)))
					}
					v.lookAt(w, uint32(c), unit)
				}
			}
		}
	}
}

// lookAt notes by which owners' parts a unit counts in a cell, where they have parts.
func (v *town) lookAt(w *openWindow, c uint32, unit string) {
	by := 0
	for n, p := range w.Stream.OwnerParts() {
		if w.HasUnit(&window.Entry{Cell: c, Unit: w.epoch.Tag([]byte(unit)), Owner: uint8(n + 1)}) {
			of := unit + " by " + p.Owner
			v.parts[of] = append(v.parts[of],
				fmt.Sprintf("%s %s: %s", v.now.Format(time.TimeOnly), w.name, w.Stream.Cells[c].Zone))
			by++
		}
	}
	if by == 0 && len(w.Stream.OwnerParts()) > 0 && w.HasUnit(&window.Entry{Cell: c, Unit: w.epoch.Tag([]byte(unit))}) {
		v.t.Fatal("a unit counts by nobody's part")
	}
}

// did is what one unit has added up to in a cell, which only the window reads.
func did(w *openWindow, c int, unit string) string {
	cell := reflect.ValueOf(w.Window).Elem().FieldByName("cells").Index(c)
	at := int(cell.FieldByName("units").MapIndex(reflect.ValueOf(w.epoch.Tag([]byte(unit)))).FieldByName("at").Int())
	state, text := cell.FieldByName("state"), ""
	for m := range w.Stream.Measures {
		if w.Stream.Measures[m].Of == plan.Distinct {
			continue
		}
		one := state.Index(at + m)
		if of := w.Stream.Measures[m].Of; of == plan.Count || of == plan.Sum {
			text += fmt.Sprintf("%d readings, ", one.FieldByName("n").Int())
		}
		text += fmt.Sprintf("sum %d, last %d; ", int64(one.FieldByName("sum").FieldByName("Low").Uint()),
			one.FieldByName("lastValue").Int())
	}
	return text
}

// cellsOf reads what only release reads.
func cellsOf(b release.Batch) []release.Sums {
	from := reflect.ValueOf(b).FieldByName("cells")
	out := make([]release.Sums, from.Len())
	for n := range out {
		c := from.Index(n)
		out[n] = release.Sums{Units: c.FieldByName("Units").Int(), Registered: c.FieldByName("Registered").Int(),
			Alive: c.FieldByName("Alive").Bool()}
		total, weight := c.FieldByName("Total"), c.FieldByName("Weight")
		for m := range total.Len() {
			var slots []int64
			for s := range total.Index(m).Len() {
				slots = append(slots, total.Index(m).Index(s).Int())
			}
			out[n].Total, out[n].Weight = append(out[n].Total, slots), append(out[n].Weight, weight.Index(m).Int())
		}
	}
	return out
}

// tellInto hands over what sensors are told.
func (i *Ingest) tellInto(told map[string][]string) {
	i.feedback.last.remember(i.feedback.tally, time.Time{}, time.Time{})
	for s, faults := range i.feedback.tally {
		for f, n := range faults {
			told[s.entry.ID] = append(told[s.entry.ID], fmt.Sprintf("%s (field %d): %+v", f.Code, f.Field, n))
		}
		slices.Sort(told[s.entry.ID])
	}
	clear(i.feedback.tally)
}
