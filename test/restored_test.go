package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRestoredDirectory: an older state directory that is put back releases
// nothing, whoever knows better: the head beside the keys, the store, or the
// outside copy. After the recovery no window has a second value.
func TestRestoredDirectory(t *testing.T) {
	t.Parallel()
	for _, knows := range []string{"head", "store", "witness", "books"} {
		t.Run(knows, func(t *testing.T) {
			t.Parallel()
			files := small()
			c := found(t, files)
			config := filepath.Join(c.dir, "gateway.yaml")
			more := ""
			switch knows {
			case "store":
				more = fmt.Sprintf("store: {sqlite: {path: %q}}\n", filepath.Join(c.dir, "elsewhere.db"))
				write(t, filepath.Join(c.dir, "opendata.yaml"),
					strings.Replace(files["opendata.yaml"], "state/store.db", "elsewhere.db", 1))
			case "witness":
				more = fmt.Sprintf("witness: %q\n", filepath.Join(c.dir, "outside"))
			}
			write(t, config, files["gateway.yaml"]+more)
			state, backup := filepath.Join(c.dir, "state"), filepath.Join(c.dir, "backup")
			c.begin()
			c.hours(0, 2)
			if code := c.gateway.stop(20 * time.Second); code != 0 {
				t.Fatal(code)
			}
			if err := os.CopyFS(backup, os.DirFS(state)); err != nil {
				t.Fatal(err)
			}
			c.run()
			c.hours(2, 5)
			before := c.items("devices", ten, ten.Add(24*time.Hour))
			if code := c.gateway.stop(20 * time.Second); code != 0 {
				t.Fatal(code)
			}
			kept := filepath.Join(c.dir, "kept")
			if err := os.CopyFS(kept, os.DirFS(filepath.Join(state, "public"))); err != nil {
				t.Fatal(err)
			}
			c.putBack(state, backup)
			if knows == "books" { // all but the public books was put back
				c.putBack(filepath.Join(state, "public"), kept)
			}
			if knows != "head" {
				heads, err := filepath.Glob(filepath.Join(c.keys, "*", "head.json"))
				if err != nil || len(heads) != 1 {
					t.Fatal(heads, err)
				}
				if err := os.Remove(heads[0]); err != nil { // as after a reboot
					t.Fatal(err)
				}
			}
			c.run()
			c.crowd(3, 40)
			go func() { _ = c.link.Tick(clockTopic, ten.Add(6*time.Hour)) }() // stays unacknowledged
			c.gateway.find(`older than what was released already`)
			time.Sleep(300 * time.Millisecond)
			if n := c.metric("sluice_outbox_rows"); n != 0 {
				t.Errorf("%v windows were released", n)
			}
			c.gateway.stop(20 * time.Second)
			code, out := verb(t, "ledger", "recover", "-c", config)
			if code != 0 || !strings.Contains(out, "is silent until") ||
				(knows == "witness" || knows == "books") && strings.Contains(out, "\n0 lines") {
				t.Fatalf("recover: %d\n%s", code, out)
			}
			c.run()
			c.link.Close()
			c.connect()
			c.tick(ten.Add(7 * time.Hour))
			c.stored()
			values := make(map[string]bool)
			for _, line := range deref(before) {
				values[line] = true
			}
			for _, line := range deref(c.items("devices", ten, ten.Add(24*time.Hour))) {
				if !values[line] {
					t.Errorf("after the recovery there is %s; before there was\n%s", line,
						strings.Join(deref(before), "\n"))
				}
			}
			if code, out := verb(t, "ledger", "recover", "-c", config); code != 3 { // the gateway runs
				t.Errorf("recover beside a gateway: %d\n%s", code, out)
			}
		})
	}
}

func (c *city) putBack(state, backup string) {
	c.t.Helper()
	if err := os.RemoveAll(state); err != nil {
		c.t.Fatal(err)
	}
	if err := os.CopyFS(state, os.DirFS(backup)); err != nil {
		c.t.Fatal(err)
	}
}
