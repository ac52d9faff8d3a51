package test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestHelpExamples runs every example that some --help shows, against a running
// gateway; one that is not known here fails. What documents say of firmware-sim's flags
// is held against its help.
func TestHelpExamples(t *testing.T) {
	t.Parallel()
	files := small()
	files["policy/kinds.yaml"] += "  air: {fields: [{name: no2, type: float, class: measurement}]}\n"
	files["register.yaml"] += "  - {id: centre, owner: replay, kind: air, zone: square, registered: 2026-01-01}\n"
	c := found(t, files)
	c.run()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "air.csv"),
		fmt.Sprintf("Date Time,Station,NO2 Value\n%d,centre,21\n%d,centre,23\n", ten.Unix(), ten.Unix()+60))
	effects := map[string]func(out string){
		"firmware-sim run":    func(string) { want(t, read(t, filepath.Join(dir, "truth.jsonl")), `^\{`) },
		"firmware-sim replay": func(string) { c.at(ten.Add(1e9)) },
	}
	flags := map[string]string{}
	for _, bin := range []string{sluice, firmware} {
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
			example = strings.NewReplacer("tcp://127.0.0.1:1883", "tcp://"+c.mqtt, "--duration 10s", "--duration 2s",
				"firmware-sim ", firmware+" ").Replace(strings.TrimSpace(example))
			if !strings.Contains(example, "--broker") {
				example += " --broker tcp://" + c.mqtt
			}
			cmd := exec.Command("timeout", limit(time.Minute), "bash", "-ec", example)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", example, err, tail(string(out)))
			}
			effect(string(out))
		})
	}
	for name := range effects {
		t.Errorf("%s --help has no example any more", name)
	}
	for _, page := range []string{"operations.md", "wire.md", "policy.md", "release.md"} {
		for _, m := range regexp.MustCompile("firmware-sim (run|replay)([^`\n]*)").
			FindAllStringSubmatch(read(t, "../docs/"+page), -1) {
			for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(m[2], -1) {
				want(t, flags["firmware-sim "+m[1]], flag+`\b`)
			}
		}
	}
}

// helps gives each verb's help, from the top down.
func helps(t *testing.T, bin string, words []string, each func(words []string, help string)) {
	t.Helper()
	help := run(t, bin, append(append([]string(nil), words...), "--help")...)
	each(words, help)
	_, list, _ := strings.Cut(help, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		if name := strings.Fields(line); len(name) > 0 && name[0] != "help" && name[0] != "completion" {
			helps(t, bin, append(append([]string(nil), words...), name[0]), each)
		}
	}
}
