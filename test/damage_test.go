package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lived is a city whose gateway has released four hours and has stopped.
func lived(t *testing.T) (c *city, state string) {
	t.Helper()
	c = found(t, small())
	c.begin()
	c.hours(0, 4)
	c.booksHold(8)
	if code := c.gateway.stop(20 * time.Second); code != 0 {
		t.Fatal(code)
	}
	return c, filepath.Join(c.dir, "state")
}

func (c *city) booksHold(windows int) {
	c.t.Helper()
	await(c.t, 30*time.Second, fmt.Sprintf("the books to hold %d windows and add up", windows), func() bool {
		code, out := verb(c.t, "verify", c.opendata)
		return code == 0 && strings.Contains(out, fmt.Sprintf("%d released windows", windows))
	})
}

func alter(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(raw), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedLedger: a gateway whose ledger is damaged refuses to start with 3, the
// file's name and the way back, and the way back works: nothing is released twice.
func TestDamagedLedger(t *testing.T) {
	t.Parallel()
	for what, harm := range map[string]func(path string){
		"cut":           func(path string) { alter(t, path, func(b []byte) []byte { return b[:len(b)/2] }) },
		"no database":   func(path string) { alter(t, path, func(b []byte) []byte { clear(b[:100]); return b }) },
		"moved already": func(string) {},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c, state := lived(t)
			path, config := filepath.Join(state, "ledger.db"), filepath.Join(c.dir, "gateway.yaml")
			before := c.items("devices", ten, ten.Add(24*time.Hour))
			harm(path)
			if what != "moved already" {
				for _, args := range [][]string{{"gateway"}, {"ledger", "recover"}} {
					code, out := verb(t, append(args, "-c", config)...)
					if code == 70 || code == 0 || !strings.Contains(out, path) ||
						!strings.Contains(out, "sluice ledger recover") {
						t.Fatalf("%v: %d\n%s", args, code, out)
					}
				}
				if code, out := verb(t, "doctor", "-c", config); code == 0 || !strings.Contains(out, path+" is ") ||
					!strings.Contains(out, "sluice ledger recover") {
					t.Errorf("doctor: %d\n%s", code, out)
				}
			}
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.Rename(path+suffix, filepath.Join(c.dir, "aside"+suffix)); err != nil &&
					!os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
			c.run() // without the recovery nothing is released, and it is said at once
			c.gateway.find(`older than what was released already`)
			await(t, 10*time.Second, "readiness to say so", func() bool {
				_, hints := c.ready()
				return strings.Contains(hints["ledger"], "sluice ledger recover")
			})
			c.gateway.stop(20 * time.Second)
			code, out := verb(t, "ledger", "recover", "-c", config)
			if code != 0 || !strings.Contains(out, "devices is silent until") ||
				!strings.Contains(out, "\n9 lines were taken over") {
				t.Fatalf("recover: %d\n%s", code, out)
			}
			c.run()
			c.link.Close()
			c.connect()
			c.tick(ten.Add(7 * time.Hour))
			c.stored()
			if code, out := verb(t, "ledger", "verify", state); code != 0 {
				t.Errorf("verify: %d\n%s", code, out)
			}
			after := c.items("devices", ten, ten.Add(4*time.Hour))
			if fmt.Sprint(deref(after)) != fmt.Sprint(deref(before)) {
				t.Errorf("what was released has changed:\n%v\n%v", deref(before), deref(after))
			}
		})
	}
}

// TestDamagedHead: what lies beside the keys may be damaged; it is said, and the
// gateway goes on.
func TestDamagedHead(t *testing.T) {
	t.Parallel()
	c, _ := lived(t)
	heads, err := filepath.Glob(filepath.Join(c.keys, "*", "head.json"))
	if err != nil || len(heads) != 1 {
		t.Fatal(heads, err)
	}
	alter(t, heads[0], func([]byte) []byte { return nil })
	c.run()
	c.gateway.find(`head of the books beside the keys cannot be believed.*head\.json`)
	c.link.Close()
	c.connect()
	c.hours(4, 5)
	c.booksHold(10)
}

// TestDamagedBooks: the public books are made anew from the ledger whatever is done
// to them, while the gateway runs and while it does not.
func TestDamagedBooks(t *testing.T) {
	t.Parallel()
	c, state := lived(t)
	public := filepath.Join(state, "public")
	text := func(name string) string { return read(t, filepath.Join(public, name)) }
	plan := "plans/" + filepath.Base(glob(t, filepath.Join(public, "plans", "*.json"))[0])
	names := []string{"ledger.jsonl", "releases.jsonl", "decisions.json", "decisions/2/decision.yaml", plan,
		"zones.geojson", "streams.json"}
	var want []string
	for _, name := range names {
		want = append(want, text(name))
	}
	harm := func(name string, f func(string) string) {
		path := filepath.Join(public, filepath.FromSlash(name))
		if f == nil {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			return
		}
		if err := os.WriteFile(path, []byte(f(text(name))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mended := func(what string) {
		t.Helper()
		for i, name := range names {
			await(t, 15*time.Second, name+" to be mended after it was "+what, func() bool {
				raw, err := os.ReadFile(filepath.Join(public, filepath.FromSlash(name)))
				return err == nil && string(raw) == want[i]
			})
		}
	}
	harms := map[string]func(string) string{
		"removed": nil,
		"cut":     func(s string) string { return s[:len(s)/2] },
		"flipped": func(s string) string { return s[:len(s)-9] + "#" + s[len(s)-8:] },
		"a hole":  func(s string) string { return strings.Repeat("\x00", len(s)) },
		"longer":  func(s string) string { return s + "{}\n" },
	}
	for what, f := range harms { // while it does not run
		for _, name := range names {
			harm(name, f)
		}
		if what == "removed" {
			heads, err := filepath.Glob(filepath.Join(c.keys, "*", "head.json"))
			if err != nil || len(heads) != 1 || os.Remove(heads[0]) != nil { // as after a reboot
				t.Fatal(heads, err)
			}
		}
		c.run()
		mended(what)
		c.gateway.stop(20 * time.Second)
	}
	c.run()
	for what, f := range harms {
		for _, name := range names {
			harm(name, f)
		}
		mended(what)
	}
	// A directory that is gone is many books, and few lines: a round of writing may have
	// been under way.
	said := func() int { return strings.Count(c.gateway.err.String(), "public books were not as they were left") }
	before := said()
	if err := os.RemoveAll(public); err != nil {
		t.Fatal(err)
	}
	mended("removed with all others")
	await(t, 20*time.Second, "a word of it", func() bool { return said() > before }) // it comes after the files
	if n := said() - before; n > 3 {
		t.Errorf("one directory that was removed is said %d times", n)
	}
	c.link.Close()
	c.connect()
	c.hours(4, 5)
	c.booksHold(10)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(pattern)
	if err != nil || len(list) == 0 {
		t.Fatal(pattern, list, err)
	}
	return list
}
