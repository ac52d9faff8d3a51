package sensors

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// nobody are the kinds about nobody that the simulator's sensors are of, with the field that is added up.
var nobody = map[string][2]string{
	"noise-meter": {"noise", "laeq"}, "air-station": {"air", "pm10"}, "people-gate": {"gates", "entered"},
	"parking-bay": {"parking", ""}, "pax-counter": {"pax", "pax"}, "water-meter": {"water", "volume"},
	"power-meter": {"energy", "energy_high"},
}

// dialectCity is the small city with a stream for each kind of the simulator's sensors.
func dialectCity(register string) map[string]string {
	files := harness.Small()
	kinds, _, _ := strings.Cut(files["policy/kinds.yaml"], "  people-gate:")
	kinds += `  wifi-counter:
    units: [{field: device, stands_for: device}]
    fields:
      - {name: device, type: string, class: identifier}
      - {name: rssi, type: int, unit: dBm, class: measurement}
  plate-camera:
    units: [{field: plate, stands_for: device}]
    fields: [{name: plate, type: string, class: identifier}]
  parking-bay: {fields: [{name: occupied, type: bool, class: measurement}]}
  people-gate:
    fields:
      - {name: entered, type: int, class: measurement}
      - {name: left, type: int, class: measurement}
`
	gates := files["policy/decisions/gates.yaml"]
	delete(files, "policy/decisions/gates.yaml")
	id := 10
	for kind, x := range nobody {
		if x[1] != "" && kind != "people-gate" {
			kinds += fmt.Sprintf("  %s: {fields: [{name: %s, type: %s, class: measurement}]}\n", kind, x[1],
				map[bool]string{true: "int", false: "float"}[x[1] == "pax"])
		}
		id++
		text := strings.NewReplacer(`"1"`, fmt.Sprintf("%q", fmt.Sprint(id)), "stream: gates", "stream: "+x[0],
			"[people-gate]", "["+kind+"]", "[passed]", "["+x[1]+"]", "sum(passed)", "sum("+x[1]+")").Replace(gates)
		if x[1] == "" {
			text = strings.NewReplacer("keep: []", "keep: [occupied]", "    - {name: passed, of: sum()}\n", "").
				Replace(text)
		}
		files["policy/decisions/"+x[0]+".yaml"] = text
	}
	devices := files["policy/decisions/devices.yaml"]
	files["policy/decisions/plates.yaml"] = strings.NewReplacer(`"2"`, `"3"`, "stream: devices", "stream: plates",
		"[wifi-counter]", "[plate-camera]", "field: device,", "field: plate,", "keep: [device, rssi]", "keep: [plate]",
		"where: [{field: rssi, op: \">=\", value: -85}]\n", "", "epsilon: 20", "epsilon: 10").Replace(devices)
	files["policy/decisions/devices.yaml"] = strings.Replace(devices, "epsilon: 20", "epsilon: 10", 1)
	files["policy/kinds.yaml"], files["register.yaml"] = kinds, register
	return files
}

// truthLine is a line of the simulator's truth.
type truthLine struct {
	Stream   string             `json:"stream_hint"`
	Readings float64            `json:"readings"`
	Sums     map[string]float64 `json:"sums"`
}

// TestDialectsAreCounted: for each preset, what the simulator says really happened is what the gateway
// counts, and what its sensors measured is what is published. So it is at the listener, and behind a real
// broker for devices that repeat themselves, send in any order and say more than they should.
func TestDialectsAreCounted(t *testing.T) {
	t.Parallel()
	t.Run("listener", func(t *testing.T) { t.Parallel(); dialectsAreCounted(t, "", "none") })
	t.Run("broker", func(t *testing.T) {
		t.Parallel()
		dialectsAreCounted(t, harness.NewMosquitto(t, "").Addr, "duplicates,out-of-order,unknown-fields")
	})
}

// dialectsAreCounted gives each preset every second hour for itself.
func dialectsAreCounted(t *testing.T, broker, faults string) {
	help := harness.Run(t, harness.Firmware, "run", "--help")
	list := regexp.MustCompile(`a preset \(([^)]*)\)`).FindStringSubmatch(help)
	if list == nil {
		t.Fatalf("--help does not list presets: %s", help)
	}
	presets := strings.Split(list[1], ", ")
	register, play := "sensors:\n", make(map[string][]string)
	for n, preset := range presets {
		play[preset] = []string{"run", "--as", preset, "--owner", "town", "--sensors", "4", "--seed", fmt.Sprint(n),
			"--start", hourOf(n).Format(time.RFC3339), "--duration", "1h", "--accelerate", "0", "--people", "200",
			"--faults", faults}
		entries := harness.Run(t, harness.Firmware, append(play[preset], "--print-register")...)
		entries = regexp.MustCompile(`zone: \w+`).ReplaceAllString(entries, "zone: square")
		_, entries, _ = strings.Cut(entries, "sensors:\n")
		register += strings.ReplaceAll(entries, "{id: ", "{id: "+preset+"-")
	}
	c := harness.Found(t, dialectCity(register))
	if broker != "" {
		c.Through(broker)
	}
	c.Begin()
	truths := make(map[string]map[string]truthLine)
	for n, preset := range presets {
		before, codes := c.Metric(counted)+c.Metric(first), codesNow(c)
		file := filepath.Join(c.Dir, preset+".jsonl")
		harness.Run(t, harness.Firmware, append(play[preset], "--broker", "tcp://"+c.Mqtt,
			"--clock", harness.ClockTopic, "--truth", file)...)
		c.Tick(hourOf(n).Add(time.Hour + 3*time.Minute))
		c.At(hourOf(n).Add(time.Hour))
		truths[preset] = truthOf(t, file)
		want := 0.0
		for _, l := range truths[preset] {
			want += l.Readings
		}
		got := 0.0
		for patience := time.Now().Add(10 * time.Second); got != want && time.Now().Before(patience); {
			got = c.Metric(counted) + c.Metric(first) - before
			time.Sleep(20 * time.Millisecond)
		}
		if got != want || want == 0 {
			t.Errorf("%s: %v readings are counted; %v happened (codes %v, then %v)", preset, got, want, codes,
				codesNow(c))
		}
	}
	c.Stored()
	for n, preset := range presets {
		for _, x := range nobody {
			line, ok := truths[preset][x[0]]
			if !ok || x[1] == "" {
				continue
			}
			got := harness.Value(t, c.Items(x[0], hourOf(n), hourOf(n+1)), hourOf(n), "passed")
			if math.Abs(got-line.Sums[x[1]]) > .01 {
				t.Errorf("%s: %s adds up to %v; %v happened", preset, x[1], got, line.Sums[x[1]])
			}
		}
	}
}

// Metrics of readings that count, and of those that a counter begins with: nobody knows what a device
// had counted before.
const (
	counted = `sluice_readings_total{code="",state="counted"}`
	first   = `sluice_readings_total{code="E307",state="refused"}`
)

// hourOf is when the nth preset is heard.
func hourOf(n int) time.Time { return harness.Ten.Add(time.Duration(2*n) * time.Hour) }

// truthOf adds the zones of a truth file up, by stream.
func truthOf(t *testing.T, path string) map[string]truthLine {
	t.Helper()
	out := make(map[string]truthLine)
	for line := range strings.Lines(harness.Read(t, path)) {
		var l truthLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		sum := out[l.Stream]
		sum.Stream = l.Stream
		sum.Readings += l.Readings
		if sum.Sums == nil {
			sum.Sums = make(map[string]float64)
		}
		for name, v := range l.Sums {
			sum.Sums[name] += v
		}
		out[l.Stream] = sum
	}
	return out
}
