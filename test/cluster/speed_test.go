package cluster

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/gateway/cluster/lease"
	"sluice/test/harness"
)

// speed is asked for by make bench-cluster, and so is million.
var (
	speed   = flag.Int("speed", 0, "readings that TestSpeed sends; 0 leaves it out")
	million = flag.Int("million", 0, "units of the window that TestMillion closes; 0 leaves it out")
)

// What a cluster is to do.
const (
	speedTarget = 100_000 // readings/s
	priceTarget = 2.5     // CPU time of a reading, servers included, in that of one process
	closeTarget = 2 * time.Second
)

// atRest is how long nothing is sent, to see what that costs.
const atRest = 5 * time.Second

// connections are as many as two and three fronts divide evenly.
const connections = 24

// crowdSize is how many devices are about, but in TestMillion.
const crowdSize = 100_000

// TestSpeed prints what readings cost in one process, and in a cluster of one, two and three machines that are fronts
// and workers over three servers: how many a second, CPU time of all processes but the sender's, and how long a PUBACK
// takes. All share this machine.
func TestSpeed(t *testing.T) {
	if *speed == 0 {
		t.Skip("make bench-cluster asks for it")
	}
	fmt.Printf("\nreadings: %d for each row, over %d connections; load: %s\n\n", *speed, connections, load(t))
	fmt.Printf("| | readings/s (target %d) | CPU, µs a reading | times one process (target %.1f) | PUBACK p50, ms | "+
		"p99, ms | at rest, %% of a processor |\n|---|---|---|---|---|---|---|\n", speedTarget, priceTarget)
	one := 0.0
	row := func(what string, fronts []*harness.City, pids []int) {
		perSecond, price, waits := cost(t, fronts, pids)
		rest := ticks(t, pids)
		time.Sleep(atRest)
		rest = ticks(t, pids) - rest
		if one == 0 {
			one = price
		}
		fmt.Printf("| %s | %.0f | %.1f | %.2f | %.1f | %.1f | %.0f |\n", what, perSecond, price, price/one,
			ms(waits, 50), ms(waits, 99), float64(rest)/atRest.Seconds())
	}
	t.Run("alone", func(t *testing.T) {
		c := harness.Found(t, withCounters())
		c.Run()
		row("one process", []*harness.City{c}, []int{c.Gateway.Cmd.Process.Pid})
	})
	for _, n := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(n, " machines"), func(t *testing.T) {
			list := []string{"town-1: front, worker, releaser", "town-2: front, worker", "town-3: front, worker"}
			w := bigTown(t, list[:n]...)
			row(fmt.Sprintf("%d fronts and workers, three servers", n), slices.Collect(maps.Values(w.machines)),
				w.processes())
		})
	}
}

// TestLosses prints how long it takes, from when a process is killed that does not come back, until a reading is
// acknowledged, and until a window is released that was open then.
func TestLosses(t *testing.T) {
	if *speed == 0 {
		t.Skip("make bench-cluster asks for it")
	}
	w := newTown(t, "street-1: front", "street-2: front", "count-1: worker", "count-2: worker", "hall-1: releaser",
		"hall-2: releaser")
	w.divides(32)
	for _, c := range w.machines { // of a simulated clock nobody says how long a front may be silent
		harness.AppendTo(t, filepath.Join(c.Dir, "gateway.yaml"), "windows: {catch_up: PT15S}\n")
	}
	w.begin()
	w.versions(1)
	for _, link := range w.links {
		harness.NoError(t, link.Tick(harness.ClockTopic, ten))
	}
	fmt.Printf("\n| killed | next PUBACK after, s | next release after, s (target %.0f) |\n|---|---|---|\n",
		felt.Seconds())
	h := 0
	lose := func(what string, links []*device.Link, happens func()) {
		t.Helper()
		is := w.loses(h, what, links, happens)
		h++
		fmt.Printf("| %s | %.1f | %.1f |\n", what, is.acknowledged.Seconds(), is.released.Seconds())
	}
	kill := func(name string) func() { return w.machines[name].Gateway.Kill }
	lose("nothing", w.links, func() {})
	owner := lease.Owner(0, []string{"count-1", "count-2"})
	lose("a worker", w.links, kill(owner))
	w.machines[owner].Run()
	who := w.releases()
	lose("who releases", w.links, kill(who))
	w.machines[who].Run()
	for _, stream := range []string{"IN", "BOOKS"} {
		n := w.servers.Leader(stream)
		lose("the server that leads "+stream, w.links, n.Kill)
		n.Start()
		w.servers.Whole()
	}
	var away *device.Link
	lose("a front, whose clients connect to the other", w.links[1:], func() {
		w.machines["street-1"].Gateway.Kill()
		away = w.links[0]
	})
	away.Close()
}

// TestMillion prints how long it takes from the tick that closes a window with a million units over 32 partitions until
// it is in the public books, and how much memory that takes.
func TestMillion(t *testing.T) {
	if *million == 0 {
		t.Skip("make bench-cluster asks for it")
	}
	w := bigTown(t, "town-1: front, worker, releaser", "town-2: front, worker")
	at := ten.Add(4 * time.Minute)
	for _, link := range w.links {
		harness.NoError(t, link.Tick(harness.ClockTopic, at))
	}
	var fronts []string
	for _, c := range w.machines {
		fronts = append(fronts, c.Mqtt)
	}
	began := time.Now()
	pour(t, senders(t, 4, fronts...), 0, *million, *million)
	loaded, before := time.Since(began), w.memory()
	began = time.Now()
	for _, link := range w.links {
		harness.NoError(t, link.Tick(harness.ClockTopic, ten.Add(time.Hour+3*time.Minute)))
	}
	ticked := time.Since(began)
	harness.Await(t, 5*time.Minute, "the window in the public books", func() bool { return w.released() >= 2 })
	took := time.Since(began)
	fmt.Printf("\nload: %s\n\n| a window with %d units over 32 partitions, two machines | | target |\n"+
		"|---|---|---|\n", load(t), *million)
	fmt.Printf("| taken in | %.1f s | |\n| from the tick until it is in the public books | %.2f s (%.2f of them for "+
		"the tick to be acknowledged) | %.0f s |\n", loaded.Seconds(), took.Seconds(), ticked.Seconds(),
		closeTarget.Seconds())
	fmt.Printf("| most memory of a machine, before and after | %s and %s MiB | |\n", before, w.memory())
	c := w.machines["town-1"]
	c.Stored()
	said := numbers(c, "devices")
	if len(said) != 1 {
		t.Errorf("%d numbers are published of one window: %v", len(said), said)
	}
	for at, v := range said {
		if v < 0.999*float64(*million) || v > 1.001*float64(*million) {
			t.Errorf("%s: %v units of %d", at, v, *million)
		}
	}
	if took > 10*closeTarget {
		t.Errorf("it took %s", took)
	}
}

// bigTown is a town that has begun, with a crowd's sensors and as many partitions as a city has.
func bigTown(t *testing.T, list ...string) *town {
	t.Helper()
	w := newTownOf(t, func() *harness.City { return harness.Found(t, withCounters()) }, list...)
	w.divides(32)
	w.begin()
	w.versions(1)
	return w
}

// divides has a town's units in so many partitions; before it begins.
func (w *town) divides(partitions int) {
	for _, c := range w.machines {
		c.Edit("gateway.yaml", "partitions: 4", fmt.Sprint("partitions: ", partitions))
	}
}

// processes are those of all machines and servers.
func (w *town) processes() (pids []int) {
	for _, c := range w.machines {
		pids = append(pids, c.Gateway.Cmd.Process.Pid)
	}
	for _, node := range w.servers.Nodes {
		pids = append(pids, node.P.Cmd.Process.Pid)
	}
	return pids
}

// memory is the most that each machine has had resident, in MiB.
func (w *town) memory() string {
	w.t.Helper()
	var most []string
	for _, name := range slices.Sorted(maps.Keys(w.machines)) {
		raw := harness.Read(w.t, fmt.Sprintf("/proc/%d/status", w.machines[name].Gateway.Cmd.Process.Pid))
		kib, err := strconv.Atoi(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(raw)[1])
		harness.NoError(w.t, err)
		most = append(most, fmt.Sprint(kib>>10))
	}
	return strings.Join(most, ", ")
}

// cost sends readings to fronts as fast as they are acknowledged, and then some one by one: how many a second, CPU
// microseconds of each, and how long those that came alone have waited, sorted.
func cost(t *testing.T, fronts []*harness.City, pids []int) (perSecond, price float64, waits []time.Duration) {
	t.Helper()
	var addresses []string
	for _, c := range fronts {
		link, err := device.Connect("tcp://"+c.Mqtt, "clock")
		harness.NoError(t, err)
		defer link.Close()
		harness.NoError(t, link.Tick(harness.ClockTopic, ten.Add(4*time.Minute)))
		addresses = append(addresses, c.Mqtt)
	}
	list := senders(t, connections/len(addresses), addresses...)
	const warm = 20_000
	pour(t, list, 0, warm, crowdSize)
	before, began := ticks(t, pids), time.Now()
	pour(t, list, warm, *speed, crowdSize)
	took, cpu := time.Since(began), ticks(t, pids)-before
	for n := range 150 {
		began := time.Now()
		pour(t, list[:1], warm+*speed+n, 1, crowdSize)
		waits = append(waits, time.Since(began))
	}
	slices.Sort(waits)
	return float64(*speed) / took.Seconds(), float64(cpu) * 10_000 / float64(*speed), waits
}

// ms is a percentile of what is sorted, in milliseconds.
func ms(sorted []time.Duration, percent int) float64 {
	return sorted[(len(sorted)-1)*percent/100].Seconds() * 1000
}

// load is what else this machine does: /proc/loadavg, over one, five and fifteen minutes.
func load(t *testing.T) string {
	t.Helper()
	return strings.Join(strings.Fields(harness.Read(t, "/proc/loadavg"))[:3], ", ")
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
