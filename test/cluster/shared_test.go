package cluster

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestShared: two fronts are clients of one broker and share out what comes, so that also a reading that says neither
// when nor which it is counts once; what one has not taken when it dies waits for it. Where they do not share, both
// take everything, and what says which it is still counts once.
func TestShared(t *testing.T) {
	t.Parallel()
	broker := harness.NewMosquitto(t, "")
	w := newTown(t, "street-1: front", "street-2: front", "town: worker, releaser")
	for _, name := range w.fronts {
		w.machines[name].Through(broker.Addr)
	}
	for name := range w.machines {
		w.start(name)
	}
	w.ready()
	town, one, two := w.machines["town"], w.machines["street-1"], w.machines["street-2"]
	town.Serve()
	one.BrokerUp(true)
	two.BrokerUp(true)
	w.versions(1)
	link := one.Connect()
	w.links = append(w.links, link)
	clock := func(to time.Time) { // a broker acknowledges it before the fronts have it
		t.Helper()
		w.tick(to)
		for _, c := range []*harness.City{one, two} {
			harness.Await(t, time.Minute, "a front to know the time", func() bool {
				var health struct{ Now time.Time }
				harness.GetJSON(t, c.Admin+"/healthz", &health)
				return health.Now.Equal(to)
			})
		}
	}
	clock(ten)
	turn := func(h int, text func(n int) string, amid func()) {
		t.Helper()
		clock(ten.Add(time.Duration(h)*time.Hour + 4*time.Minute))
		for n := range 200 {
			link.Publish("city/v1/acme/gate-1/up", []byte(text(n)), false)
			if n == 100 {
				w.flush(link)
				amid()
			}
		}
		w.flush(link)
		clock(ten.Add(time.Duration(h+1)*time.Hour + 3*time.Minute))
		w.holds(2 * (h + 1))
		from := ten.Add(time.Duration(h) * time.Hour)
		for _, o := range town.Some("gates", from, from.Add(time.Hour)) {
			if o.Measure == "turns" && (o.Value == nil || *o.Value != 200) {
				t.Errorf("hour %d: %+v; want 200", h, o)
			}
		}
	}
	nameless := func(n int) string { return fmt.Sprintf(`{"fields":{"passed":%d}}`, n%7) }
	turn(0, nameless, func() {})
	received := func() (float64, float64) {
		return one.Metric("sluice_received_total"), two.Metric("sluice_received_total")
	}
	if a, b := received(); a < 50 || b < 50 || a+b != 200 {
		t.Errorf("the fronts have received %v and %v", a, b)
	}
	named := func(h int) func(int) string {
		return func(n int) string {
			return harness.Gate(n, ten.Add(time.Duration(h)*time.Hour+5*time.Minute), n%7)
		}
	}
	turn(1, named(1), func() {
		two.Gateway.Kill()
		w.start("street-2")
		w.ready()
		two.BrokerUp(true)
	})
	for _, c := range []*harness.City{one, two} {
		c.Edit("gateway.yaml", "mqtt: {broker:", "mqtt: {share: false, broker:")
		if code := c.Gateway.Stop(time.Minute); code != 0 {
			t.Errorf("a front ends with %d", code)
		}
	}
	w.start("street-1")
	w.start("street-2")
	w.ready()
	one.BrokerUp(true)
	two.BrokerUp(true)
	before, also := received()
	turn(2, named(2), func() {})
	harness.Await(t, time.Minute, "both fronts to have received everything", func() bool {
		a, b := received()
		return a >= before+200 && b >= also+200
	})
	if code, said := harness.Verb(t, "doctor", "-c", filepath.Join(one.Dir, "gateway.yaml")); code == 2 {
		t.Error(said)
	}
}
