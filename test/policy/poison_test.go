package policy

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/test/harness"
)

// TestAHostileInbox: whoever writes the inbox, and has no member's key, can neither
// stop a gateway nor make it work: each file is refused for its signatures before
// anything else of it is looked at, and once, also by a gateway that starts.
func TestAHostileInbox(t *testing.T) {
	t.Parallel()
	c, a, inbox := harness.Voted(t, 0)
	a.Enact("founding", inbox, harness.Members[:4]...)
	c.Run()
	harness.Await(t, 20*time.Second, "the first policy", func() bool { return c.Version() == 1 })
	parts, err := council.ReadFile([]byte(harness.Read(t, a.Path("motions", "founding", "founding.sluice"))))
	if err != nil {
		t.Fatal(err)
	}
	text := string(parts[council.TextName])
	for name, file := range map[string][2]string{
		"zones":   {"zones.geojson", `{"type":"FeatureCollection","features":[null]}`},
		"roster":  {"council.yaml", "a: " + strings.Repeat("[", 1<<20)},
		"compact": {"charter.yaml", strings.Repeat("- ", 1<<19)},
		"keys":    {"kinds.yaml", strings.Repeat("? ", 1<<19)},
		"maps":    {"kinds.yaml", strings.Repeat("{a: ", 1<<18)},
		"zeros":   {"council.yaml", string(make([]byte, 200<<20))},
		"rules":   {"rules/x.rego", "x := " + strings.Repeat("[", 1<<20)},
	} {
		packed := poison(t, file[0], file[1])
		head := strings.NewReplacer("Version: 1\n", "Version: 2\n", "Previous motion: none",
			"Previous motion: sha256:"+council.Sum(parts[council.TextName])).Replace(text)
		head = regexp.MustCompile(`(?m)^Bundle: .*$`).ReplaceAllString(head, "Bundle: sha256:"+council.Sum(packed))
		forged := council.Parts{council.TextName: []byte(head), council.BundleName: packed,
			council.SignersName: parts[council.SignersName]}
		harness.Write(t, filepath.Join(inbox, name+".sluice"), string(packFile(t, forged)))
		// The first motion's place is free in no gateway, and in a new one only the pinned roster fills it.
		first := council.
			Parts{council.TextName: []byte(
			regexp.MustCompile(`(?m)^Bundle: .*$`).ReplaceAllString(text, "Bundle: sha256:"+council.Sum(packed))),
			council.BundleName: packed, council.SignersName: parts[council.SignersName]}
		harness.Write(t, filepath.Join(inbox, "first-"+name+".sluice"), string(packFile(t, first)))
	}
	before := usage(t, c.Gateway.Cmd.Process.Pid)
	harness.Await(t, 60*time.Second, "fourteen refusals", func() bool {
		return strings.Count(c.Gateway.Err.String(), "a motion is refused") == 14
	})
	after := usage(t, c.Gateway.Cmd.Process.Pid)
	if used := after.cpu - before.cpu; used > 14*time.Second {
		t.Errorf("fourteen refusals took %v of a processor", used)
	}
	if grown := after.peak - before.peak; grown > 160<<10 {
		t.Errorf("fourteen refusals took %d MiB at most", grown>>10)
	}
	t.Logf("fourteen refusals: %v of a processor, the peak of memory grew by %d KiB", after.cpu-before.cpu,
		after.peak-before.peak)
	looks := usage(t, c.Gateway.Cmd.Process.Pid)
	time.Sleep(3 * time.Second)
	if again := usage(t, c.Gateway.Cmd.Process.Pid).cpu - looks.cpu; again > time.Second {
		t.Errorf("files that were refused cost %v in three looks", again)
	}
	c.Gateway.Kill()
	c.Run() // the files are still there
	harness.Await(t, 60*time.Second, "the first policy, after a restart", func() bool { return c.Version() == 1 })
	a.Enact("again", inbox, harness.Members[:5]...)
	harness.Await(t, 60*time.Second, "an honest motion among them", func() bool { return c.Version() == 2 })
}

func packFile(t *testing.T, p council.Parts) []byte {
	t.Helper()
	raw, err := p.File()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// poison is a bundle with one bad file, and nothing else.
func poison(t *testing.T, name, text string) []byte {
	t.Helper()
	raw, err := bundle.Archive([]string{name}, map[string][]byte{name: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type use struct {
	cpu  time.Duration
	peak int // KiB
}

// usage is what a process has used so far, from proc(5).
func usage(t *testing.T, pid int) use {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var u use
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		u.cpu += time.Duration(n) * time.Second / 100
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatal("no VmHWM")
	}
	u.peak, err = strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return u
}
