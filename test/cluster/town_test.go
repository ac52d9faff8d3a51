package cluster

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/gateway/cluster/roster"
	"sluice/policy/ballot"
	"sluice/test/harness"
	"sluice/test/nats"
)

// town is a city on several machines.
type town struct {
	t        *testing.T
	servers  *nats.Servers
	machines map[string]*harness.City
	fronts   []string
	halls    []string // those that release
	links    []*device.Link
	operator []byte                      // the key that signs rosters
	cables   map[string][]*harness.Cable // from machines to servers, where there are any
	// Of machines that have another: the program, and what is added to the environment.
	programs    map[string]string
	environment map[string][]string
}

// newTown has machines as front-1: front.
func newTown(t *testing.T, list ...string) *town {
	t.Helper()
	return newTownOf(t, func() *harness.City { return harness.Found(t, small()) }, list...)
}

// newTownOf is newTown of cities that are founded so.
func newTownOf(t *testing.T, found func() *harness.City, list ...string) *town {
	t.Helper()
	w := &town{t: t, servers: nats.Start(t), machines: make(map[string]*harness.City),
		programs: make(map[string]string), environment: make(map[string][]string)}
	operator, line, err := ballot.Generate("operator")
	harness.NoError(t, err)
	members := "version: 1\nmembers:\n"
	for _, one := range list {
		name, roles, _ := strings.Cut(one, ": ")
		private, public, err := roster.New(name)
		harness.NoError(t, err)
		members += fmt.Sprintf("  - {name: %s, key: %s, roles: [%s]}\n", name, strings.TrimSpace(public), roles)
		c := found()
		w.machines[name] = c
		harness.NoError(t, os.Mkdir(filepath.Join(c.Dir, "member"), 0o700))
		for file, text := range map[string]string{
			"data.nk": harness.Read(t, w.servers.Data), "keys.nk": harness.Read(t, w.servers.Keys),
			"member.key": string(private), "signers": "operator " + line + "\n",
		} {
			harness.WriteSecret(t, filepath.Join(c.Dir, "member", file), text)
		}
		c.Edit("gateway.yaml", "gateway: test-1", "gateway: town")
		if strings.Contains(roles, "front") {
			w.fronts = append(w.fronts, name)
		} else {
			c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}\n", c.Mqtt), "")
		}
		if strings.Contains(roles, "releaser") {
			w.halls = append(w.halls, name)
		}
		harness.AppendTo(t, filepath.Join(c.Dir, "gateway.yaml"), fmt.Sprintf(
			"cluster: {nats: [\"%s\"], ca: %q, credentials: member, name: %s, partitions: 4, roles: [%s], "+
				"roster: roster.yaml}\n",
			strings.Join(w.servers.URLs(), `", "`), w.servers.CA, name, roles))
	}
	w.operator = operator
	w.signs(members)
	return w
}

// signs gives all machines a roster, signed.
func (w *town) signs(members string) {
	w.t.Helper()
	sig, err := ballot.Sign(w.operator, []byte(members), roster.Namespace)
	harness.NoError(w.t, err)
	for _, c := range w.machines {
		harness.Write(w.t, filepath.Join(c.Dir, "roster.yaml"), members)
		harness.Write(w.t, filepath.Join(c.Dir, "roster.yaml.sig"), string(sig.File()))
	}
}

// start starts a machine and does not wait for it.
func (w *town) start(name string) {
	w.t.Helper()
	c, program := w.machines[name], harness.Sluice
	if w.programs[name] != "" {
		program = w.programs[name]
	}
	c.Gateway = harness.StartWith(w.t, w.environment[name], program, "gateway", "-c",
		filepath.Join(c.Dir, "gateway.yaml"))
}

// ready waits until all machines run.
func (w *town) ready() {
	w.t.Helper()
	for _, c := range w.machines {
		runs(c)
	}
}

// runs waits until a machine runs.
func runs(c *harness.City) {
	c.T.Helper()
	c.Admin = "http://" + c.Gateway.Find(`the gateway runs.*admin=(\S+)`)[1]
}

// begin starts all machines.
func (w *town) begin() {
	w.t.Helper()
	for name := range w.machines {
		w.start(name)
	}
	w.ready()
	for _, name := range w.halls {
		w.machines[name].Serve()
	}
	for _, name := range w.fronts {
		w.links = append(w.links, w.machines[name].Connect())
	}
}

// versions waits until all machines have had so many policies.
func (w *town) versions(n float64) {
	w.t.Helper()
	for name, c := range w.machines {
		harness.Await(w.t, time.Minute, fmt.Sprintf("%s to have had %v policies", name, n), func() bool {
			return c.Version() >= n
		})
	}
}

// kill ends a machine's gateway as it is, and starts it again.
func (w *town) kill(name string) {
	w.t.Helper()
	w.t.Logf("SIGKILL for %s", name)
	w.machines[name].Gateway.Kill()
	w.start(name)
	runs(w.machines[name])
}

// holds waits until the public books of each machine that releases hold so many windows, and add up.
func (w *town) holds(windows int) {
	w.t.Helper()
	for _, name := range w.halls {
		c := w.machines[name]
		what := fmt.Sprintf("the books of %s to hold %d windows", name, windows)
		harness.Await(w.t, 4*time.Minute, what, func() bool {
			raw, _ := os.ReadFile(filepath.Join(c.Dir, "state/public/releases.jsonl"))
			return bytes.Count(raw, []byte("\n")) >= windows
		})
		c.BooksHold(windows)
		c.Stored()
	}
}

// accounted waits until the account of all partitions has so many readings that count, whoever owns them, and has had
// them while machines died.
func (w *town) accounted(want float64) {
	w.t.Helper()
	line := regexp.MustCompile(`(?m)^sluice_partition_readings_total\{code="",partition="(\d)",state="counted"\} ` +
		`(\d+)$`)
	harness.Await(w.t, time.Minute, fmt.Sprintf("%v readings to count in four partitions", want), func() bool {
		owned, sum := make(map[string]bool), 0.0
		for _, c := range w.machines {
			for _, m := range line.FindAllStringSubmatch(c.Metrics(), -1) {
				n, err := strconv.ParseFloat(m[2], 64)
				harness.NoError(w.t, err)
				owned[m[1]], sum = true, sum+n
			}
		}
		return len(owned) == 4 && sum == want
	})
}

// silent looks that no word of a reading is in any file of servers and machines.
func (w *town) silent() {
	w.t.Helper()
	look := func(dir string) {
		var all bytes.Buffer
		harness.Files(w.t, dir, &all)
		if all.Len() == 0 || bytes.Contains(all.Bytes(), []byte("crowd-")) {
			w.t.Errorf("%s has a word of a reading, or nothing", dir)
		}
	}
	for _, n := range w.servers.Nodes {
		look(n.Store)
	}
	for _, c := range w.machines {
		look(filepath.Join(c.Dir, "state"))
		look(c.Keys)
	}
}

// ten is the hour that the stories begin at: some weeks ago, since keys do not live for ever.
var ten = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -20).Add(10 * time.Hour)

// small is harness.Small, in force at that time.
func small() map[string]string {
	files := harness.Small()
	for name, text := range files {
		if strings.HasPrefix(name, "policy/decisions/") {
			files[name] = strings.NewReplacer("2026-01-01", ten.AddDate(0, -1, 0).Format(time.DateOnly),
				"2026-12-31", ten.AddDate(0, 2, 0).Format(time.DateOnly),
				"2026-06-01", ten.AddDate(0, 1, 0).Format(time.DateOnly)).Replace(text)
		}
	}
	return files
}

// hour sends what is heard in an hour, through whichever of the links, and then the time to all.
func hour(t *testing.T, links []*device.Link, h int) {
	t.Helper()
	at := ten.Add(time.Duration(h)*time.Hour + 4*time.Minute)
	move := func(to time.Time) {
		for _, link := range links {
			harness.NoError(t, link.Tick(harness.ClockTopic, to))
		}
	}
	move(at)
	say := func(n int, sensor, text string) {
		links[n%len(links)].Publish("city/v1/acme/"+sensor+"/up", []byte(text), false)
	}
	for n := range 40 {
		when := at.Add(time.Duration(n) * time.Second)
		say(n, "gate-1", harness.Gate(h*100+n, when, n%7))
		text := fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"crowd-%d-%d","rssi":-50,"note":"x"}}`,
			when.Format(time.RFC3339), h*100+n, h, n%30)
		say(n, "wifi-1", text)
		if n%5 == 0 { // somebody sends again, by another way
			say(n+1, "wifi-1", text)
		}
	}
	for _, link := range links {
		harness.NoError(t, link.Flush())
	}
	move(at.Add(time.Hour - time.Minute))
	for _, link := range links {
		harness.NoError(t, link.Flush())
	}
}

// day lives through six hours; in the middle another policy comes, where cities are given. Before each hour it
// disturbs.
func day(t *testing.T, links []*device.Link, cities []*harness.City, has func(versions float64), disturb func(h int)) {
	t.Helper()
	for _, link := range links {
		harness.NoError(t, link.Tick(harness.ClockTopic, ten))
	}
	for h := range 6 {
		if h == 3 && len(cities) > 0 {
			for _, c := range cities {
				c.Edit("policy/decisions/gates.yaml", "    - {name: turns, of: count()}\n",
					"    - {name: turns, of: count()}\n    - {name: mean, of: mean(passed), between: [0, 50]}\n")
			}
			has(2)
		}
		disturb(h)
		hour(t, links, h)
	}
}
