package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/store"
)

// written is a store with n windows, closed as a gateway leaves it.
func written(t *testing.T, path string, n int) {
	t.Helper()
	w, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var rows []store.Observation
	for i := range n {
		v, at := float64(n), time.Unix(int64(i)*3600, 0)
		rows = append(rows,
			store.Observation{Stream: "s", Start: at, End: at.Add(time.Hour), Cell: "c", Measure: "m",
				Status: store.Published, Value: &v, Low: &v, High: &v})
	}
	if err := errors.Join(w.Write(t.Context(), rows), w.Close()); err != nil {
		t.Fatal(err)
	}
}

// parts are the files of a store.
var parts = []string{"", "-wal", "-shm"}

func keep(t *testing.T, path string) map[string][]byte {
	t.Helper()
	out := make(map[string][]byte)
	for _, p := range parts {
		raw, err := os.ReadFile(path + p)
		if err != nil {
			t.Fatal(err)
		}
		out[p] = raw
	}
	return out
}

// TestReaderFollows: whatever becomes of the file, what is read is what has its name now,
// or an error that names it and the way back; and when it is whole again, it is read.
func TestReaderFollows(t *testing.T) {
	const n = 3000
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for what, c := range map[string]struct {
		harm func(path string)
		want int // windows; -1 for an error
	}{
		"removed": {func(path string) {
			for _, p := range parts {
				must(os.Remove(path + p))
			}
		}, -1},
		"another by rename": {func(path string) {
			other := filepath.Join(filepath.Dir(path), "other.db")
			written(t, other, 5)
			for _, p := range parts {
				must(os.Rename(other+p, path+p))
			}
		}, 5},
		"cut to nothing": {func(path string) { must(os.Truncate(path, 0)) }, -1},
		"cut to half": {func(path string) {
			info, err := os.Stat(path)
			must(err)
			must(os.Truncate(path, info.Size()/2))
			must(os.Truncate(path+"-wal", 0))
		}, -1},
		"no database": {func(path string) {
			must(os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o644))
			must(os.Truncate(path+"-wal", 0))
		}, -1},
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store.db")
			r := NewReader(path)
			defer func() { must(r.Close()) }()
			ask := func() (int, error) {
				time.Sleep(lookEvery + lookEvery/5)
				list, err := r.Observations(t.Context(),
					store.Query{Stream: "s", To: time.Unix(1<<33, 0), Limit: 10_000})
				return len(list), err
			}
			if _, err := ask(); !errors.Is(err, ErrUnreadable) || !strings.Contains(fmt.Sprint(err), path) {
				t.Errorf("before it is there: %v", err)
			}
			written(t, path, n)
			if got, err := ask(); got != n || err != nil {
				t.Fatalf("%d windows (%v); want %d", got, err, n)
			}
			whole := keep(t, path)
			c.harm(path)
			for range 2 {
				got, err := ask()
				if c.want >= 0 && (err != nil || got != c.want) ||
					c.want < 0 &&
						(!errors.Is(err, ErrUnreadable) || !strings.Contains(fmt.Sprint(err), path) ||
							!strings.Contains(fmt.Sprint(err), "backup")) {
					t.Errorf("%d windows (%v); want %d", got, err, c.want)
				}
			}
			for _, p := range parts[:2] {
				must(os.WriteFile(path+p, whole[p], 0o644))
			}
			must(os.RemoveAll(path + "-shm"))
			_, _ = ask() // it may see the file half put back
			if got, err := ask(); got != n || err != nil {
				t.Errorf("when it is whole again: %d windows (%v); want %d", got, err, n)
			}
		})
	}
}

// TestReaderTogether asks from many sides while the file is replaced again and again:
// an answer is the one of a whole file, and no file stays open.
func TestReaderTogether(t *testing.T) {
	dir := t.TempDir()
	path, stop := filepath.Join(dir, "store.db"), make(chan struct{})
	written(t, path, 10)
	r := NewReader(path)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				list, err := r.Observations(t.Context(), store.Query{Stream: "s", To: time.Unix(1<<33, 0), Limit: 100})
				if err == nil && (len(list) == 0 || len(list) != int(*list[0].Value)) {
					t.Errorf("%d rows", len(list))
				}
			}
		})
	}
	for n := range 4 {
		other := filepath.Join(dir, fmt.Sprintf("%d.db", n))
		written(t, other, 20+n)
		for _, p := range parts {
			if err := os.Rename(other+p, path+p); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(lookEvery)
	}
	close(stop)
	wg.Wait()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("there is no /proc here")
	}
	for _, fd := range list {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, dir) {
			t.Errorf("%s is still open", to)
		}
	}
}

// TestReaderOpensAnew: what has failed once is opened anew, also where the files look as
// they did: here the index of the log, which everybody who reads shares, was cut.
func TestReaderOpensAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	written(t, path, 3000)
	r := NewReader(path)
	ask := func() (int, error) {
		list, err := r.Observations(t.Context(), store.Query{Stream: "s", To: time.Unix(1<<33, 0), Limit: 10_000})
		return len(list), err
	}
	if n, err := ask(); n != 3000 || err != nil {
		t.Fatal(n, err)
	}
	if err := os.Truncate(path+"-shm", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(); err == nil {
		t.Skip("this SQLite does not mind")
	}
	if n, err := ask(); n != 3000 || err != nil {
		t.Errorf("the next time there are %d windows (%v)", n, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
