package checkpoint

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

const childVariable = "SLUICE_TEST_CHECKPOINT"

// life is what the child does for ever: it begins where the log ends, commits, says
// that it has, shreds, and tidies up.
func life(dir, mem string) error {
	keys, err := OpenKeys(mem)
	if err != nil {
		return err
	}
	n := 0
	fmt.Println("acknowledged", n) // nothing yet: it may be killed while it opens
	l, err := Open(dir, keys, false, func(r Record) error {
		if r.Kind == Account {
			_, err := fmt.Sscan(string(r.Body), &n)
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.limit = 32 << 10
	for n++; ; n++ {
		records := []Record{
			{Kind: Window, Name: nameOf(n), Body: []byte(strings.Repeat("x", n%3000) + fmt.Sprint(" ", n, ";"))},
			{Kind: Window, Name: "w-0-lives", Body: fmt.Append(nil, "x ", n, ";")},
			{Kind: Account, Body: fmt.Append(nil, n)},
		}
		if err := l.Append(records); err != nil {
			return err
		}
		fmt.Println("acknowledged", n)
		if n%10 == 0 && n > 30 {
			if err := keys.Shred(nameOf(n - 30)); err != nil {
				return err
			}
		}
		if err := l.Tidy(); err != nil {
			return err
		}
	}
}

func nameOf(n int) string { return fmt.Sprint("w-", n/10+1, "-dies") }

// TestKilledAnywhere kills a process that commits, shreds and rewrites, again and
// again, at any instant: all that it had acknowledged is there once, and nothing that
// cannot be read is what should live.
func TestKilledAnywhere(t *testing.T) {
	if where := os.Getenv(childVariable); where != "" {
		dir, mem, _ := strings.Cut(where, "|")
		t.Fatal(life(dir, mem))
	}
	dir, mem := t.TempDir(), inMemory(t)
	kills := 40
	if testing.Short() {
		kills = 8
	}
	total := 0
	for range kills {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledAnywhere$")
		cmd.Env = append(os.Environ(), childVariable+"="+dir+"|"+mem)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		acknowledged, lives := 0, sync.OnceFunc(func() { // from when it is there, however long that takes
			time.AfterFunc(time.Duration(rand.IntN(150))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		})
		for s := bufio.NewScanner(out); s.Scan(); lives() {
			if _, err := fmt.Sscanf(s.Text(), "acknowledged %d", &acknowledged); err != nil {
				t.Fatalf("the child says %q", s.Text())
			}
		}
		_ = cmd.Wait()
		// Looking must change nothing that the next life needs: it appends nothing.
		h := replayed(t, dir, openKeys(t, mem))
		must(t, h.log.Close())
		state := 0
		_, _ = fmt.Sscan(h.state, &state)
		if h.all != nil || state < acknowledged {
			t.Fatalf("after %d was acknowledged the state is %d: %v, %v", acknowledged, state, h.all, h.log.Findings())
		}
		total = max(total, state)
		if got := len(h.bodies["w-0-lives"]); got != state || h.lost["w-0-lives"] {
			t.Fatalf("%d of %d records are there, lost: %v", got, state, h.lost["w-0-lives"])
		}
		for n := max(1, state-19); n <= state; n++ {
			found := 0
			for _, body := range h.bodies[nameOf(n)] {
				if strings.HasSuffix(body, fmt.Sprint(" ", n)) {
					found++
				}
			}
			if found != 1 || h.lost[nameOf(n)] {
				t.Fatalf("record %d of %d is there %d times, lost: %v", n, state, found, h.lost[nameOf(n)])
			}
		}
	}
	t.Logf("%d kills, %d commits", kills, total)
	if total == 0 {
		t.Error("no life was long enough for a commit")
	}
	h := replayed(t, dir, openKeys(t, mem))
	clean(t, h, mem)
}
