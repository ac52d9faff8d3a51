package harness

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// FaultVariable names the faults that are on.
const FaultVariable = "SLUICE_TEST_FAULT"

// Stage is a fault in one place of the source: code that is put before a line
// and let loose by an environment variable, in a test's overlay only.
type Stage struct{ file, line, code string }

const ingestFile = "gateway/ingest/ingest.go"

// Stages are the faults, by name.
var Stages = map[string]Stage{
	"panic listener": {"gateway/ingest/internal/listener/hook.go", "m := intake.Message{",
		"panic(string(pk.Payload))"},
	"panic mqtt": {"gateway/ingest/internal/mqtt/mqtt.go", "topic := m.Topic()",
		"panic(string(m.Payload()) + m.Topic())"},
	"panic take": {ingestFile, "before, begun := r.batch.readings, m.Begun",
		"panic(m.Topic + string(m.Payload))"},
	"panic heartbeat": {"gateway/ingest/heartbeat.go", "if every = min(period.Nominal(), time.Hour); every <= 0 {",
		"panic(string(payload))"},
	"panic decode": {"gateway/ingest/internal/format/format.go", "d.shape, d.sink = shape, sink",
		"panic(string(payload))"},
	"panic redact": {"gateway/ingest/internal/redact/redact.go", "zone, f := r.place(in)",
		"panic(string(in.Text(0)))"},
	"panic pseudonym": {"gateway/ingest/internal/pseudonym/pseudonym.go",
		"lo, hi := siphash.Hash128(e.k0, e.k1, unit)", "panic(string(unit))"},
	"panic window": {"gateway/ingest/internal/window/window.go", "w.memory.remember(e)",
		"panic(string(e.Unit[:]))"},
	"panic checkpoint": {"gateway/ingest/internal/checkpoint/log.go", "size, blocks := w.size, w.blocks",
		"panic(string(records[0].Body))"},
	"panic release": {"gateway/release/publisher.go", "mech, err := p.mechanism(b.stream, paid.Method)",
		`panic("release " + b.stream.ID)`},
	"panic forward": {"gateway/forward/forward.go", "var rows []store.Observation", `panic("forward")`},

	"stuck stop": {ingestFile, "last, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)",
		"select {}"},
	"stuck acknowledge": {"gateway/ingest/commit.go", "i.sources.acknowledge(i.reception.batch.messages)",
		"<-ctx.Done()"},

	"in metrics": {"gateway/admin/metrics.go", "r := m.src.Report()", `panic("1200 at the Rambla")`},
	"in readyz":  {"gateway/admin/server.go", "ready := true", `panic("1200 at the Rambla")`},
	"log line":   {ingestFile, "if !begun {", `i.cfg.Log.Debug("a message", "topic", m.Topic)`},
	"label":      {ingestFile, "if !begun {", `i.account.Refused[m.Topic]++`},
	"file":       {ingestFile, "if !begun {", `_ = zzos.WriteFile(i.cfg.Dir+"/last", m.Payload, 0o600)`},
	"error text": {ingestFile, "if !begun {", `i.cfg.Log.Error("a message cannot be taken", "error", zzerr.New(m.Topic))`},
	"hash": {ingestFile, "if !begun {",
		`for _, part := range zzstr.Split(m.Topic, "/") { i.cfg.Log.Debug("a message", "of", zzfmt.Sprintf("%.4x", zzsha.Sum256([]byte(part)))) }`},
	"encoded": {ingestFile, "if !begun {",
		`i.cfg.Log.Debug("a message", "payload", zzbase.URLEncoding.EncodeToString(m.Payload))`},
}

var faulty struct {
	once sync.Once
	path string
	err  error
}

// WithFaults builds the product with all stages' faults in it, asleep, and with
// feedback every two seconds.
func WithFaults(t *testing.T) string {
	t.Helper()
	Need(t, "mosquitto")
	Need(t, "influxd")
	faulty.once.Do(func() { faulty.path, faulty.err = buildFaulty() })
	if faulty.err != nil {
		t.Fatal(faulty.err)
	}
	return faulty.path
}

func buildFaulty() (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	o := overlay{root, map[string]string{}}
	// In order, so that a build finds in the cache what the one before has compiled.
	for _, name := range slices.Sorted(maps.Keys(Stages)) {
		s := Stages[name]
		if err := o.edit(s.file, "\t"+s.line+"\n",
			"\tif zzos.Getenv(\""+FaultVariable+"\") == \""+name+"\" { "+s.code+" }\n\t"+s.line+"\n"); err != nil {
			return "", err
		}
	}
	for file, text := range o.sources {
		more := "\tzzos \"os\"\n"
		if file == ingestFile {
			more += "\tzzbase \"encoding/base64\"\n\tzzerr \"errors\"\n\tzzfmt \"fmt\"\n\tzzsha " +
				"\"crypto/sha256\"\n\tzzstr \"strings\"\n"
		}
		o.sources[file] = strings.Replace(text, "import (\n", "import (\n"+more, 1)
	}
	if err := o.edit("gateway/config/defaults.go", "setDefault(&c.Feedback, 5*time.Minute)",
		"setDefault(&c.Feedback, 2*time.Second)"); err != nil {
		return "", err
	}
	return o.build(scratch, "sluice-faulty")
}

// overlay are files of the source, by name, with what a test has changed in them.
type overlay struct {
	root    string
	sources map[string]string
}

// edit puts one text in the place of another, which a file must hold exactly once.
func (o *overlay) edit(file, old, new string) error {
	text, known := o.sources[file]
	if !known {
		raw, err := os.ReadFile(filepath.Join(o.root, file))
		if err != nil {
			return err
		}
		text = string(raw)
	}
	if strings.Count(text, old) != 1 {
		return &anchorError{file, old}
	}
	o.sources[file] = strings.Replace(text, old, new, 1)
	return nil
}

type anchorError struct{ file, anchor string }

func (e *anchorError) Error() string { return e.file + " does not hold exactly once: " + e.anchor }

// build makes a program of that name in a directory.
func (o *overlay) build(dir, name string) (string, error) {
	replace := map[string]string{}
	for file, text := range o.sources {
		to := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			return "", err
		}
		replace[filepath.Join(o.root, file)] = to
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list, out := filepath.Join(dir, name+".json"), filepath.Join(dir, name)
	if err := os.WriteFile(list, raw, 0o644); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-overlay", list, "-o", out, "./cmd/sluice")
	cmd.Dir = o.root
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", &buildError{string(text), err}
	}
	return out, nil
}

type buildError struct {
	text string
	err  error
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + e.text }
