package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"sluice/firmware-sim/device"
	"sluice/test/ports"
)

// A thousand cells: zones times values. Cities that restart often have fewer zones.
const (
	zones  = 10
	values = 100
	cells  = zones * values
)

const clockTopic = "audit/clock"

var begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// decision is one stream to audit.
type decision struct {
	id            string
	contributions int
	// below keeps only readings with a smaller x: so worlds differ in one gateway.
	below    float64
	measures string
	delta    float64 // 0 for the usual one
	extra    string  // of protect
}

func (d decision) deltaOf() float64 {
	if d.delta > 0 {
		return d.delta
	}
	return delta
}

// perKind is how many streams share one kind of sensor. Every reading is sent by a
// sensor of each kind.
const perKind = 20

// city is a gateway and an open-data server over one state directory.
type city struct {
	o                 options
	dir, keys, mqtt   string
	gateway, opendata *exec.Cmd
	api, admin        string
	link              *device.Link
	kinds             int
	large             int               // how many units light has in large cells
	now               time.Time         // of the clock topic
	seq               int               // the last one that was sent
	seen              map[string]string // what was ever shown, by stream, start, cell and measure
	twice             []string          // what was shown with two values
}

// found makes a city of so many zones, in which each decision is one stream.
func found(o options, zones int, list []decision) (*city, error) {
	c, err := ground(o)
	if err != nil {
		return c, err
	}
	c.kinds = (len(list) + perKind - 1) / perKind
	return c, c.settle(c.files(zones, list))
}

// ground is a city without anything in it, which can be closed even after an error.
func ground(o options) (*city, error) {
	c := &city{o: o, large: large, seen: make(map[string]string)}
	var err error
	if c.dir, err = os.MkdirTemp("", "sluice-audit-"); err != nil {
		return c, err
	}
	if c.keys, err = os.MkdirTemp("/dev/shm", "sluice-audit-"); err != nil {
		return c, fmt.Errorf("the audit keeps keys in /dev/shm: %w", err)
	}
	c.mqtt, err = ports.Addr()
	return c, err
}

// settle writes a city's files, starts gateway and open-data server, connects to
// the one, and begins.
func (c *city) settle(files map[string]string) error {
	if err := c.write(files); err != nil {
		return err
	}
	if err := c.start(); err != nil {
		return err
	}
	cmd, line, err := run(c.o.sluice, `http=(http://\S+)`, "opendata", "-c", filepath.Join(c.dir, "opendata.yaml"))
	if err != nil {
		return err
	}
	c.opendata, c.api = cmd, line
	if c.link, err = device.Connect("tcp://"+c.mqtt, "audit"); err != nil {
		return err
	}
	return c.tick(begin)
}

func (c *city) write(files map[string]string) error {
	for name, text := range files {
		to := filepath.Join(c.dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (c *city) files(zones int, list []decision) map[string]string {
	names, cats, sensors := make([]string, zones), make([]string, values), ""
	for z := range names {
		names[z] = fmt.Sprintf("z%02d", z)
	}
	kinds, about := "kinds:\n", make([]string, c.kinds)
	for k := range about {
		about[k] = fmt.Sprintf("meter%d", k)
		kinds += "  " + about[k] + ":\n    units: [{field: device, stands_for: device}]\n    fields:\n" +
			"      - {name: device, type: string, class: identifier}\n" +
			"      - {name: c, type: string, class: measurement}\n      - {name: x, type: float, class: measurement}\n"
		for z, zone := range names {
			sensors += fmt.Sprintf("  - {id: s%d-%02d, owner: %s, kind: %s, zone: %s, registered: 2026-01-01}\n", k, z,
				ownerOf(z), about[k], zone)
		}
	}
	for v := range cats {
		cats[v] = fmt.Sprintf("k%03d", v)
	}
	out := c.frame(names, about)
	out["register.yaml"] = "sensors:\n" + sensors
	out["policy/kinds.yaml"] = kinds
	for i, d := range list {
		out["policy/decisions/"+d.id+".yaml"] = fmt.Sprintf(`decision: %q
title: {en: Audit}
stream: %s
purpose: audit
applies_to: {kinds: [%s], zones: [%s]}
unit: {field: device, stands_for: device}
keep: [device, c, x]
where: [{field: x, op: "<", value: %v}]
publish: {every: PT1H, lateness: PT1M, by: [zone, {field: c, values: [%s]}], measures: [%s]}
protect: {min_units: %d, epsilon: %v, delta: %v, max_contributions: %d%s}
forget_after: P1D
from: 2026-01-01
until: 2026-12-31
`, d.id, d.id, about[i/perKind], strings.Join(names, ", "), d.below, strings.Join(cats, ", "), d.measures,
			minUnits, epsilon, d.deltaOf(), d.contributions, d.extra)
	}
	return out
}

// ownerOf a zone's sensors: the first five zones are one owner's, the others another's.
func ownerOf(zone int) string { return "ab"[zone*2/zones : zone*2/zones+1] }

// frame is what every simulated city has: zones, and kinds that are about people.
func (c *city) frame(zones, about []string) map[string]string {
	shapes := make([]string, len(zones))
	for z, name := range zones {
		shapes[z] = fmt.Sprintf(
			`{"type":"Feature","id":%q,"properties":{},`+
				`"geometry":{"type":"Polygon","coordinates":[[[%d,0],[%d,0],[%d,1],[%d,1],[%d,0]]]}}`,
			name, z, z+1, z+1, z, z)
	}
	return map[string]string{
		"gateway.yaml": fmt.Sprintf("gateway: audit-1\ndir: state\nkeys: %q\nsimulation: true\ntime: {topic: %s}\n"+
			"register: register.yaml\npolicy: {dir: policy}\nlisten: {mqtt: %q}\nadmin: 127.0.0.1:0\n",
			c.keys, clockTopic, c.mqtt),
		"opendata.yaml":        "http: 127.0.0.1:0\nbooks: state/public\nstore: {sqlite: {path: state/store.db}}\n",
		"policy/council.yaml":  "version: 1\nmembers: []\n",
		"policy/zones.geojson": `{"type":"FeatureCollection","features":[` + strings.Join(shapes, ",") + `]}`,
		"policy/charter.yaml": "city: {id: audit, name: Audit, timezone: UTC, languages: [en]}\n" +
			"purposes: [audit]\nforbidden_classes: [credential]\n" +
			"kinds_about_people: [" + strings.Join(about, ", ") + "]\n" +
			"min_units: 3\nepsilon_per_day: {device: 100000, home: 100000}\ndelta_per_day: 100\n" +
			"max_contributions: 100\nsunset_max: P2Y\n",
	}
}

// run starts a binary and waits for a line.
func run(bin, pattern string, args ...string) (*exec.Cmd, string, error) {
	cmd := exec.Command(bin, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pipe, err := cmd.StderrPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("%w; build it first: make build", err)
	}
	re, said := regexp.MustCompile(pattern), ""
	for s := bufio.NewScanner(pipe); s.Scan(); {
		if m := re.FindStringSubmatch(s.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, pipe) }() // until it ends
			return cmd, m[1], nil
		}
		said += s.Text() + "\n"
	}
	_ = cmd.Wait() // it ended by itself
	return nil, "", fmt.Errorf("%s %s did not start:\n%s", bin, args[0], said)
}

func (c *city) start() (err error) {
	c.gateway, c.admin, err = run(c.o.sluice, `the gateway runs.*admin=(\S+)`, "gateway", "-c",
		filepath.Join(c.dir, "gateway.yaml"))
	return err
}

// crash ends the gateway as a power cut would, and starts it again.
func (c *city) crash() error {
	_ = c.gateway.Process.Kill()
	_ = c.gateway.Wait() // killed
	return c.start()
}

func (c *city) close() {
	if c.link != nil {
		c.link.Close()
	}
	for _, cmd := range []*exec.Cmd{c.gateway, c.opendata} {
		if cmd != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // killed
		}
	}
	for _, dir := range []string{c.dir, c.keys} {
		_ = os.RemoveAll(dir) // and "" is nothing
	}
}

func (c *city) tick(at time.Time) error {
	c.now = at
	return c.link.Tick(clockTopic, at)
}

// reading is one device in one cell. A seq of 0 is the next one.
type reading struct {
	cell int
	unit string
	x    float64
	seq  int
}

// send publishes readings in order, a few hundred to a message, and waits until all
// are acknowledged. Their order within a zone is kept, and between zones, too.
func (c *city) send(at time.Time, list []reading) error {
	stamp := at.UTC().Format(time.RFC3339)
	var b strings.Builder
	zone, n := -1, 0
	flush := func() {
		if n > 0 {
			b.WriteByte(']')
			for k := range c.kinds {
				c.link.Publish(fmt.Sprintf("city/v1/%s/s%d-%02d/up", ownerOf(zone), k, zone), []byte(b.String()), false)
			}
		}
		b.Reset()
		n = 0
	}
	for _, r := range list {
		if r.cell/values != zone || n == 500 {
			flush()
			zone = r.cell / values
		}
		b.WriteByte("[,"[min(n, 1)])
		if r.seq == 0 {
			c.seq++
			r.seq = c.seq
		}
		fmt.Fprintf(&b, `{"ts":%q,"seq":%d,"fields":{"device":%q,"c":"k%03d","x":%v}}`, stamp, r.seq, r.unit,
			r.cell%values, r.x)
		n++
	}
	flush()
	return c.link.Flush()
}
