package test

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/store"
	"sluice/store/influx"
	"sluice/store/sqlite"
	"sluice/test/fenced"
)

// twoZones is the small town with a second zone; each zone is one gateway's. Decision 3 is
// about the second alone.
func twoZones() map[string]string {
	files := small()
	zone := func(id, gateway string, x int) string {
		return fmt.Sprintf(
			`{"type":"Feature","id":%q,"geometry":{"type":"Polygon","coordinates":[[[%[2]d,0],[%[3]d,0],[%[3]d,1],[%[2]d,1],[%[2]d,0]]]},"properties":{"gateway":%[4]q}}`, id, x, x+1, gateway)
	}
	files["policy/zones.geojson"] = `{"type":"FeatureCollection","features":[` + zone("square", "edge-1", 0) + "," +
		zone("park", "edge-2", 2) + "]}"
	for _, name := range []string{"gates", "devices"} {
		path := "policy/decisions/" + name + ".yaml"
		files[path] = strings.Replace(files[path], "zones: [square]", "zones: [square, park]", 1)
	}
	files["policy/decisions/devices.yaml"] = strings.Replace(files["policy/decisions/devices.yaml"], "epsilon: 20",
		"epsilon: 10", 1)
	files["policy/decisions/paths.yaml"] = strings.NewReplacer(`"1"`, `"3"`, "stream: gates", "stream: paths",
		"[square]", "[park]", "Gates", "Paths").Replace(small()["policy/decisions/gates.yaml"])
	files["register.yaml"] = `sensors:
  - {id: gate-1, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}
  - {id: wifi-1, owner: acme, kind: wifi-counter, zone: square, registered: 2026-01-01}
  - {id: gate-2, owner: acme, kind: people-gate, zone: park, registered: 2026-01-01}
  - {id: wifi-2, owner: acme, kind: wifi-counter, zone: park, registered: 2026-01-01}
`
	return files
}

// named is a gateway of the town, with a state directory of its own.
func named(t *testing.T, name string) *city {
	t.Helper()
	c := found(t, twoZones())
	path := filepath.Join(c.dir, "gateway.yaml")
	write(t, path, strings.Replace(read(t, path), "gateway: test-1", "gateway: "+name, 1))
	return c
}

// pair is two gateways of one town, one store, and one open-data server beside the first.
type pair struct {
	t        *testing.T
	one, two *city
	n        int // of the last message
}

// hour has somebody pass in both zones, and both clocks two minutes over the hour.
func (p *pair) hour(at time.Time) {
	p.t.Helper()
	p.pass(p.one, "1", 10, at)
	p.pass(p.two, "2", 20, at)
}

// pass has people and devices pass in a zone, and its gateway's clock go on.
func (p *pair) pass(c *city, zone string, people int, at time.Time) {
	p.t.Helper()
	p.n++
	c.send("gate-"+zone, gate(p.n, at, people))
	for d := range people {
		p.n++
		c.send("wifi-"+zone,
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:%s:%02x:%02x","rssi":-50}}`,
				at.Format(time.RFC3339), p.n, zone+zone, d, at.Hour()))
	}
	c.tick(at.Add(time.Hour + 2*time.Minute))
}

// verify is what a stranger finds.
func (p *pair) verify() (code int, said string) {
	p.t.Helper()
	cmd := exec.Command(sluice, "verify", p.one.opendata)
	out, _ := cmd.CombinedOutput() // the exit code says it
	return cmd.ProcessState.ExitCode(), string(out)
}

// stream is what /api/v1/streams says of one.
func (p *pair) stream(id string) (s struct {
	ID          string
	Cells       []struct{ ID string }
	ClosedUntil time.Time `json:"closed_until"`
}) {
	p.t.Helper()
	var answer struct {
		Streams []struct {
			ID          string
			Cells       []struct{ ID string }
			ClosedUntil time.Time `json:"closed_until"`
		}
	}
	getJSON(p.t, p.one.opendata+"/api/v1/streams", &answer)
	for _, x := range answer.Streams {
		if x.ID == id {
			return x
		}
	}
	p.t.Fatalf("there is no stream %s in %+v", id, answer)
	return s
}

// TestTwoGateways is a city whose zones are split over two gateways, with one InfluxDB, or
// one SQLite file, and one open-data server: it shows all of it, a stranger finds it right,
// one gateway's end and return harm nobody, and a forged number is its gateway's.
func TestTwoGateways(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"influx", "sqlite"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := &pair{t: t, one: named(t, "edge-1"), two: named(t, "edge-2")}
			forge := p.keepIn(kind)
			path := filepath.Join(p.one.dir, "opendata.yaml")
			write(t, path,
				strings.Replace(read(t, path), "books: state/public\n",
					"books:\n  - state/public\n  - "+filepath.Join(p.two.dir, "state/public")+"\n", 1))
			for _, c := range []*city{p.one, p.two} {
				c.run()
				c.connect()
				c.tick(ten)
			}
			await(t, time.Minute, "both gateways' books", func() bool {
				return len(globbed(t, p.one.dir, "state/public/streams.json"))+
					len(globbed(t, p.two.dir, "state/public/streams.json")) == 2
			})
			p.one.serve()
			for h := range 3 {
				p.hour(ten.Add(time.Duration(h) * time.Hour))
			}
			p.one.stored()
			p.two.stored()
			p.whole()
			p.oneDies()
			p.forged(forge)
		})
	}
}

func globbed(t *testing.T, dir, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, pattern))
	fine(t, err)
	return list
}

// keepIn has both gateways write to one store, and gives what changes it behind their backs.
func (p *pair) keepIn(kind string) (forge func(store.Observation)) {
	p.t.Helper()
	if kind == "influx" {
		db := newInflux(p.t)
		p.one.keepIn(db.url)
		p.two.keepIn(db.url)
		return func(o store.Observation) {
			s, err := influx.Open(influx.Config{URL: db.url, Org: "city", Bucket: "city/autogen"})
			fine(p.t, err)
			defer s.Close()
			fine(p.t, s.Write(context.Background(), []store.Observation{o}))
		}
	}
	path := filepath.Join(p.one.dir, "state/store.db")
	appendTo(p.t, filepath.Join(p.two.dir, "gateway.yaml"), fmt.Sprintf("store: {sqlite: {path: %q}}\n", path))
	return func(o store.Observation) {
		s, err := sqlite.Open(context.Background(), path)
		fine(p.t, err)
		defer s.Close()
		if o.Status == store.Published {
			fine(p.t, s.Write(context.Background(), []store.Observation{o.Withdraw("x")}))
		}
		fine(p.t, s.Write(context.Background(), []store.Observation{o}))
	}
}

// whole looks at everything that is shown of both.
func (p *pair) whole() {
	t, c := p.t, p.one
	t.Helper()
	st := p.stream("gates")
	if len(st.Cells) != 2 || !st.ClosedUntil.Equal(ten.Add(3*time.Hour)) {
		t.Errorf("the stream is %+v", st)
	}
	if st := p.stream("paths"); len(st.Cells) != 1 || st.Cells[0].ID != "park" ||
		!st.ClosedUntil.Equal(ten.Add(3*time.Hour)) {
		t.Errorf("the stream of one zone is %+v", st)
	}
	list := c.items("gates", ten, ten.Add(3*time.Hour))
	sum := 0.0
	for _, i := range list {
		if i.Measure == "passed" && i.Value != nil {
			sum += *i.Value
		}
	}
	if len(list) != 12 || sum != 90 {
		t.Errorf("%d numbers, %v passed; want 12 and 90", len(list), sum)
	}
	if n := len(readAll(t, c.opendata, "/api/v1/streams/gates/observations?limit=1&from="+ten.Format(time.RFC3339)+
		"&to="+ten.Add(3*time.Hour).Format(time.RFC3339))); n != 12 {
		t.Errorf("one by one there are %d numbers", n)
	}
	var sensors struct {
		Sensors []struct {
			ID    string
			Alive *bool
		}
	}
	getJSON(t, c.opendata+"/api/v1/sensors", &sensors)
	if len(sensors.Sensors) != 4 {
		t.Errorf("the sensors are %+v", sensors)
	}
	var ledger struct{ Entries []struct{ Gateway string } }
	getJSON(t, c.opendata+"/api/v1/ledger?limit=1", &ledger)
	if raw := string(c.body("/api/v1/ledger")); !strings.Contains(raw, "edge-1") || !strings.Contains(raw, "edge-2") ||
		len(ledger.Entries) != 1 {
		t.Errorf("the ledger is %s", raw)
	}
	var decisions struct{ Decisions []struct{ ID string } }
	getJSON(t, c.opendata+"/api/v1/decisions", &decisions)
	if len(decisions.Decisions) != 3 {
		t.Errorf("the decisions are %+v", decisions)
	}
	for _, page := range []string{"/", "/streams/gates", "/streams/devices", "/privacy", "/sensors", "/catalog.jsonld",
		"/decisions/3", "/decisions/3/decision.yaml"} {
		if status, _, body := get(t, c.opendata+page); status != http.StatusOK && page != "/catalog.jsonld" {
			t.Errorf("%s answers %d: %s", page, status, body)
		}
	}
	if body := string(c.body("/books/gateways.json")); !strings.Contains(body, `"/books/gateways/edge-2"`) {
		t.Errorf("the gateways are %s", body)
	}
	if first, second := string(c.body("/books/releases.jsonl")),
		string(c.body("/books/gateways/edge-2/releases.jsonl")); !strings.Contains(first, "edge-1") ||
		strings.Contains(first, "edge-2") || !strings.Contains(second, "edge-2") {
		t.Error("the books are not each gateway's own")
	}
	p.right()
	if ok, hints := p.one.ready(); !ok {
		t.Errorf("the gateway with a decision that another runs is not ready: %v", hints)
	}
	if _, _, body := get(t, p.one.admin+"/readyz"); !strings.Contains(string(body), "run by other gateways") {
		t.Errorf("it says %s", body)
	}
}

// right has strangers check the city, with our program and with another.
func (p *pair) right() {
	p.t.Helper()
	if code, said := p.verify(); code != 0 || !strings.Contains(said, "2 gateways") {
		p.t.Errorf("an honest city ends with %d:\n%s", code, said)
	}
	if out, err := exec.Command("python3", "../docs/verify.py", p.one.opendata).CombinedOutput(); err != nil ||
		!strings.Contains(string(out), "2 gateways") {
		p.t.Errorf("docs/verify.py: %v\n%s", err, out)
	}
	out, err := exec.Command(sluice, "ledger", "verify", filepath.Join(p.one.dir, "state"),
		filepath.Join(p.two.dir, "state")).CombinedOutput()
	if err != nil {
		p.t.Errorf("the books alone: %v\n%s", err, out)
	}
}

// oneDies kills the second gateway: the first goes on, what is final waits, and when it is
// back everything is whole.
func (p *pair) oneDies() {
	t := p.t
	t.Helper()
	p.two.gateway.kill()
	at := ten.Add(3 * time.Hour)
	p.pass(p.one, "1", 10, at)
	p.one.stored()
	await(t, time.Minute, "the first gateway's number", func() bool {
		return len(p.one.items("gates", at, at.Add(time.Hour))) == 2
	})
	if st := p.stream("gates"); !st.ClosedUntil.Equal(at) {
		t.Errorf("while one gateway is behind, it is final until %s", st.ClosedUntil)
	}
	if body := string(p.one.body("/streams/gates")); !strings.Contains(body, "square") ||
		!strings.Contains(body, "park") {
		t.Error("while one gateway is dead, its page has not both zones")
	}
	if code, said := p.verify(); code != 0 {
		t.Errorf("while one gateway is dead, a stranger finds\n%s", said)
	}
	p.two.run()
	p.two.link.Close()
	p.two.connect()
	p.pass(p.two, "2", 20, at)
	p.two.stored()
	await(t, time.Minute, "both to have come as far", func() bool {
		return p.stream("gates").ClosedUntil.Equal(at.Add(time.Hour))
	})
	p.right()
	await(t, time.Minute, "readiness", func() bool { ok, _ := p.two.ready(); return ok })
}

// forged changes a number of the second gateway in the store, and puts one into the other's
// zone under its name.
func (p *pair) forged(forge func(store.Observation)) {
	t := p.t
	t.Helper()
	v := 77.0
	o := store.Observation{
		Gateway: "edge-1", Stream: "gates", Start: ten, End: ten.Add(time.Hour), Every: "PT1H", Cell: "park",
		Zone: "park", Measure: "passed", Status: store.Published,
		Value: &v, Low: &v, High: &v, Unit: "", Decision: "1", Simulation: true,
	}
	forge(o) // which the server leaves out
	if list := p.one.items("gates", ten, ten.Add(time.Hour)); len(list) != 4 ||
		slices.ContainsFunc(list, func(i item) bool { return i.Value != nil && *i.Value == v }) {
		t.Errorf("the other gateway's row is shown: %+v", list)
	}
	if code, said := p.verify(); code != 0 {
		t.Errorf("what is not shown is wrong:\n%s", said)
	}
	o.Gateway = "edge-2"
	forge(o)
	await(t, 2*time.Minute, "a stranger to find it", func() bool {
		code, said := p.verify()
		return code == 1 && strings.Contains(said, "WRONG: gateway edge-2: gates at 2026-03-02T10:00:00Z") &&
			!strings.Contains(said, "edge-1:")
	})
}

// TestGatewayWithoutZones: a gateway whose decisions are all run by others is ready, and
// says why nothing flows; doctor says it, too.
func TestGatewayWithoutZones(t *testing.T) {
	t.Parallel()
	c := named(t, "edge-3")
	c.run()
	c.connect()
	c.tick(ten)
	await(t, time.Minute, "readiness", func() bool { ok, _ := c.ready(); return ok })
	if _, _, body := get(t, c.admin+"/readyz"); !strings.Contains(string(body), "nothing is left for edge-3") {
		t.Errorf("it says %s", body)
	}
	out, _ := exec.Command(sluice, "doctor", "-c", filepath.Join(c.dir, "gateway.yaml")).CombinedOutput()
	if !strings.Contains(string(out), "all zones of the decisions (1, 2, 3) are other gateways'") {
		t.Errorf("doctor says\n%s", out)
	}
}

// TestSeveralGatewaysCommands runs what docs/operations.md says of several gateways.
func TestSeveralGatewaysCommands(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_pub")
	need(t, "curl")
	dir := checkout(t)
	run(t, "sh", "-c", "mkdir -p '"+dir+"/bin' && cp '"+sluice+"' '"+dir+"/bin/sluice'")
	b := fenced.Take(t, "docs/operations.md", "# The zones: Carrer Nou is edge-2's")
	for _, port := range []string{"1885", "1886", "9091", "9092", "8081"} {
		b.Change(port, freePort(t))
	}
	out := b.Run(dir, nil)
	for _, want := range []string{"C06", `"ready":true`, "2 gateways, each with books of its own",
		"Everything adds up."} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing says %q:\n%s", want, tail(out))
		}
	}
}
