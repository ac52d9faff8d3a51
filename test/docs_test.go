package test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestOperationsCommands runs the commands that docs/operations.md begins with, in
// a copy of the checkout, up to the first number.
func TestOperationsCommands(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto")
	need(t, "curl")
	block := regexp.MustCompile("(?s)```sh\n(.*?)```").FindStringSubmatch(read(t, "../docs/operations.md"))[1]
	dir := t.TempDir()
	run(t, "sh", "-c", "cd .. && cp -r books brief cmd configs door firmware-sim gateway opendata perm policy proof register store town trial go.mod go.sum '"+dir+"'")
	for _, p := range []string{"14-footfall", "15-boardings", "16-noise", "17-air"} { // in force on any day
		path := filepath.Join(dir, "policy/decisions/2026-"+p+".yaml")
		text := read(t, path)
		for key, day := range map[string]time.Time{"from": time.Now().AddDate(0, 0, -2), "until": time.Now().AddDate(0, 6, 0), "review": time.Now().AddDate(0, 3, 0)} {
			text = regexp.MustCompile(`(?m)^`+key+`: .*$`).ReplaceAllString(text, key+": "+day.Format(time.DateOnly))
		}
		write(t, path, text)
	}
	for _, port := range []string{"1884", "8080", "9090"} {
		block = strings.ReplaceAll(block, port, strings.Split(freeAddr(t), ":")[1])
	}
	// Installing is the machine's part, tried by whoever reads; the rest is run.
	block = "set -eu\nsudo() { :; }\n" + block + "\nkill $(jobs -p)\n"
	cmd := exec.Command("timeout", "-k", "5", "170", "bash", "-c", block)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), ",PT1M,carrer-nou,level,71.5,published,71.5,71.5,") {
		t.Errorf("the commands end with %v and\n%s", err, tail(string(out)))
	}
	if !strings.Contains(string(out), "a stranger is refused") {
		t.Errorf("doctor did not look at the broker\n%s", tail(string(out)))
	}
}
