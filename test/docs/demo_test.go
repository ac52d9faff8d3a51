package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"sluice/firmware-sim/device"
	"sluice/test/fenced"
	"sluice/test/harness"
)

func clock(d harness.Demo) (now time.Time) {
	var health struct {
		Now time.Time `json:"now"`
	}
	harness.GetJSON(d.T, d.Admin+"/healthz", &health)
	return health.Now
}

// TestDemo is what a newcomer sees: every sort of answer within a minute, their
// own number some seconds after publishing, feedback, a policy that reloads, a
// stop that is in order and a second run that goes on.
func TestDemo(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	dir := filepath.Join(t.TempDir(), "town")
	d := harness.StartDemo(t, dir)
	d.Find(`"event":"replayed"`)
	seen := map[string]int{}
	exact := 0
	for _, stream := range []string{"footfall", "boardings", "noise", "air"} {
		for _, i := range harness.ReadAll(t, d.OpenData, "/api/v1/streams/"+stream+"/observations?limit=1000") {
			seen[i.Status]++
			if i.Value != nil && *i.Low == *i.High {
				exact++
			}
			if !i.Simulation {
				t.Fatal("an observation of the demo does not say simulation")
			}
		}
	}
	if seen["published"] == 0 || seen["withheld"] == 0 || seen["no_data"] == 0 || exact == 0 ||
		exact == seen["published"] {
		t.Errorf("the demo shows %v and %d exact values; want some of each", seen, exact)
	}
	if took := time.Since(begun); took > harness.Longer(time.Minute) {
		t.Errorf("the first answers took %s; want at most a minute", took)
	}
	systems(d)
	yourSensors(d)
	editPolicy(d)
	last := clock(d)
	if code := d.Stop(5 * time.Second); code != 0 {
		t.Errorf("Ctrl-C gave exit code %d; want 0", code)
	}
	again := harness.StartDemo(t, dir)
	again.Find(`"event":"replayed"`)
	if now := clock(again); now.Before(last) || now.After(last.Add(2*time.Hour)) {
		t.Errorf("the second run is at %s; the first ended at %s", now, last)
	}
	if code := again.Stop(5 * time.Second); code != 0 {
		t.Errorf("SIGINT gave exit code %d; want 0", code)
	}
}

// systems looks at the meters that speak other systems' formats: they are published as all others are,
// their pages say what they speak, and nothing public says what they are called there.
func systems(d harness.Demo) {
	t := d.T
	for path, want := range map[string]string{
		"/sensors/noise-rambla":         "ChirpStack v4 through LoRaWAN",
		"/sensors/noise-rambla?lang=ca": "ChirpStack v4 per LoRaWAN",
		"/sensors/noise-port?lang=es":   "SenML (RFC 8428)",
		"/sensors/air-rambla":           "Eclipse Sparkplug B",
		"/api/v1/sensors":               `"preset":"chirpstack-v4"`,
		"/books/register.json":          "sparkplug-b",
	} {
		_, _, body := harness.Get(t, d.OpenData+path)
		if !strings.Contains(string(body), want) {
			t.Errorf("%s does not say %s", path, want)
		}
		for _, device := range []string{"70b3d57ed0005a17", "02005efffe0015e5", "Station 1", "/event/up"} {
			if strings.Contains(string(body), device) {
				t.Errorf("%s says %s, which a system calls a sensor", path, device)
			}
		}
	}
	for stream, cells := range map[string][]string{"noise": {"rambla", "port"}, "air": {"rambla", "port"}} {
		for _, cell := range cells {
			published := 0
			for _, i := range harness.ReadAll(t, d.OpenData,
				"/api/v1/streams/"+stream+"/observations?limit=1000&cell="+cell) {
				if i.Status == "published" {
					published++
				}
			}
			if published == 0 {
				t.Errorf("nothing of %s is published at %s", stream, cell)
			}
		}
	}
}

// yourSensors publishes to the spare sensors and waits for number and feedback.
func yourSensors(d harness.Demo) {
	t := d.T
	var mu sync.Mutex
	var feedback string
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(d.MQTT).SetClientID("you"))
	if tok := c.Connect(); !tok.WaitTimeout(harness.Patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	defer c.Disconnect(100)
	c.Subscribe("city/v1/demo/+/feedback", 1, func(_ mqtt.Client, m mqtt.Message) {
		mu.Lock()
		defer mu.Unlock()
		feedback += string(m.Payload())
	}).Wait()
	link, err := device.Connect(d.MQTT, "yours")
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	link.Publish("city/v1/demo/yours-noise/up", []byte(`{"fields":{"laeq":71.5}}`), false)
	link.Publish("city/v1/demo/yours-noise/up", []byte(`{"fields":{"laeq":"secret-9f"}}`), false)
	link.Publish("city/v1/demo/yours-noise/up", []byte(`{"fields":{"laeq":998.25}}`), false)
	link.Publish("city/v1/demo/yours-counter/up", []byte(`{"fields":{"device":"02:00:5e:00:00:01","rssi":-60}}`), false)
	if err := link.Flush(); err != nil {
		t.Fatal(err)
	}
	harness.Await(t, 30*time.Second, "your number to appear", func() bool {
		for _, i := range harness.ReadAll(t, d.OpenData,
			"/api/v1/streams/noise/observations?cell=carrer-nou&limit=1000") {
			if i.Value != nil && *i.Value == 71.5 {
				return true
			}
		}
		return false
	})
	harness.Await(t, 30*time.Second, "feedback", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Contains(feedback,
			`{"code":"E101","pointer":"/fields/laeq","rule":"kind noise-meter","count":1,"fix":`) &&
			strings.Contains(feedback,
				`{"code":"E202","pointer":"/fields/laeq","rule":"kind noise-meter","count":1,"fix":"send values from 20 to 140; look after the sensor"}`)
	})
	if strings.Contains(feedback, "secret-9f") || strings.Contains(feedback, "998") {
		t.Error("feedback quotes a value")
	}
}

// editPolicy breaks a file, sees it said, then really changes a decision.
func editPolicy(d harness.Demo) {
	t := d.T
	path := filepath.Join(d.Dir, "policy", "decisions", "2026-16-noise.yaml")
	good := harness.Read(t, path)
	harness.Write(t, path, strings.Replace(good, "keep: [laeq]", "kep: [laeq]", 1))
	d.Find(`cannot be used.*2026-16-noise.yaml.*unknown field`)
	harness.Write(t, path, strings.Replace(good, "name: level", "name: loudness", 1))
	harness.Await(t, 40*time.Second, "the changed measure to be published", func() bool {
		for _, i := range harness.ReadAll(t, d.OpenData, "/api/v1/streams/noise/observations?limit=1000") {
			if i.Measure == "loudness" && i.Status == "published" {
				return true
			}
		}
		return false
	})
}

// TestBanner starts the demo as README.md and docs/council.md do, sees what they show,
// and publishes as they and docs/wire.md say.
func TestBanner(t *testing.T) {
	t.Parallel()
	args := harness.FromReadme(t, fenced.Take(t, "README.md", "go run ./cmd/sluice up --demo"))
	p := harness.Start(t, harness.Sluice,
		append(args, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0")...)
	for _, want := range []string{
		`Simulated: the city`, `mosquitto_pub -h 127\.0\.0\.1 -p \d+ .*city/v1/demo/yours-noise/up`,
		`city/v1/demo/yours-counter/up`,
		`mosquitto_sub .*feedback`, `http://127\.0\.0\.1:\d+/streams/noise\?cell=carrer-nou`,
		`The last day\s+published\s+withheld\s+no data`,
	} {
		p.Find(want)
	}
	port := p.Find(`mosquitto_pub -h 127\.0\.0\.1 -p (\d+) `)[1]
	shown(t, fenced.Take(t, "README.md", "The last day").Read(), p.Out.String())
	if _, err := exec.LookPath("mosquitto_pub"); err == nil {
		heard := harness.Begin(t, "mosquitto_sub",
			exec.Command("bash", "-c",
				strings.Replace(fenced.Take(t, "docs/wire.md", "mosquitto_pub -h").Change("1883", port).Read(),
					"\nmosquitto_sub", " & sleep 1\nexec mosquitto_sub", 1)), nil)
		fenced.Take(t, "README.md", "mosquitto_pub -h").Change("1883", port).Run(t.TempDir(), nil)
		web := p.Find(`(http://127\.0\.0\.1:\d+)/streams/noise\?cell=carrer-nou`)[1]
		harness.Await(t, 30*time.Second, "the README's number", func() bool {
			_, _, page := harness.Get(t, web+"/streams/noise?cell=carrer-nou")
			return strings.Contains(string(page), "71.5")
		})
		feedbackShown(t, "127.0.0.1:"+port)
		heard.Find(`"code":"E`)
		heard.Kill()
	}
	dir := p.Find(`(?m)Policy\s+(\S+)/policy`)[1]
	if code := p.Stop(5 * time.Second); code != 0 {
		t.Errorf("exit code %d; want 0", code)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the temporary state directory is still there")
	}
}

// shown holds a table of a document against what the program prints: the same columns,
// and each row's first two words and form, whatever its numbers.
func shown(t *testing.T, table, printed string) {
	t.Helper()
	masked := func(s string) string {
		return regexp.MustCompile(`\d[\d.]*`).ReplaceAllString(strings.Join(strings.Fields(s), " "), "N")
	}
	printed = masked(printed)
	for line := range strings.Lines(table) {
		if row := masked(line); !strings.Contains(printed, row) {
			t.Errorf("the document shows %q, the program does not", row)
		}
	}
}

// TestRefused is every way in which a start is refused: one line that says what
// to do, and the code of that sort.
func TestRefused(t *testing.T) {
	t.Parallel()
	busy := freeAddrHeld(t)
	c := harness.Found(t, harness.Small())
	c.Run()
	locked := filepath.Join(c.Dir, "state")
	file := filepath.Join(t.TempDir(), "file")
	harness.Write(t, file, "x")
	bad := filepath.Join(t.TempDir(), "gateway.yaml")
	harness.Write(t, bad, "nonsense: 1\ndir: x\n")
	open := filepath.Join(t.TempDir(), "gateway.yaml")
	harness.Write(t, open, "dir: x\nregister: r\nlisten: {mqtt: 0.0.0.0:0}\nsimulation: true\n")
	unsigned := filepath.Join(t.TempDir(), "gateway.yaml")
	harness.Write(t, unsigned, "dir: x\nregister: r\nlisten: {mqtt: 127.0.0.1:0}\n")
	up := func(args ...string) []string {
		base := map[string]string{"--http": "127.0.0.1:0", "--mqtt": "127.0.0.1:0", "--admin": "127.0.0.1:0"}
		for i := 0; i+1 < len(args); i += 2 {
			base[args[i]] = args[i+1]
		}
		out := []string{"up", "--demo"}
		for k, v := range base {
			out = append(out, k, v)
		}
		return out
	}
	for _, x := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no such member", []string{"up", "--member", "anna"}, 2, "NAME=FILE.pub"},
		{"no such key", []string{"up", "--member", "anna=" + bad}, 3, "public key"},
		{"wrong flag", []string{"up", "--demo", "--nonsense"}, 2, "unknown flag"},
		{"wrong verb", []string{"dance"}, 2, "unknown command"},
		{"busy http", up("--http", busy), 3, "--http"},
		{"busy mqtt", up("--mqtt", busy), 3, "mqtt listener"},
		{"busy admin", up("--admin", busy), 3, "--admin"},
		{"not loopback", up("--http", "0.0.0.0:0"), 3, "loopback"},
		{"a file as directory", up("--dir", file), 3, "--dir"},
		{"locked directory", up("--dir", locked), 3, "in use by another process"},
		{"unknown key", []string{"gateway", "-c", bad}, 3, "nonsense"},
		{"no configuration", []string{"gateway", "-c", filepath.Join(locked, "none.yaml")}, 3, "none.yaml"},
		{"simulation on the network", []string{"gateway", "-c", open}, 3, "loopback"},
		{"unsigned policy", []string{"gateway", "-c", unsigned}, 3, "simulation: true"},
		{"open data without books", []string{"opendata", "-c", bad}, 3, "nonsense"},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := harness.Start(t, harness.Sluice, x.args...)
			select {
			case err := <-p.Done:
				p.Done <- err
			case <-time.After(harness.Patience):
				t.Fatal("it goes on running")
			}
			if code := p.Cmd.ProcessState.ExitCode(); code != x.code || !strings.Contains(p.Err.String(), x.says) {
				t.Errorf("exit code %d, saying %q; want %d and %q", code, p.Err.String(), x.code, x.says)
			}
			if strings.Contains(p.Err.String(), "goroutine") {
				t.Error("it shows a stack")
			}
			if lines := strings.Count(p.Err.String(), "\n"); lines != 1 && !strings.Contains(x.says, "nonsense") {
				t.Errorf("it takes %d lines to say so", lines)
			}
		})
	}
}

func freeAddrHeld(t *testing.T) string {
	t.Helper()
	link := harness.NewHeld(t)
	t.Cleanup(func() { link.Close() })
	return fmt.Sprint(link.Addr())
}

// feedbackShown makes ten mistakes at the demo's spare sensor: what it hears is what
// docs/wire.md shows, to the letter.
func feedbackShown(t *testing.T, addr string) {
	t.Helper()
	shown := fenced.Take(t, "docs/wire.md", `{"since":"…"`).Read()
	heard := harness.Listen(t, addr, "city/v1/demo/yours-counter/feedback")
	link, err := device.Connect("tcp://"+addr, "yours")
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	var list []string
	for seq := range 10 {
		list = append(list, fmt.Sprintf(`{"seq":%d,"fields":{"device":"02:00:5e:00:00:01","rssi":"loud"}}`, 4711+seq))
	}
	link.Publish("city/v1/demo/yours-counter/up", []byte("["+strings.Join(list, ",")+"]"), false)
	harness.Await(t, 30*time.Second, "feedback", func() bool { return heard.String() != "" })
	if masked := regexp.MustCompile(`"(since|until)":"[^"]+"`).ReplaceAllString(heard.String(),
		`"$1":"…"`); masked != shown {
		t.Errorf("what is heard is\n%s, what is shown\n%s", masked, shown)
	}
}
