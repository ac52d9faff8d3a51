package operations

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"sluice/test/harness"
)

// most is the longest text of a log line or a hint, in bytes.
const most = 300

var logged = regexp.MustCompile(`([a-z_.]+)=("(?:[^"\\]|\\.)*"|\S*)`)

// boundedLog looks at every text of every line of a log.
func boundedLog(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		for _, m := range logged.FindAllStringSubmatch(line, -1) {
			text := m[2]
			if plain, err := strconv.Unquote(text); err == nil {
				text = plain
			}
			if len(text) > most || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s has %d bytes: %.200q", m[1], len(text), text)
			}
		}
		if len(line) > 5*most {
			t.Errorf("a line of %d bytes: %.200q", len(line), line)
		}
	}
}

// boundedHints looks at what readyz and the metrics say.
func boundedHints(c *harness.City) {
	c.T.Helper()
	_, _, body := harness.Get(c.T, c.Admin+"/readyz")
	var ready struct {
		Checks map[string]struct{ Hint string }
	}
	if err := json.Unmarshal(body, &ready); err != nil {
		c.T.Fatal(err)
	}
	for name, check := range ready.Checks {
		if len(check.Hint) > most || strings.ContainsFunc(check.Hint, func(r rune) bool {
			return !unicode.IsPrint(r)
		}) {
			c.T.Errorf("the hint for %s has %d bytes: %.200q", name, len(check.Hint), check.Hint)
		}
	}
	if metrics := c.Metrics(); strings.Contains(metrics, "xxxxxxxx") {
		c.T.Error("the metrics quote it")
	}
}

// TestWhatIsSaidIsBounded: rules, files and servers that bring a megabyte into an
// error do not bring it into a log, a hint or onto a terminal.
func TestWhatIsSaidIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 900_000)
	for name, change := range map[string]func(map[string]string){
		"a builtin that fails": harness.Ruled(
			"result := to_number(concat(\"\", [\"xxxxxxxxxxxxxxxxxxxx\" | some i in numbers.range(1, 20000)]))"),
		"a key":               func(f map[string]string) { f["policy/charter.yaml"] += long + ": 1\n" },
		"a value":             func(f map[string]string) { f["policy/charter.yaml"] += "min_units: " + long + "\n" },
		"a line that is none": func(f map[string]string) { f["policy/kinds.yaml"] = "kinds: [" + long + "\n" },
		"Rego": func(f map[string]string) {
			f["policy/local/x.rego"] = "package sluice.local\n" + long + " := \n"
		},
		"a deny message": func(f map[string]string) {
			f["policy/local/x.rego"] = "package sluice.local\ndeny contains concat(\"\", " +
				"[\"\\u001b[2Jxxxxxxxxxxxxxxx\" | some i in numbers.range(1, 9000)]) if true\n"
		},
		"a file's name": func(f map[string]string) {
			f["policy/decisions/\x1b[2J\u202e"+strings.Repeat("x", 200)+".yaml"] = "decision: ["
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := harness.Small()
			change(files)
			c := harness.Found(t, files)
			c.Run()
			c.Gateway.Find(`nothing flows|not run`)
			boundedHints(c)
			boundedLog(t, c.Gateway.Err.String())
			harness.Judged(t, name, nil, "policy", "check", filepath.Join(c.Dir, "policy"))
			harness.Judged(t, name, nil, "doctor", "-c", filepath.Join(c.Dir, "gateway.yaml"))
		})
	}
	t.Run("a database's answer", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			body, _ := json.Marshal(map[string]string{"code": "internal error", "message": "\x1b[2J" + long})
			_, _ = w.Write(body)
		}))
		defer server.Close()
		c := harness.Found(t, harness.Small())
		config := filepath.Join(c.Dir, "gateway.yaml")
		harness.Write(t, config, harness.Read(t, config)+"store: {influx: {url: \""+server.URL+
			"\", org: o, bucket: a/b}}\n")
		c.Run()
		c.Connect()
		c.Tick(harness.Ten)
		c.Send("gate-1", harness.Gate(1, harness.Ten, 1))
		c.Tick(harness.Ten.Add(4 * time.Hour))
		c.Gateway.Find(`level=(WARN|ERROR).*error=`)
		boundedHints(c)
		boundedLog(t, c.Gateway.Err.String())
		harness.Judged(t, "doctor", nil, "doctor", "-c", config)
	})
	t.Run("a motion's names", func(t *testing.T) {
		t.Parallel()
		c, _, inbox := harness.Voted(t, 0)
		var raw bytes.Buffer
		w := tar.NewWriter(&raw)
		if err := w.WriteHeader(&tar.Header{Name: "\u202e" + long[:100_000], Mode: 0o644, Size: 1,
			Format: tar.FormatPAX}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		harness.Write(t, filepath.Join(inbox, "\x1b[2J\u202e"+strings.Repeat("x", 200)+".sluice"), raw.String())
		c.Run()
		c.Gateway.Find(`a motion is refused`)
		boundedHints(c)
		boundedLog(t, c.Gateway.Err.String())
	})
	t.Run("a configuration", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "gateway.yaml")
		for _, text := range []string{long + ": 1\n", "gateway: [" + long, "gateway: \x1b[2J" + long + "\n"} {
			harness.Write(t, path, text)
			harness.Judged(t, "a configuration", nil, "gateway", "-c", path)
			harness.Judged(t, "a configuration", nil, "opendata", "-c", path)
		}
		harness.Judged(t, "a verb", nil, long[:50_000])
	})
}
