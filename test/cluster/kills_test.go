package cluster

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"sluice/firmware-sim/device"
	"sluice/test/harness"
)

var (
	kills = flag.Int("kills", 4, "SIGKILLs of TestKills")
	rate  = flag.Int("rate", 600, "readings a second that TestKills sends")
)

const (
	gates    = 40               // sensors about nobody
	wifis    = 10               // sensors about people
	together = 10               // readings in a message
	anHour   = 10 * time.Second // of a simulated hour's readings
	crowd    = 200              // devices in an hour
)

// crowded adds the sensors to the small city.
func crowded() map[string]string {
	files := small()
	var all strings.Builder
	all.WriteString("sensors:\n")
	add := func(kind, id string, n int) {
		for i := range n {
			fmt.Fprintf(&all, "  - {id: %s-%d, owner: acme, kind: %s, zone: square, registered: 2026-01-01}\n", id, i+1,
				kind)
		}
	}
	add("people-gate", "gate", gates)
	add("wifi-counter", "wifi", wifis)
	files["register.yaml"] = all.String()
	return files
}

// heard is what was sent in one simulated hour: each reading's number once, however often it was sent.
type heard struct{ turns, passed, devices, readings int }

// flush waits until all that was sent is acknowledged; who is not reached is tried again.
func (w *town) flush(link *device.Link) {
	w.t.Helper()
	for range 5 {
		err := link.Flush()
		if err == nil {
			return
		}
		if errors.Is(err, mqtt.ErrNotConnected) {
			w.t.Fatal(err)
		}
	}
	w.t.Fatal("for five minutes nothing is acknowledged")
}

// tick moves the clock of all fronts, once all is acknowledged.
func (w *town) tick(to time.Time) {
	w.t.Helper()
	for _, link := range w.links {
		w.flush(link)
		link.Publish(harness.ClockTopic, []byte(to.UTC().Format(time.RFC3339Nano)), true)
	}
	for _, link := range w.links {
		w.flush(link)
	}
}

// busy sends an hour's readings at the rate, each fifth message by another front as well. What could not be sent in
// its time follows as soon as it can.
func (w *town) busy(h int) heard {
	w.t.Helper()
	is := heard{devices: crowd}
	at := ten.Add(time.Duration(h)*time.Hour + 4*time.Minute)
	w.tick(at)
	messages := int(anHour.Seconds()) * *rate / together
	began := time.Now()
	for n := range messages {
		time.Sleep(time.Until(began.Add(anHour * time.Duration(n) / time.Duration(messages))))
		var list []string
		sensor := fmt.Sprint("gate-", 1+n/2%gates)
		if n%2 == 1 {
			sensor = fmt.Sprint("wifi-", 1+n/2%wifis)
		}
		for k := range together {
			seq := n*together + k
			when := at.Add(time.Duration(seq%40) * time.Second)
			is.readings++
			if n%2 == 1 {
				list = append(list, fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"crowd-%d-%d","rssi":-50,"note":"x"}}`,
					when.Format(time.RFC3339), seq, h, (n/2*together+k)%crowd))
				continue
			}
			list = append(list, harness.Gate(seq, when, seq%7))
			is.turns++
			is.passed += seq % 7
		}
		topic, text := "city/v1/acme/"+sensor+"/up", []byte("["+strings.Join(list, ",")+"]")
		w.links[n/20%len(w.links)].Publish(topic, text, false)
		if n%5 == 0 {
			w.links[(n/20+1)%len(w.links)].Publish(topic, text, false)
		}
	}
	for _, link := range w.links {
		w.flush(link)
	}
	w.tick(at.Add(time.Hour - time.Minute))
	return is
}

// victim is a process of a town.
type victim struct {
	name        string
	kill, start func()
}

func (w *town) victims() (all []victim) {
	for name, c := range w.machines {
		all = append(all, victim{name, func() { c.Gateway.Kill() }, func() { w.start(name) }})
	}
	for _, n := range w.servers.Nodes {
		all = append(all, victim{n.Name, n.Kill, n.Start})
	}
	slices.SortFunc(all, func(a, b victim) int { return strings.Compare(a.name, b.name) })
	return all
}

// reap kills so many processes, one or two at a time, and starts each again some seconds later, whether or not the
// one before it has found its way back.
func (w *town) reap(r *rand.Rand, number int) {
	all := w.victims()
	died := make(map[string]int)
	for done := 0; done < number; {
		time.Sleep(time.Duration(1000+r.IntN(5000)) * time.Millisecond)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		few := min(1+r.IntN(4)/3, number-done)
		for _, v := range all[:few] {
			v.kill()
			died[v.name]++
			done++
		}
		time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
		for _, v := range all[:few] {
			v.start()
		}
	}
	w.t.Log("killed were ", died)
}

// TestKills: any of six machines and three servers is killed at any time, while sensors send. Each reading that is
// acknowledged counts once, each window is released once, and the books hold.
//
//	go test ./test/cluster -run 'TestKills$' -timeout 2h -args -kills 300 -rate 3000 -seed 7
func TestKills(t *testing.T) {
	t.Parallel()
	w := newTownOf(t, func() *harness.City { return harness.Found(t, crowded()) }, "street-1: front", "street-2: front",
		"count-1: worker", "count-2: worker", "hall-1: releaser", "hall-2: releaser")
	w.begin()
	w.versions(1)
	w.tick(ten)
	w.lives(func() { w.reap(rand.New(rand.NewPCG(*seed, 1)), *kills) })
}

// lives has something happen while sensors send, hour after hour, and looks that each reading counts once.
func (w *town) lives(happens func()) {
	w.t.Helper()
	var beside sync.WaitGroup
	over := make(chan bool)
	beside.Go(func() {
		defer close(over)
		happens()
	})
	defer beside.Wait()
	var hours []heard
	began, readings := time.Now(), 0
	for more := true; more; {
		select {
		case <-over:
			more = false // one more hour, in which nothing happens
		default:
		}
		is := w.busy(len(hours))
		hours, readings = append(hours, is), readings+is.readings
		w.t.Logf("hour %d: %d readings are acknowledged", len(hours), is.readings)
	}
	took := time.Since(began)
	w.ready()
	w.servers.Whole()
	w.holds(2 * len(hours))
	if n := w.released(); n != 2*len(hours) {
		w.t.Errorf("%d windows are released of %d", n, 2*len(hours))
	}
	for _, name := range w.halls {
		for h, is := range hours {
			w.published(name, h, is)
		}
	}
	w.silent()
	w.t.Logf("%d readings in %d windows, %.0f a second", readings, 2*len(hours), float64(readings)/took.Seconds())
}

// published looks that a machine has published what was heard in an hour.
func (w *town) published(name string, h int, is heard) {
	w.t.Helper()
	from := ten.Add(time.Duration(h) * time.Hour)
	got := map[string]float64{}
	for _, stream := range []string{"gates", "devices"} {
		for _, o := range w.machines[name].Some(stream, from, from.Add(time.Hour)) {
			if _, twice := got[o.Measure]; twice || o.Value == nil {
				w.t.Errorf("%s, hour %d: %s has two values, or none", name, h, o.Measure)
				continue
			}
			got[o.Measure] = *o.Value
		}
	}
	if got["turns"] != float64(is.turns) || got["passed"] != float64(is.passed) ||
		math.Abs(got["devices"]-float64(is.devices)) > 5 {
		w.t.Errorf("%s, hour %d: %v; heard was %+v", name, h, got, is)
	}
}
