package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestRestoredDirectory: an older state directory that is put back releases
// nothing, whoever knows better: the head beside the keys, the store, or the
// outside copy. After the recovery no window has a second value.
func TestRestoredDirectory(t *testing.T) {
	t.Parallel()
	for _, knows := range []string{"head", "store", "witness", "books"} {
		t.Run(knows, func(t *testing.T) {
			t.Parallel()
			files := harness.Small()
			c := harness.Found(t, files)
			config := filepath.Join(c.Dir, "gateway.yaml")
			more := ""
			switch knows {
			case "store":
				more = fmt.Sprintf("store: {sqlite: {path: %q}}\n", filepath.Join(c.Dir, "elsewhere.db"))
				harness.Write(t, filepath.Join(c.Dir, "opendata.yaml"),
					strings.Replace(files["opendata.yaml"], "state/store.db", "elsewhere.db", 1))
			case "witness":
				more = fmt.Sprintf("witness: %q\n", filepath.Join(c.Dir, "outside"))
			}
			harness.Write(t, config, files["gateway.yaml"]+more)
			state, backup := filepath.Join(c.Dir, "state"), filepath.Join(c.Dir, "backup")
			c.Begin()
			c.Hours(0, 2)
			if code := c.Gateway.Stop(20 * time.Second); code != 0 {
				t.Fatal(code)
			}
			if err := os.CopyFS(backup, os.DirFS(state)); err != nil {
				t.Fatal(err)
			}
			c.Run()
			c.Hours(2, 5)
			before := c.Items("devices", harness.Ten, harness.Ten.Add(24*time.Hour))
			if code := c.Gateway.Stop(20 * time.Second); code != 0 {
				t.Fatal(code)
			}
			kept := filepath.Join(c.Dir, "kept")
			if err := os.CopyFS(kept, os.DirFS(filepath.Join(state, "public"))); err != nil {
				t.Fatal(err)
			}
			putBack(c, state, backup)
			if knows == "books" { // all but the public books was put back
				putBack(c, filepath.Join(state, "public"), kept)
			}
			if knows != "head" {
				heads, err := filepath.Glob(filepath.Join(c.Keys, "*", "head.json"))
				if err != nil || len(heads) != 1 {
					t.Fatal(heads, err)
				}
				if err := os.Remove(heads[0]); err != nil { // as after a reboot
					t.Fatal(err)
				}
			}
			c.Run()
			c.Crowd(3, 40)
			go func() { _ = c.Link.Tick(harness.ClockTopic, harness.Ten.Add(6*time.Hour)) }() // stays unacknowledged
			c.Gateway.Find(`older than what was released already`)
			time.Sleep(300 * time.Millisecond)
			if n := c.Metric("sluice_outbox_rows"); n != 0 {
				t.Errorf("%v windows were released", n)
			}
			c.Gateway.Stop(20 * time.Second)
			code, out := harness.Verb(t, "ledger", "recover", "-c", config)
			if code != 0 || !strings.Contains(out, "is silent until") ||
				(knows == "witness" || knows == "books") && strings.Contains(out, "\n0 lines") {
				t.Fatalf("recover: %d\n%s", code, out)
			}
			c.Run()
			c.Link.Close()
			c.Connect()
			c.Tick(harness.Ten.Add(7 * time.Hour))
			c.Stored()
			values := make(map[string]bool)
			for _, line := range harness.Deref(before) {
				values[line] = true
			}
			for _, line := range harness.Deref(c.Items("devices", harness.Ten, harness.Ten.Add(24*time.Hour))) {
				if !values[line] {
					t.Errorf("after the recovery there is %s; before there was\n%s", line,
						strings.Join(harness.Deref(before), "\n"))
				}
			}
			if code, out := harness.Verb(t, "ledger", "recover", "-c", config); code != 3 { // the gateway runs
				t.Errorf("recover beside a gateway: %d\n%s", code, out)
			}
		})
	}
}

func putBack(c *harness.City, state, backup string) {
	c.T.Helper()
	if err := os.RemoveAll(state); err != nil {
		c.T.Fatal(err)
	}
	if err := os.CopyFS(state, os.DirFS(backup)); err != nil {
		c.T.Fatal(err)
	}
}
