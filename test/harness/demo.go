package harness

import (
	"encoding/json"
	"strings"
	"testing"

	"sluice/test/fenced"
)

// Demo is a running `up --demo`.
type Demo struct {
	*Process
	OpenData string `json:"opendata"`
	MQTT     string `json:"mqtt"`
	Admin    string `json:"admin"`
	Dir      string `json:"dir"`
}

// StartDemo starts `sluice up` in a directory.
func StartDemo(t *testing.T, dir string, more ...string) Demo {
	t.Helper()
	p := Start(t, Sluice, append([]string{"up", "--demo", "--json", "--dir", dir, "--http", ":0", "--mqtt",
		"127.0.0.1:0", "--admin", "127.0.0.1:0"}, more...)...)
	d := Demo{Process: p}
	if err := json.Unmarshal([]byte(p.Find(`(?m)^(\{"opendata.*\})$`)[1]), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// FromReadme is what a document's `go run ./cmd/sluice ...` gives the program. The rest
// of the block is looked at: make has each target.
func FromReadme(t *testing.T, b *fenced.Taken) []string {
	t.Helper()
	b.StandIn("go", `test "$1" = run && test -e "$2/main.go" && shift 2 && echo "args: $*"`, "it is built already")
	b.StandIn("make", `PATH=${PATH#*:} exec /usr/bin/make -n "$@"`, "the tests do not run themselves") // with Go itself
	var args []string
	for line := range strings.Lines(b.Run("../..", nil)) {
		if rest, ok := strings.CutPrefix(line, "args: "); ok {
			args = strings.Fields(rest)
		}
	}
	return args
}
