package cluster

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

const (
	oracleHours = 4 // are lived through in the oracle's story
	nameless    = 8 // sensors say neither which reading it is nor when it was: enough to be in each partition
)

// counted is a city with two zones, whose decision about devices counts several things of each, in epochs of three
// hours, and turns devices away that were there in two of them.
func counted() map[string]string {
	files := small()
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "{device: 20}", "{device: 200}", 1)
	files["policy/zones.geojson"] = harness.Squares([]string{"square", "port"})
	for name, with := range map[string][]string{
		"gates": {"    - {name: turns, of: count()}\n", "    - {name: turns, of: count()}\n" +
			"    - {name: mean, of: mean(passed), between: [0, 50]}\n  by: [zone]\n"},
		"devices": {"    - {name: devices, of: distinct(unit)}\n", "    - {name: devices, of: distinct(unit)}\n" +
			"    - {name: readings, of: count(), between: [0, 3]}\n" +
			"    - {name: signal, of: mean(rssi), between: [-100, 0]}\n",
			"max_contributions: 1", "max_contributions: 2", "forget_after: P1D", "forget_after: PT3H"},
	} {
		path := "policy/decisions/" + name + ".yaml"
		with = append(with, "zones: [square]", "zones: [square, port]")
		files[path] = strings.NewReplacer(with...).Replace(files[path])
	}
	register := `sensors:
  - {id: gate-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}
  - {id: wifi-1, owner: acme, kind: wifi-counter, zone: square, registered: 2026-01-01}
  - {id: wifi-2, owner: acme, kind: wifi-counter, zone: port, registered: 2026-01-01}
`
	for n := range nameless {
		register += fmt.Sprintf("  - {id: pier-%d, owner: acme, kind: people-gate, zone: port, "+
			"registered: 2026-01-01}\n", n)
	}
	files["register.yaml"] = register
	return files
}

// strike is a SIGKILL.
type strike struct {
	name    string // of a machine; none for no strike
	front   bool
	worker  bool
	closing bool // while windows close, and not while sensors send
	after   time.Duration
}

func (s strike) falls(w *town, closing bool) {
	w.t.Helper()
	if s.name == "" || s.closing != closing {
		return
	}
	if s.worker && !closing { // what was sent is in the state of each of four partitions: five were written
		for _, link := range w.links {
			w.flush(link)
		}
		before := w.servers.Last("STATE")
		harness.Await(w.t, time.Minute, "workers to write their state", func() bool {
			return w.servers.Last("STATE") > before+4
		})
	}
	time.Sleep(s.after)
	w.kill(s.name)
}

// strikes kill a worker while sensors send and another while windows close, a front, and one that releases, each in an
// hour of its own.
func strikes(r *rand.Rand, workers int) map[int]strike {
	worker := func() string { return fmt.Sprint("count-", 1+r.IntN(workers)) }
	all := []strike{
		{name: worker(), worker: true},
		{name: worker(), worker: true, closing: true},
		{name: fmt.Sprint("street-", 1+r.IntN(2)), front: true, closing: r.IntN(2) == 0},
		{name: fmt.Sprint("hall-", 1+r.IntN(2)), closing: r.IntN(2) == 0},
	}
	out := make(map[int]strike)
	for i, h := range r.Perm(oracleHours) {
		all[i].after = time.Duration(r.IntN(1000)) * time.Millisecond
		out[h] = all[i]
	}
	return out
}

// counts sends an hour of readings. What has no number and no time is counted as often as it is handed over; what is
// said of devices is partly said again by another front.
func (w *town) counts(h int, s strike) {
	w.t.Helper()
	at := ten.Add(time.Duration(h)*time.Hour + 4*time.Minute)
	w.tick(at)
	say := func(n int, sensor, text string) {
		w.links[n%len(w.links)].Publish("city/v1/acme/"+sensor+"/up", []byte(text), false)
	}
	for n := range 60 {
		say(n, fmt.Sprint("pier-", n%nameless), fmt.Sprintf(`{"fields":{"passed":%d}}`, n%5))
	}
	if s.front { // it may die before it says that it has them, and would get them again
		for _, link := range w.links {
			w.flush(link)
		}
	}
	for n := range 60 {
		if n == 20 {
			s.falls(w, false)
		}
		when := at.Add(time.Duration(n) * time.Second)
		say(n, "gate-1", harness.Gate(h*100+n, when, n%7))
		device := fmt.Sprintf("crowd-%d-%d", h, n%25) // of this hour, and of every hour
		if n%2 == 0 {
			device = fmt.Sprintf("crowd-%d", n%20)
		}
		text := fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":%q,"rssi":%d,"note":"x"}}`,
			when.Format(time.RFC3339), h*100+n, device, -40-n%13)
		sensor := fmt.Sprint("wifi-", 1+(n/2+h)%2)
		say(n, sensor, text)
		if n%5 == 0 {
			say(n+1, sensor, text)
		}
	}
	w.tick(at.Add(time.Hour - time.Minute))
	s.falls(w, true)
}

// exactly lives through the hours with a program that writes down what it draws noise for, and returns that, by stream
// and hour.
func (w *town) exactly(program string, strikes map[int]strike) map[string]string {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "exact")
	for _, name := range w.halls {
		w.programs[name], w.environment[name] = program, []string{harness.ExactVariable + "=" + file}
	}
	w.begin()
	w.versions(1)
	w.tick(ten)
	for h := range oracleHours {
		w.counts(h, strikes[h])
	}
	w.holds(2 * oracleHours)
	if n := w.released(); n != 2*oracleHours {
		w.t.Errorf("%d windows are released", n)
	}
	out := make(map[string]string)
	for line := range strings.Lines(harness.Read(w.t, file)) {
		window, text, _ := strings.Cut(line, "\t")
		if old, there := out[window]; there && old != text {
			w.t.Errorf("%s was to be released as\n%sand as\n%s", window, old, text)
		}
		out[window] = text
	}
	return out
}

// TestOracle: the same readings through one process, and through clusters of 1, 2 and 4 workers of which a worker, a
// front and one that releases are killed, come to identical exact numbers before noise, and where nothing is drawn to
// identical public ones.
//
//	go test ./test/cluster -run 'TestOracle$' -args -seed 7
func TestOracle(t *testing.T) {
	t.Parallel()
	program := harness.Exact(t)
	c := harness.Found(t, counted())
	one := &town{t: t, machines: map[string]*harness.City{"alone": c}, fronts: []string{"alone"},
		halls: []string{"alone"}, programs: make(map[string]string), environment: make(map[string][]string)}
	want, public := one.exactly(program, nil), numbers(c, "gates")
	if len(want) != 2*oracleHours || len(public) != 3*2*oracleHours {
		t.Fatalf("one process has %v, and publishes %v", want, public)
	}
	if code := c.Gateway.Stop(time.Minute); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	for _, workers := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(workers, " workers"), func(t *testing.T) {
			t.Parallel()
			list := []string{"street-1: front", "street-2: front", "hall-1: releaser", "hall-2: releaser"}
			for n := range workers {
				list = append(list, fmt.Sprintf("count-%d: worker", n+1))
			}
			w := newTownOf(t, func() *harness.City { return harness.Found(t, counted()) }, list...)
			got := w.exactly(program, strikes(rand.New(rand.NewPCG(*seed, uint64(workers))), workers))
			for window, text := range want {
				if got[window] != text {
					t.Errorf("%s: one process has\n%sand the cluster\n%s", window, text, got[window])
				}
			}
			if len(got) != len(want) {
				t.Errorf("one process has %d windows, and the cluster %d", len(want), len(got))
			}
			for _, name := range w.halls {
				if got := numbers(w.machines[name], "gates"); !maps.Equal(public, got) {
					t.Errorf("%s: one process publishes\n%v\nand the cluster\n%v", name, public, got)
				}
			}
			w.silent()
		})
	}
}
