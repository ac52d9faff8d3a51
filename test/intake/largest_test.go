package intake

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/register"
	"sluice/test/harness"
)

// TestLargestRegister: with the most sensors in the most files a gateway is ready soon, takes each
// change of a file soon after it was saved, and stays within its memory. The times are ten times
// what is promised; make bench prints what they are.
func TestLargestRegister(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	c := harness.Found(t, harness.Small())
	const files, each = register.MaxFiles, register.MaxSensors / register.MaxFiles
	dir := filepath.Join(c.Dir, "register")
	harness.NoError(t, os.Mkdir(dir, 0o700))
	file := func(n int, zone string) {
		var text strings.Builder
		text.WriteString("sensors:\n")
		for k := range each {
			fmt.Fprintf(&text, "  - {id: s-%06d, owner: o%d, kind: people-gate, zone: %s, registered: 2026-01-01, "+
				"contact: street@city.example, purpose: {en: \"How many pass\"}}\n", n*each+k, k%3, zone)
		}
		harness.Write(t, filepath.Join(dir, fmt.Sprintf("%05d.yaml", n)), text.String())
	}
	for n := range files {
		file(n, "square")
	}
	c.Edit("gateway.yaml", "register: register.yaml", "register: register")
	began := time.Now()
	c.Begin()
	t.Logf("ready after %v", time.Since(began))
	if took := time.Since(began); took > 100*time.Second {
		t.Errorf("ready after %v", took)
	}
	for n := range 3 {
		began := time.Now()
		file(files/2+n, []string{"elsewhere", "square"}[n%2])
		harness.Await(t, 100*time.Second, "the change to be live", func() bool {
			return strings.Count(c.Gateway.Err.String(), "are read anew") > n
		})
		t.Logf("a change is live after %v", time.Since(began))
	}
	if peak := peakOf(t, c.Gateway.Cmd.Process.Pid); peak > 1<<30 {
		t.Errorf("it took %d MiB", peak>>20)
	} else {
		t.Logf("at most %d MiB", peak>>20)
	}
	c.Link.Publish("city/v1/o1/s-000001/up", []byte(harness.Gate(1, harness.Ten, 5)), false)
	c.Counted(5)
}

// peakOf is the most memory that a process had, in bytes.
func peakOf(t *testing.T, pid int) int {
	t.Helper()
	_, after, found := strings.Cut(harness.Read(t, fmt.Sprintf("/proc/%d/status", pid)), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil || !found {
		t.Fatal(err)
	}
	return kib << 10
}
