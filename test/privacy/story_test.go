package privacy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

func TestPublishAndRead(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	for i := range 10 {
		c.Send("gate-1", harness.Gate(i, harness.Ten.Add(time.Duration(i)*30*time.Second), 2))
		c.Tick(harness.Ten.Add(time.Duration(i+1) * 30 * time.Second))
	}
	c.Send("gate-1", "["+harness.Gate(100, harness.Ten.Add(4*time.Minute), 1)+`,{"ts":"yesterday"},`+
		harness.Gate(101, harness.Ten.Add(4*time.Minute), 1)+"]")
	for i := range 30 {
		c.Send("wifi-1",
			fmt.Sprintf(`[{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:10:00:%02x","rssi":-50,"note":"hello"}}]`,
				harness.Ten.Add(4*time.Minute).Format(time.RFC3339), i, i))
	}
	c.Send("wifi-1",
		fmt.Sprintf(`[{"bn":"urn:x:","bt":%d,"n":"device","vs":"02:00:5e:10:01:01"},{"n":"rssi","v":-61}]`,
			harness.Ten.Add(4*time.Minute).Unix()))
	c.Tick(harness.Ten.Add(time.Hour + 2*time.Minute))
	c.Stored()

	list := c.Items("gates", harness.Ten, harness.Ten.Add(time.Hour))
	if got := harness.Value(t, list, harness.Ten, "passed"); got != 22 {
		t.Errorf("passed is %v; want 22", got)
	}
	if got := harness.Value(t, list, harness.Ten, "turns"); got != 12 {
		t.Errorf("turns is %v; want 12", got)
	}
	devices := c.FirstHour("devices", "devices")
	if devices < 25 || devices > 37 {
		t.Errorf("devices is %v; want 31 give or take noise of scale 0.05", devices)
	}
	readAPI(c)
}

// readAPI looks at the other answers of a city with one closed hour.
func readAPI(c *harness.City) {
	t := c.T
	var health struct {
		Now             time.Time `json:"now"`
		ReleasedThrough time.Time `json:"released_through"`
	}
	harness.GetJSON(t, c.Admin+"/healthz", &health)
	if want := harness.Ten.Add(time.Hour + 2*time.Minute); !health.Now.Equal(want) ||
		!health.ReleasedThrough.Equal(want) {
		t.Errorf("healthz says %v; want %s twice", health, want)
	}
	c.BecomesReady()
	_, header, body := harness.Get(t, c.Opendata+"/api/v1/streams/gates/observations?format=csv&measure=passed")
	want := "start_utc,start_local,every,cell,measure,value,status,low,high,unit,decision,simulation," +
		"bounded_share,bounded_share_low,bounded_share_high,gateway\n" +
		"2026-03-02T10:00:00Z,2026-03-02T11:00:00+01:00,PT1H,square,passed,22,published,22,22,,1,true,,,,test-1\n"
	if string(body) != want || header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("CSV is\n%s(%s); want\n%s", body, header.Get("Content-Type"), want)
	}
	for path, want := range map[string]int{
		"/api/v1/streams/none/observations": 404, "/api/v1/streams/gates/observations?limit=0": 400,
		"/api/v1/streams/gates/observations?from=x": 400, "/api/v1/streams/gates/observations?a=b": 400,
		"/api/v1/streams/gates/observations?cursor=zz": 400, "/api/v1/streams/gates/observations?limit=1;a=2": 400,
		"/api/v1/nothing": 404, "/nothing": 404, "/": 200, "/streams/gates": 200, "/streams/devices?cell=square": 200,
		"/sensors": 200, "/sensors/gate-1": 200, "/decisions": 200, "/decisions/1": 200, "/privacy": 200,
		"/api/v1/sensors": 200, "/api/v1/zones": 200, "/api/v1/decisions/1": 200, "/api/v1/ledger?day=2026-03-02": 200,
	} {
		if status, _, body := harness.Get(t, c.Opendata+path); status != want {
			t.Errorf("GET %s is %d %.200s; want %d", path, status, body, want)
		}
	}
	resp, err := http.Post(c.Opendata+"/api/v1/streams", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST is %d; want 405", resp.StatusCode)
	}
}

func TestNothingByDefault(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	delete(files, "policy/decisions/gates.yaml")
	c := harness.Found(t, files)
	c.Begin()
	c.Send("gate-1", harness.Gate(1, harness.Ten, 5))
	c.Tick(harness.Ten.Add(3 * time.Hour))
	c.Stored()
	if n := c.Metric(`sluice_readings_total{code="E401",state="refused"}`); n != 1 {
		t.Errorf("%v readings were refused for want of a decision; want 1", n)
	}
	for _, i := range c.Some("devices", harness.Ten, harness.Ten.Add(3*time.Hour)) {
		if i.Status != "withheld" {
			t.Errorf("devices is %s; want withheld", i.Status)
		}
	}
}

func TestRedelivery(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	message := "[" + harness.Gate(1, harness.Ten, 1) + "," + harness.Gate(2, harness.Ten, 1) + "," +
		harness.Gate(3, harness.Ten.Add(time.Second), 1) + "]"
	noSeq := fmt.Sprintf(`{"ts":%q,"fields":{"passed":1}}`, harness.Ten.Format(time.RFC3339))
	noTime := `{"seq":70,"fields":{"passed":1}}`
	for range 3 {
		c.Send("gate-1", message)
		c.Send("gate-1", noSeq)
		c.Send("gate-1", noTime)
	}
	c.Tick(harness.Ten.Add(10 * time.Second)) // a repetition without ts is received at another time
	c.Gateway.Kill()
	c.Run()
	c.Send("gate-1", message)
	c.Send("gate-1", noSeq)
	c.Send("gate-1", noTime)
	c.Send("gate-1", harness.Gate(2, harness.Ten.Add(5*time.Second), 1)) // equal seq, another time
	c.Send("gate-1", `{"ts":"2026-03-02T10:00:00Z","seq":2,"boot":"b","fields":{"passed":1}}`)
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Stored()
	if got := c.FirstHour("gates", "passed"); got != 7 {
		t.Errorf("passed is %v; want 7", got)
	}
	if n := c.Metric(`sluice_readings_total{code="E303",state="duplicate"}`); n != 15 {
		t.Errorf("%v readings were duplicates; want 15", n)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Run()
	c.Connect()
	c.Tick(harness.Ten)
	at := harness.Ten.Add(30 * time.Second)
	for _, m := range []struct{ sensor, payload string }{
		{"gate-1", harness.Gate(1, at, 1)},
		{"gate-1", harness.Gate(2, harness.Ten.Add(61*time.Second), 1)},     // E301
		{"nobody", harness.Gate(1, at, 1)},                                  // E001
		{"old-2", harness.Gate(1, at, 1)},                                   // E002: replaced
		{"new-3", harness.Gate(1, at, 1)},                                   // E002: not yet
		{"old-1", harness.Gate(1, at, 1)},                                   // E002
		{"gate-1", `{"ts":`},                                                // E100
		{"gate-1", `"text"`},                                                // E100
		{"gate-1", `{"ts":"2026-03-02T10:00:30Z","fields":{"passed":"7"}}`}, // E101
		{"gate-1", `{"ts":"2026-03-02T10:00:30Z","fields":{}}`},             // E102
		{"gate-1", `{"ts":"2026-03-02T10:00:30Z","ts":"2026-03-02T10:00:31Z","fields":{"passed":1}}`},   // E104
		{"gate-1", `[{"bver":99,"n":"passed","v":1}]`},                                                  // E106
		{"gate-1", `{"ts":"2026-03-02T10:00:30Z","fields":{"passed":1.5}}`},                             // E200
		{"gate-1", `{"ts":"02/03/2026","fields":{"passed":1}}`},                                         // E300
		{"wifi-1", `{"ts":"2026-03-02T10:00:30Z","seq":1,"fields":{"device":"x","rssi":-90}}`},          // E402
		{"wifi-1", `{"ts":"2026-03-02T10:00:30Z","seq":2,"fields":{"rssi":-50}}`},                       // E102
		{"gate-1", `{"ts":"2026-03-02T10:00:30Z","seq":9,"other":{},"fields":{"passed":1,"more":"x"}}`}, // counts
		{"gate-1", strings.Repeat("[", 1000)},                                                           // E100
		{"gate-1", "[" + strings.Repeat("{},", 10_000) + "{}]"},                                         // E105
	} {
		c.Send(m.sensor, m.payload)
	}
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Send("gate-1", harness.Gate(3, at, 1)) // E302
	want := map[string]float64{
		`sluice_readings_total{code="",state="counted"}`:       2,
		`sluice_readings_total{code="E302",state="late"}`:      1,
		`sluice_readings_total{code="E001",state="refused"}`:   1,
		`sluice_readings_total{code="E002",state="refused"}`:   3,
		`sluice_readings_total{code="E100",state="refused"}`:   3,
		`sluice_readings_total{code="E101",state="refused"}`:   1,
		`sluice_readings_total{code="E102",state="refused"}`:   10_002,
		`sluice_readings_total{code="E104",state="refused"}`:   1,
		`sluice_readings_total{code="E105",state="refused"}`:   1,
		`sluice_readings_total{code="E106",state="refused"}`:   1,
		`sluice_readings_total{code="E200",state="refused"}`:   1,
		`sluice_readings_total{code="E300",state="refused"}`:   1,
		`sluice_readings_total{code="E301",state="refused"}`:   1,
		`sluice_readings_total{code="E402",state="refused"}`:   1,
		`sluice_received_total`:                                10_020,
		`sluice_readings_total{code="E303",state="duplicate"}`: 0,
		`sluice_readings_total{code="E401",state="refused"}`:   0,
		`sluice_windows_open`:                                  0,
	}
	check := func() {
		t.Helper()
		for name, n := range want {
			if got := c.Metric(name); got != n {
				t.Errorf("%s is %v; want %v", name, got, n)
			}
		}
	}
	check()
	c.Gateway.Kill() // counters are durable
	c.Run()
	check()
}

func TestContributionBound(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Run()
	c.Serve()
	c.Connect()
	for hour := range 3 {
		at := harness.Ten.Add(time.Duration(hour) * time.Hour)
		c.Tick(at)
		for i := range 40 {
			c.Send("wifi-1",
				fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:20:00:%02x","rssi":-50}}`,
					at.Format(time.RFC3339), 100*hour+i, i))
		}
		if hour == 1 {
			c.Gateway.Kill() // bounds are durable
			c.Run()
		}
	}
	c.Tick(harness.Ten.Add(4 * time.Hour))
	c.Stored()
	list := c.Items("devices", harness.Ten, harness.Ten.Add(3*time.Hour))
	if got := harness.Value(t, list, harness.Ten, "devices"); got < 36 || got > 44 {
		t.Errorf("the first hour has %v devices; want about 40", got)
	}
	for _, i := range list[1:] {
		if i.Status != "withheld" {
			t.Errorf("at %s the devices count again (%s) although one contribution a day is allowed", i.Start, i.Status)
		}
	}
	if n := c.Metric(`sluice_readings_total{code="",state="counted"}`); n != 120 {
		t.Errorf("%v readings are counted; want 120, whether or not their unit had reached its bound", n)
	}
}
