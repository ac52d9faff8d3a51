package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLostStore: a store that has lost what was delivered to it is said in log and
// readiness, and the gateway goes on.
func TestLostStore(t *testing.T) {
	t.Parallel()
	for what, empty := range map[string]bool{"removed": false, "an empty file in its place": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c, state := lived(t)
			path := filepath.Join(state, "store.db")
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
			if empty {
				write(t, path, "")
			}
			c.run()
			c.gateway.find(`the store is not as it was left.*8 windows of 2 streams`)
			await(t, 10*time.Second, "readiness to say so", func() bool {
				_, hints := c.ready()
				return strings.Contains(hints["store"], "missing in the store") && len(hints) == 1
			})
			c.link.Close()
			c.connect()
			c.crowd(4, 40)
			c.tick(ten.Add(6 * time.Hour)) // it goes on
			c.stored()
		})
	}
}

// TestNoStore: what is no database is refused with 3 and its name.
func TestNoStore(t *testing.T) {
	t.Parallel()
	c, state := lived(t)
	path := filepath.Join(state, "store.db")
	alter(t, path, func(b []byte) []byte { return []byte(strings.Repeat("no database ", 1000)) })
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	if code, out := verb(t, "gateway", "-c", filepath.Join(c.dir, "gateway.yaml")); code != 3 || !strings.Contains(out, path) {
		t.Errorf("%d\n%s", code, out)
	}
}
