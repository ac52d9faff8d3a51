package docs

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestHelpExamples runs every example that some --help shows, against a running
// gateway; one that is not known here fails. What documents say of firmware-sim's flags
// is held against its help.
func TestHelpExamples(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	files["policy/kinds.yaml"] += "  air: {fields: [{name: no2, type: float, class: measurement}]}\n"
	files["register.yaml"] += "  - {id: centre, owner: replay, kind: air, zone: square, registered: 2026-01-01}\n"
	c := harness.Found(t, files)
	c.Run()
	dir := t.TempDir()
	harness.Write(t, filepath.Join(dir, "air.csv"),
		fmt.Sprintf("Date Time,Station,NO2 Value\n%d,centre,21\n%d,centre,23\n", harness.Ten.Unix(),
			harness.Ten.Unix()+60))
	effects := map[string]func(out string){
		"firmware-sim run": func(string) {
			harness.Want(t, harness.Read(t, filepath.Join(dir, "truth.jsonl")), `^\{`)
		},
		"firmware-sim replay": func(string) { c.At(harness.Ten.Add(1e9)) },
	}
	flags := map[string]string{}
	for _, bin := range []string{harness.Sluice, harness.Firmware} {
		helps(t, bin, nil, func(words []string, help string) {
			name := strings.Join(append([]string{filepath.Base(bin)}, words...), " ")
			flags[name] = help
			_, example, ok := strings.Cut(help, "Examples:\n")
			if !ok {
				return
			}
			example, _, _ = strings.Cut(example, "\n\n")
			effect := effects[name]
			if effect == nil {
				t.Errorf("no test runs the example of %s --help: %s", name, example)
				return
			}
			delete(effects, name)
			example = strings.NewReplacer("tcp://127.0.0.1:1883", "tcp://"+c.Mqtt, "--duration 10s", "--duration 2s",
				"firmware-sim ", harness.Firmware+" ").Replace(strings.TrimSpace(example))
			if !strings.Contains(example, "--broker") {
				example += " --broker tcp://" + c.Mqtt
			}
			cmd := exec.Command("timeout", harness.Limit(time.Minute), "bash", "-ec", example)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", example, err, harness.Tail(string(out)))
			}
			effect(string(out))
		})
	}
	for name := range effects {
		t.Errorf("%s --help has no example any more", name)
	}
	for _, page := range []string{"operations.md", "wire.md", "policy.md", "release.md"} {
		for _, m := range regexp.MustCompile("firmware-sim (run|replay)([^`\n]*)").
			FindAllStringSubmatch(harness.Read(t, "../../docs/"+page), -1) {
			for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(m[2], -1) {
				harness.Want(t, flags["firmware-sim "+m[1]], flag+`\b`)
			}
		}
	}
}

// helps gives each verb's help, from the top down.
func helps(t *testing.T, bin string, words []string, each func(words []string, help string)) {
	t.Helper()
	help := harness.Run(t, bin, append(append([]string(nil), words...), "--help")...)
	each(words, help)
	_, list, _ := strings.Cut(help, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		if name := strings.Fields(line); len(name) > 0 && name[0] != "help" && name[0] != "completion" {
			helps(t, bin, append(append([]string(nil), words...), name[0]), each)
		}
	}
}
