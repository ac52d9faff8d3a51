package books

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/store"
	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestTwoGateways is a city whose zones are split over two gateways, with one InfluxDB, or
// one SQLite file, and one open-data server: it shows all of it, a stranger finds it right,
// one gateway's end and return harm nobody, and a forged number is its gateway's.
func TestTwoGateways(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"influx", "sqlite"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := &harness.Pair{T: t, One: harness.Named(t, "edge-1"), Two: harness.Named(t, "edge-2")}
			forge := p.KeepIn(kind)
			path := filepath.Join(p.One.Dir, "opendata.yaml")
			harness.Write(t, path,
				strings.Replace(harness.Read(t, path), "books: state/public\n",
					"books:\n  - state/public\n  - "+filepath.Join(p.Two.Dir, "state/public")+"\n", 1))
			for _, c := range []*harness.City{p.One, p.Two} {
				c.Run()
				c.Connect()
				c.Tick(harness.Ten)
			}
			harness.Await(t, time.Minute, "both gateways' books", func() bool {
				return len(globbed(t, p.One.Dir, "state/public/streams.json"))+
					len(globbed(t, p.Two.Dir, "state/public/streams.json")) == 2
			})
			p.One.Serve()
			for h := range 3 {
				p.Hour(harness.Ten.Add(time.Duration(h) * time.Hour))
			}
			p.One.Stored()
			p.Two.Stored()
			whole(p)
			oneDies(p)
			forgedOfPair(p, forge)
		})
	}
}

func globbed(t *testing.T, dir, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, pattern))
	harness.NoError(t, err)
	return list
}

// whole looks at everything that is shown of both.
func whole(p *harness.Pair) {
	t, c := p.T, p.One
	t.Helper()
	harness.Await(t, time.Minute, "three hours of both", func() bool { // what is kept is some seconds old
		return p.Stream("gates").ClosedUntil.Equal(harness.Ten.Add(3*time.Hour)) &&
			p.Stream("paths").ClosedUntil.Equal(harness.Ten.Add(3*time.Hour))
	})
	st := p.Stream("gates")
	if len(st.Cells) != 2 || !st.ClosedUntil.Equal(harness.Ten.Add(3*time.Hour)) {
		t.Errorf("the stream is %+v", st)
	}
	if st := p.Stream("paths"); len(st.Cells) != 1 || st.Cells[0].ID != "park" ||
		!st.ClosedUntil.Equal(harness.Ten.Add(3*time.Hour)) {
		t.Errorf("the stream of one zone is %+v", st)
	}
	list := c.Items("gates", harness.Ten, harness.Ten.Add(3*time.Hour))
	sum := 0.0
	for _, i := range list {
		if i.Measure == "passed" && i.Value != nil {
			sum += *i.Value
		}
	}
	if len(list) != 12 || sum != 90 {
		t.Errorf("%d numbers, %v passed; want 12 and 90", len(list), sum)
	}
	if n := len(harness.ReadAll(t, c.Opendata,
		"/api/v1/streams/gates/observations?limit=1&from="+harness.Ten.Format(time.RFC3339)+
			"&to="+harness.Ten.Add(3*time.Hour).Format(time.RFC3339))); n != 12 {
		t.Errorf("one by one there are %d numbers", n)
	}
	var sensors struct {
		Sensors []struct {
			ID    string
			Alive *bool
		}
	}
	harness.GetJSON(t, c.Opendata+"/api/v1/sensors", &sensors)
	if len(sensors.Sensors) != 4 {
		t.Errorf("the sensors are %+v", sensors)
	}
	var ledger struct{ Entries []struct{ Gateway string } }
	harness.GetJSON(t, c.Opendata+"/api/v1/ledger?limit=1", &ledger)
	if raw := string(c.Body("/api/v1/ledger")); !strings.Contains(raw, "edge-1") || !strings.Contains(raw, "edge-2") ||
		len(ledger.Entries) != 1 {
		t.Errorf("the ledger is %s", raw)
	}
	var decisions struct{ Decisions []struct{ ID string } }
	harness.GetJSON(t, c.Opendata+"/api/v1/decisions", &decisions)
	if len(decisions.Decisions) != 3 {
		t.Errorf("the decisions are %+v", decisions)
	}
	for _, page := range []string{"/", "/streams/gates", "/streams/devices", "/privacy", "/sensors", "/catalog.jsonld",
		"/decisions/3", "/decisions/3/decision.yaml"} {
		if status, _, body := harness.Get(t, c.Opendata+page); status != http.StatusOK && page != "/catalog.jsonld" {
			t.Errorf("%s answers %d: %s", page, status, body)
		}
	}
	if body := string(c.Body("/books/gateways.json")); !strings.Contains(body, `"/books/gateways/edge-2"`) {
		t.Errorf("the gateways are %s", body)
	}
	if first, second := string(c.Body("/books/releases.jsonl")),
		string(c.Body("/books/gateways/edge-2/releases.jsonl")); !strings.Contains(first, "edge-1") ||
		strings.Contains(first, "edge-2") || !strings.Contains(second, "edge-2") {
		t.Error("the books are not each gateway's own")
	}
	right(p)
	p.One.BecomesReady()
	if _, _, body := harness.Get(t, p.One.Admin+"/readyz"); !strings.Contains(string(body), "run by other gateways") {
		t.Errorf("it says %s", body)
	}
}

// right has strangers check the city, with our program and with another.
func right(p *harness.Pair) {
	p.T.Helper()
	if code, said := p.Verify(); code != 0 || !strings.Contains(said, "2 gateways") {
		p.T.Errorf("an honest city ends with %d:\n%s", code, said)
	}
	if out, err := exec.Command("python3", "../../docs/verify.py", p.One.Opendata).CombinedOutput(); err != nil ||
		!strings.Contains(string(out), "2 gateways") {
		p.T.Errorf("docs/verify.py: %v\n%s", err, out)
	}
	out, err := exec.Command(harness.Sluice, "ledger", "verify", filepath.Join(p.One.Dir, "state"),
		filepath.Join(p.Two.Dir, "state")).CombinedOutput()
	if err != nil {
		p.T.Errorf("the books alone: %v\n%s", err, out)
	}
}

// oneDies kills the second gateway: the first goes on, what is final waits, and when it is
// back everything is whole.
func oneDies(p *harness.Pair) {
	t := p.T
	t.Helper()
	p.Two.Gateway.Kill()
	at := harness.Ten.Add(3 * time.Hour)
	p.Pass(p.One, "1", 10, at)
	p.One.Stored()
	harness.Await(t, time.Minute, "the first gateway's number", func() bool {
		return len(p.One.Items("gates", at, at.Add(time.Hour))) == 2
	})
	if st := p.Stream("gates"); !st.ClosedUntil.Equal(at) {
		t.Errorf("while one gateway is behind, it is final until %s", st.ClosedUntil)
	}
	if body := string(p.One.Body("/streams/gates")); !strings.Contains(body, "square") ||
		!strings.Contains(body, "park") {
		t.Error("while one gateway is dead, its page has not both zones")
	}
	if code, said := p.Verify(); code != 0 {
		t.Errorf("while one gateway is dead, a stranger finds\n%s", said)
	}
	p.Two.Run()
	p.Two.Link.Close()
	p.Two.Connect()
	p.Pass(p.Two, "2", 20, at)
	p.Two.Stored()
	harness.Await(t, time.Minute, "both to have come as far", func() bool {
		return p.Stream("gates").ClosedUntil.Equal(at.Add(time.Hour))
	})
	right(p)
	harness.Await(t, time.Minute, "readiness", func() bool { ok, _ := p.Two.Ready(); return ok })
}

// forged changes a number of the second gateway in the store, and puts one into the other's
// zone under its name.
func forgedOfPair(p *harness.Pair, forge func(store.Observation)) {
	t := p.T
	t.Helper()
	v := 77.0
	o := store.Observation{
		Gateway: "edge-1", Stream: "gates", Start: harness.Ten, End: harness.Ten.Add(time.Hour), Every: "PT1H",
		Cell: "park",
		Zone: "park", Measure: "passed", Status: store.Published,
		Value: &v, Low: &v, High: &v, Unit: "", Decision: "1", Simulation: true,
	}
	forge(o) // which the server leaves out
	if list := p.One.Items("gates", harness.Ten, harness.Ten.Add(time.Hour)); len(list) != 4 ||
		slices.ContainsFunc(list, func(i harness.Item) bool { return i.Value != nil && *i.Value == v }) {
		t.Errorf("the other gateway's row is shown: %+v", list)
	}
	if code, said := p.Verify(); code != 0 {
		t.Errorf("what is not shown is wrong:\n%s", said)
	}
	o.Gateway = "edge-2"
	forge(o)
	harness.Await(t, 2*time.Minute, "a stranger to find it", func() bool {
		code, said := p.Verify()
		return code == 1 && strings.Contains(said, "WRONG: gateway edge-2: gates at 2026-03-02T10:00:00Z") &&
			!strings.Contains(said, "edge-1:")
	})
}

// TestGatewayWithoutZones: a gateway whose decisions are all run by others is ready, and
// says why nothing flows; doctor says it, too.
func TestGatewayWithoutZones(t *testing.T) {
	t.Parallel()
	c := harness.Named(t, "edge-3")
	c.Run()
	c.Connect()
	c.Tick(harness.Ten)
	harness.Await(t, time.Minute, "readiness", func() bool { ok, _ := c.Ready(); return ok })
	if _, _, body := harness.Get(t, c.Admin+"/readyz"); !strings.Contains(string(body), "nothing is left for edge-3") {
		t.Errorf("it says %s", body)
	}
	out, _ := exec.Command(harness.Sluice, "doctor", "-c", filepath.Join(c.Dir, "gateway.yaml")).CombinedOutput()
	if !strings.Contains(string(out), "all zones of the decisions (1, 2, 3) are other gateways'") {
		t.Errorf("doctor says\n%s", out)
	}
}

// TestSeveralGatewaysCommands runs what docs/operations.md says of several gateways.
func TestSeveralGatewaysCommands(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	harness.Need(t, "curl")
	dir := harness.Checkout(t)
	harness.Run(t, "sh", "-c", "mkdir -p '"+dir+"/bin' && cp '"+harness.Sluice+"' '"+dir+"/bin/sluice'")
	b := fenced.Take(t, "docs/operations.md", "# The zones: Carrer Nou is edge-2's")
	for _, port := range []string{"1885", "1886", "9091", "9092", "8081"} {
		b.Change(port, harness.FreePort(t))
	}
	out := b.Run(dir, nil)
	for _, want := range []string{"C06", `"ready":true`, "2 gateways, each with books of its own",
		"Everything adds up."} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing says %q:\n%s", want, harness.Tail(out))
		}
	}
}
