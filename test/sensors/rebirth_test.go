package sensors

import (
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/firmware-sim/street"
	"sluice/test/harness"
)

// TestSparkplugRebirth: a gateway that starts while an edge node speaks has missed its births, and cannot
// tell what the numbers in its data stand for. It asks for them, and counts what comes after.
func TestSparkplugRebirth(t *testing.T) {
	t.Parallel()
	const seed = 5
	broker := harness.NewMosquitto(t, "")
	sensors, err := device.Speaking("sparkplug-b", "town", 4)
	harness.NoError(t, err)
	c := harness.Found(t, dialectCity(regexp.MustCompile(`zone: \w+`).
		ReplaceAllString(device.Entries(sensors, seed), "zone: square")))
	c.Through(broker.Addr)
	c.Begin()
	var births atomic.Int64
	harness.NoError(t, c.Link.Listen("spBv1.0/+/NBIRTH/+", func([]byte) { births.Add(1) }))
	link, fleet, err := device.Launch("tcp://"+broker.Addr, "edge", device.Credentials{}, sensors, device.Faults{},
		seed, 1, time.UTC, harness.Ten)
	harness.NoError(t, err)
	defer link.Close()
	s := street.New(street.Config{Seed: seed, Sensors: sensors})
	minute := harness.Ten
	play := func(n int) (readings float64) {
		before := happened(s)
		for range n {
			minute = minute.Add(time.Minute)
			c.Tick(minute)
			harness.NoError(t, device.Minute(s, fleet, minute))
			harness.NoError(t, link.Flush())
		}
		return happened(s) - before
	}
	taken := func() float64 { return c.Metric(counted) + c.Metric("sluice_readings_open") }
	want := play(10)
	harness.Await(t, harness.Patience, "what is said before to be taken", func() bool { return taken() == want })

	c.Gateway.Stop(10 * time.Second)
	c.Run()
	c.BrokerUp(true)
	seen := births.Load()
	play(1)
	harness.Await(t, harness.Patience, "the births to come again", func() bool { return births.Load() > seen })
	play(1) // what was on its way with the births
	c.Tick(minute.Add(time.Second))
	c.At(minute)
	base := taken()
	want = play(10)
	harness.Await(t, harness.Patience, "what is said after a rebirth to be taken",
		func() bool { return taken()-base == want })
}

// happened is how many readings there were.
func happened(s *street.Street) (n float64) {
	for _, l := range s.Truth().Lines() {
		n += float64(l.Readings)
	}
	return n
}
