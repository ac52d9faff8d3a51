package cluster

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/test/harness"
)

// speed is asked for by make bench-cluster.
var speed = flag.Int("speed", 0, "readings that TestSpeed sends; 0 leaves it out")

// TestSpeed prints what readings cost in one process, and in a cluster of one, two and three machines that are fronts
// and workers over three servers: how many a second, CPU time of all processes but the sender's, how long a PUBACK
// takes, and for how long none comes when the server dies that leads what fronts hand over. All share this machine.
func TestSpeed(t *testing.T) {
	if *speed == 0 {
		t.Skip("make bench-cluster asks for it")
	}
	fmt.Println("| | readings/s | CPU, µs a reading | PUBACK p50, ms | p99, ms | leader killed: next PUBACK after |")
	fmt.Println("|---|---|---|---|---|---|")
	t.Run("alone", func(t *testing.T) {
		c := harness.Found(t, small())
		c.Run()
		c.Serve()
		row := cost(t, sensors(t, c.Mqtt), []int{c.Gateway.Cmd.Process.Pid})
		fmt.Printf("| one process | %s | |\n", row)
	})
	for _, n := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(n, " machines"), func(t *testing.T) {
			list := []string{"town-1: front, worker, releaser", "town-2: front, worker", "town-3: front, worker"}
			w := newTown(t, list[:n]...)
			w.begin()
			var pids []int
			var links []*device.Link
			for _, c := range w.machines {
				pids = append(pids, c.Gateway.Cmd.Process.Pid)
				links = append(links, sensors(t, c.Mqtt)...)
			}
			for _, node := range w.servers.Nodes {
				pids = append(pids, node.P.Cmd.Process.Pid)
			}
			row := cost(t, links, pids)
			w.servers.Leader("IN").Kill()
			fmt.Printf("| fronts and workers: %d | %s | %s |\n", n, row,
				acknowledged(t, links[0], "silent").Round(100*time.Millisecond))
		})
	}
}

// sensors are eight connections to a front: each has some hundred readings on their way at most.
func sensors(t *testing.T, addr string) (links []*device.Link) {
	t.Helper()
	for n := range 8 {
		link, err := device.Connect("tcp://"+addr, fmt.Sprint("sensor-", n))
		harness.NoError(t, err)
		t.Cleanup(link.Close)
		links = append(links, link)
	}
	return links
}

// cost sends readings through all links as fast as they are acknowledged, and then some one by one.
func cost(t *testing.T, links []*device.Link, pids []int) string {
	t.Helper()
	at := ten.Add(4 * time.Minute)
	for _, link := range links {
		harness.NoError(t, link.Tick(harness.ClockTopic, at))
	}
	send(t, links, "warm", at, 2_000)
	before, began := ticks(t, pids), time.Now()
	send(t, links, "crowd", at, *speed)
	took, cpu := time.Since(began), ticks(t, pids)-before
	var waits []time.Duration
	for n := range 300 {
		waits = append(waits, acknowledged(t, links[0], fmt.Sprint("one-", n)))
	}
	slices.Sort(waits)
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	return fmt.Sprintf("%.0f | %.1f | %.1f | %.1f", float64(*speed)/took.Seconds(),
		float64(cpu)*10_000/float64(*speed), ms(waits[150]), ms(waits[296]))
}

// send sends so many readings of 100,000 devices, each a message, and waits until all are acknowledged.
func send(t *testing.T, links []*device.Link, what string, at time.Time, readings int) {
	t.Helper()
	var all sync.WaitGroup
	for l, link := range links {
		all.Go(func() {
			for n := l; n < readings; n += len(links) {
				link.Publish("city/v1/acme/wifi-1/up", fmt.Appendf(nil,
					`{"ts":%q,"fields":{"device":"%s-%d","rssi":-50,"note":"%0150d"}}`, at.Format(time.RFC3339), what,
					n%100_000, n), false)
			}
			if err := link.Flush(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// acknowledged is how long one reading waits for its PUBACK.
func acknowledged(t *testing.T, link *device.Link, what string) time.Duration {
	t.Helper()
	began := time.Now()
	send(t, []*device.Link{link}, what, ten.Add(4*time.Minute), 1)
	return time.Since(began)
}

// ticks is the CPU time of processes, user and system, in hundredths of a second, as proc_pid_stat(5) has it.
func ticks(t *testing.T, pids []int) (sum int) {
	t.Helper()
	for _, pid := range pids {
		raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		harness.NoError(t, err)
		fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		for _, f := range fields[11:13] {
			n, err := strconv.Atoi(f)
			harness.NoError(t, err)
			sum += n
		}
	}
	return sum
}
