package sensors

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/register"
	"sluice/test/harness"
)

// TestWireDialects has the simulator speak each of its presets to a real broker, where everything
// arrives, and prints the entries that a register needs for it.
func TestWireDialects(t *testing.T) {
	t.Parallel()
	documented(t, "`firmware-sim run --as chirpstack-v4` speaks like another system: its topics, its messages and "+
		"what comes beside them, for each preset in its `--help`.",
		"`--print-register` prints the register entries that go with it, to be pasted into a register; the same "+
			"`--seed` gives the same devices.",
		"Kinds that the example city has not are in comments before them, for `kinds.yaml`.",
		"Without `--as`, each sensor speaks what the example city's register says; with `--as native`, all speak the "+
			"format above.")
	for _, as := range []string{"", "native"} {
		entries := harness.Run(t, harness.Firmware, "run", "--print-register", "--as", as)
		for _, line := range strings.Split(harness.Read(t, "../../configs/portalba/register.yaml"), "\n") {
			said := regexp.MustCompile(`id: ([\w-]+),.*(preset: [\w-]+)`).FindStringSubmatch(line)
			if said == nil {
				continue
			}
			if speaks := regexp.MustCompile(said[1] + `,.*` + said[2]).MatchString(entries); speaks != (as == "") {
				t.Errorf("with --as %q, whether %s speaks as registered is %v", as, said[1], speaks)
			}
		}
	}
	harness.Need(t, "mosquitto_sub")
	broker := harness.NewMosquitto(t, "")
	host, port, _ := strings.Cut(broker.Addr, ":")
	help := harness.Run(t, harness.Firmware, "run", "--help")
	list := regexp.MustCompile(`a preset \(([^)]*)\)`).FindStringSubmatch(help)
	if list == nil {
		t.Fatalf("--help does not list presets: %s", help)
	}
	for _, preset := range strings.Split(list[1], ", ") {
		ear := harness.Start(t, "mosquitto_sub", "-h", host, "-p", port, "-t", "#", "-F", "%t")
		heard, said := &ear.Out, filepath.Join(t.TempDir(), "register.yaml")
		harness.Await(t, 20*time.Second, "the ear to hear", func() bool {
			_, _ = harness.Pub(t, broker.Addr, "-t", "sound/check", "-m", "1")
			return strings.Contains(heard.String(), "sound/check")
		})
		args := []string{"run", "--as", preset, "--sensors", "4", "--seed", "3", "--start", "2026-03-02T10:00:00Z"}
		harness.Run(t, harness.Firmware, append(args, "--broker", "tcp://"+broker.Addr, "--duration", "15m",
			"--accelerate", "0", "--register", said, "--truth", filepath.Join(t.TempDir(), "truth"))...)
		_, _ = harness.Pub(t, broker.Addr, "-t", "sound/end", "-m", "1")
		harness.Await(t, 20*time.Second, "all to be heard", func() bool {
			return strings.Contains(heard.String(), "sound/end")
		})
		entries := harness.Read(t, said)
		if again := harness.Run(t, harness.Firmware, append(args, "--print-register")...); again != entries {
			t.Errorf("%s: it prints %s, and has written %s", preset, again, entries)
		}
		known(t, preset, entries)
		devices := regexp.MustCompile(`preset: `+preset+`, .*device: "([^"]+)"`).FindAllStringSubmatch(entries, -1)
		if len(devices) != 4 {
			t.Errorf("%s: entries of %d devices: %s", preset, len(devices), entries)
		}
		for _, d := range devices {
			name := d[1][strings.LastIndex(d[1], "/")+1:]
			if preset != "frigate-lpr" && !strings.Contains(heard.String(), name) {
				t.Errorf("%s: nothing is heard of %s", preset, d[1])
			}
		}
		if preset == "frigate-lpr" && !strings.Contains(heard.String(), "frigate/tracked_object_update") {
			t.Errorf("%s: no car is heard", preset)
		}
		ear.Kill()
	}
}

// known insists that a city which takes the kinds that are printed beside the entries to its own has each of them.
func known(t *testing.T, preset, entries string) {
	t.Helper()
	text := harness.Read(t, "../../configs/portalba/policy/kinds.yaml")
	for _, m := range regexp.MustCompile(`(?m)^# ( .*)$`).FindAllStringSubmatch(entries, -1) {
		text += m[1] + "\n"
	}
	kinds, err := register.ParseKinds("kinds.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", preset, err)
	}
	reg, err := register.Parse("register.yaml", []byte(entries))
	if err != nil {
		t.Fatalf("%s: %v", preset, err)
	}
	for _, f := range reg.Check(kinds, nil) {
		if strings.Contains(f.Error(), "kind") {
			t.Errorf("%s: %v", preset, f)
		}
	}
}
