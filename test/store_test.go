package test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/store/sqlite"
)

// TestLostStore: a store that was removed gets again what was delivered lately. Where
// that is not kept any more it is said, and with ledger recover for good: then the
// books and what is shown agree again.
func TestLostStore(t *testing.T) {
	t.Parallel()
	for what, empty := range map[string]bool{"removed": false, "an empty file in its place": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c, state := lived(t)
			c.loseStore(empty)
			c.run()
			c.gateway.find(`they are sent again`)
			c.serve()
			c.booksHold(8)
			c.gateway.stop(20 * time.Second)

			c.loseStore(empty)
			db, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(state, "ledger.db"), false))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec("DELETE FROM sent"); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			c.run()
			c.gateway.find(`the store is not as it was left.*8 windows of 2 streams`)
			await(t, 10*time.Second, "readiness to say so", func() bool {
				_, hints := c.ready()
				return strings.Contains(hints["store"], "missing in the store") && len(hints) == 1
			})
			c.gateway.stop(20 * time.Second)
			if code, out := verb(t, "ledger", "recover", "-c", filepath.Join(c.dir, "gateway.yaml")); code != 0 || !strings.Contains(out, "8 windows that were released are not in the store any more") {
				t.Fatalf("recover: %d\n%s", code, out)
			}
			c.run()
			c.serve()
			c.link.Close()
			c.connect()
			c.crowd(4, 40)
			c.tick(ten.Add(6 * time.Hour)) // it goes on
			c.stored()
			await(t, 20*time.Second, "everything to add up", func() bool {
				code, out := verb(t, "verify", c.opendata)
				return code == 0 && strings.Contains(out, "8 released windows are not shown: the store has lost them")
			})
			if code, out := stranger(t, c.opendata); code != 0 || !strings.Contains(out, "everything adds up") {
				t.Errorf("a stranger's program: %d\n%s", code, out)
			}
			if ok, hints := c.ready(); !ok {
				t.Errorf("it is not ready: %v", hints)
			}
		})
	}
}

func (c *city) loseStore(empty bool) {
	c.t.Helper()
	path := filepath.Join(c.dir, "state", "store.db")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
			c.t.Fatal(err)
		}
	}
	if empty {
		write(c.t, path, "")
	}
}

// TestNoStore: what is no database is refused with 3 and its name.
func TestNoStore(t *testing.T) {
	t.Parallel()
	c, state := lived(t)
	path := filepath.Join(state, "store.db")
	alter(t, path, func([]byte) []byte { return []byte(strings.Repeat("no database ", 1000)) })
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	if code, out := verb(t, "gateway", "-c", filepath.Join(c.dir, "gateway.yaml")); code != 3 || !strings.Contains(out, path) {
		t.Errorf("%d\n%s", code, out)
	}
}
