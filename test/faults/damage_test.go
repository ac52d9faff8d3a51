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

// TestDamagedLedger: a gateway whose ledger is damaged refuses to start with 3, the
// file's name and the way back, and the way back works: nothing is released twice.
func TestDamagedLedger(t *testing.T) {
	t.Parallel()
	for what, harm := range map[string]func(path string){
		"cut": func(path string) { harness.Alter(t, path, func(b []byte) []byte { return b[:len(b)/2] }) },
		"no database": func(path string) {
			harness.Alter(t, path, func(b []byte) []byte { clear(b[:100]); return b })
		},
		"moved already": func(string) {},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c, state := harness.Lived(t)
			path, config := filepath.Join(state, "ledger.db"), filepath.Join(c.Dir, "gateway.yaml")
			before := c.Items("devices", harness.Ten, harness.Ten.Add(24*time.Hour))
			harm(path)
			if what != "moved already" {
				for _, args := range [][]string{{"gateway"}, {"ledger", "recover"}} {
					code, out := harness.Verb(t, append(args, "-c", config)...)
					if code == 70 || code == 0 || !strings.Contains(out, path) ||
						!strings.Contains(out, "sluice ledger recover") {
						t.Fatalf("%v: %d\n%s", args, code, out)
					}
				}
				if code, out := harness.Verb(t, "doctor", "-c", config); code == 0 ||
					!strings.Contains(out, path+" is ") ||
					!strings.Contains(out, "sluice ledger recover") {
					t.Errorf("doctor: %d\n%s", code, out)
				}
			}
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.Rename(path+suffix, filepath.Join(c.Dir, "aside"+suffix)); err != nil &&
					!os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
			c.Run() // without the recovery nothing is released, and it is said at once
			c.Gateway.Find(`older than what was released already`)
			harness.Await(t, 10*time.Second, "readiness to say so", func() bool {
				_, hints := c.Ready()
				return strings.Contains(hints["ledger"], "sluice ledger recover")
			})
			c.Gateway.Stop(20 * time.Second)
			code, out := harness.Verb(t, "ledger", "recover", "-c", config)
			if code != 0 || !strings.Contains(out, "devices is silent until") ||
				!strings.Contains(out, "\n9 lines were taken over") {
				t.Fatalf("recover: %d\n%s", code, out)
			}
			c.Run()
			c.Link.Close()
			c.Connect()
			c.Tick(harness.Ten.Add(7 * time.Hour))
			c.Stored()
			if code, out := harness.Verb(t, "ledger", "verify", state); code != 0 {
				t.Errorf("verify: %d\n%s", code, out)
			}
			after := c.Items("devices", harness.Ten, harness.Ten.Add(4*time.Hour))
			if fmt.Sprint(harness.Deref(after)) != fmt.Sprint(harness.Deref(before)) {
				t.Errorf("what was released has changed:\n%v\n%v", harness.Deref(before), harness.Deref(after))
			}
		})
	}
}

// TestDamagedHead: what lies beside the keys may be damaged; it is said, and the
// gateway goes on.
func TestDamagedHead(t *testing.T) {
	t.Parallel()
	c, _ := harness.Lived(t)
	heads, err := filepath.Glob(filepath.Join(c.Keys, "*", "head.json"))
	if err != nil || len(heads) != 1 {
		t.Fatal(heads, err)
	}
	harness.Alter(t, heads[0], func([]byte) []byte { return nil })
	c.Run()
	c.Gateway.Find(`head of the books beside the keys cannot be believed.*head\.json`)
	c.Link.Close()
	c.Connect()
	c.Hours(4, 5)
	c.BooksHold(10)
}

// TestDamagedBooks: the public books are made anew from the ledger whatever is done
// to them, while the gateway runs and while it does not.
func TestDamagedBooks(t *testing.T) {
	t.Parallel()
	c, state := harness.Lived(t)
	public := filepath.Join(state, "public")
	text := func(name string) string { return harness.Read(t, filepath.Join(public, name)) }
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
			harness.Await(t, 15*time.Second, name+" to be mended after it was "+what, func() bool {
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
			heads, err := filepath.Glob(filepath.Join(c.Keys, "*", "head.json"))
			if err != nil || len(heads) != 1 || os.Remove(heads[0]) != nil { // as after a reboot
				t.Fatal(heads, err)
			}
		}
		c.Run()
		mended(what)
		c.Gateway.Stop(20 * time.Second)
	}
	c.Run()
	for what, f := range harms {
		for _, name := range names {
			harm(name, f)
		}
		mended(what)
	}
	// A directory that is gone is many books, and few lines: a round of writing may have
	// been under way.
	said := func() int { return strings.Count(c.Gateway.Err.String(), "public books were not as they were left") }
	before := said()
	if err := os.RemoveAll(public); err != nil {
		t.Fatal(err)
	}
	mended("removed with all others")
	harness.Await(t, 20*time.Second, "a word of it", func() bool { return said() > before }) // it comes after the files
	if n := said() - before; n > 3 {
		t.Errorf("one directory that was removed is said %d times", n)
	}
	c.Link.Close()
	c.Connect()
	c.Hours(4, 5)
	c.BooksHold(10)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(pattern)
	if err != nil || len(list) == 0 {
		t.Fatal(pattern, list, err)
	}
	return list
}
