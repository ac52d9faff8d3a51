package inbox

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// look judges what there is to be judged, and says what that was.
func look(t *testing.T, in *Inbox, chain string, verdict Verdict) string {
	t.Helper()
	found, err := try(in, chain, verdict)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func try(in *Inbox, chain string, verdict Verdict) (string, error) {
	var out []string
	err := in.Each(context.Background(), func() string { return chain }, func(f File) Verdict {
		out = append(out, f.Name+"="+string(f.Raw))
		return verdict
	})
	return strings.Join(out, " "), err
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b.sluice": "two", "a.sluice": "one", "c.sluice.part": "half",
		"note.txt": "x", "big.sluice": "123456789"} {
		write(t, filepath.Join(dir, name), text)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "link.sluice")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "dir.sluice"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.sluice"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := look(t, New(dir, 5), "", Settled); got != "a.sluice=one b.sluice=two big.sluice=123456" {
		t.Errorf("found %s", got)
	}
	if got := look(t, New(filepath.Join(dir, "a.sluice"), 5), "", Settled); got != "a.sluice=one" {
		t.Errorf("a file: %s", got)
	}
	if _, err := try(New(filepath.Join(dir, "none"), 5), "", Settled); err == nil {
		t.Error("a directory that is not there is read")
	}
}

// TestOnce: a file is read once, until it changes, or waits and the chain moves.
func TestOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.sluice"), "one")
	in := New(dir, 100)
	for i, step := range []struct {
		chain   string
		verdict Verdict
		edit    func()
		want    string
	}{
		{"x", Waiting, nil, "a.sluice=one"},
		{"x", Waiting, nil, ""},
		{"y", Settled, nil, "a.sluice=one"},
		{"z", Settled, nil, ""},
		{"z", Settled, func() { write(t, filepath.Join(dir, "a.sluice"), "two") }, "a.sluice=two"},
		{"z", Settled, func() { write(t, filepath.Join(dir, "b.sluice"), "new") }, "b.sluice=new"},
		{"z", Settled, func() { os.Remove(filepath.Join(dir, "b.sluice")) }, ""},
		{"z", Settled, func() { write(t, filepath.Join(dir, "b.sluice"), "new") }, "b.sluice=new"},
	} {
		if step.edit != nil {
			step.edit()
		}
		if got := look(t, in, step.chain, step.verdict); got != step.want {
			t.Errorf("step %d: judged %q; want %q", i, got, step.want)
		}
	}
}

// TestTheChainMoves: a round ends when a file has moved the chain, and the others
// are judged in the next one.
func TestTheChainMoves(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.sluice"), "waits")
	write(t, filepath.Join(dir, "b.sluice"), "moves")
	write(t, filepath.Join(dir, "c.sluice"), "last")
	in, chain := New(dir, 100), "x"
	var seen []string
	for range 2 {
		err := in.Each(context.Background(), func() string { return chain }, func(f File) Verdict {
			seen = append(seen, f.Name)
			if f.Name == "b.sluice" {
				chain = "y"
			}
			return Waiting
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(seen, " "); got != "a.sluice b.sluice a.sluice b.sluice c.sluice" {
		t.Errorf("judged %s", got)
	}
}

// TestLittleMemory: many large files cost the memory of one.
func TestLittleMemory(t *testing.T) {
	dir := t.TempDir()
	raw := make([]byte, 4<<20)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		write(t, filepath.Join(dir, name+".sluice"), string(raw))
	}
	in := New(dir, 10<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	look2 := func() {
		if err := in.Each(context.Background(), func() string { return "" }, func(File) Verdict {
			runtime.GC()
			return Settled
		}); err != nil {
			t.Fatal(err)
		}
	}
	look2()
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 25 {
		t.Errorf("%d MiB were allocated for five files of 4 MiB", used)
	}
	look2()
	again := after
	runtime.ReadMemStats(&again)
	if used := (again.TotalAlloc - after.TotalAlloc) >> 20; used > 1 {
		t.Errorf("%d MiB were allocated for files that were judged before", used)
	}
}

func TestServer(t *testing.T) {
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path+" "+r.Header.Get("If-None-Match")+r.Header.Get("If-Modified-Since")]++
		switch r.URL.Path {
		case "/in/":
			w.Write(
				[]byte(
					`<a href="a.sluice">a.sluice</a> <a href="../b.sluice">x</a> ` +
						`<a href="http://elsewhere.invalid/c.sluice?x"> broken.sluice`))
		case "/in/a.sluice":
			if r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("ETag", `"1"`)
			w.Write([]byte("one"))
		case "/in/b.sluice", "/in/c.sluice":
			w.Write([]byte("two"))
		case "/moved/":
			http.Redirect(w, r, "/in/", http.StatusMovedPermanently)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	in, now := New(server.URL+"/in/", 100), time.Now()
	in.now = func() time.Time { return now }
	for _, round := range []struct {
		after time.Duration
		want  string
		fails bool // the name that is not there is asked for
	}{
		// Names only: nothing is fetched from outside the inbox. What cannot be fetched
		// keeps no other file away.
		{0, "a.sluice=one b.sluice=two c.sluice=two", true},
		{time.Second, "", false},
		{time.Minute, "", true},
		{time.Minute, "", false}, // the pause has doubled
		{8 * time.Minute, "", true},
	} {
		now = now.Add(round.after)
		got, err := try(in, "", Settled)
		if got != round.want || (err != nil) != round.fails || err != nil && !strings.Contains(err.Error(), "404") {
			t.Errorf("after %s: judged %q (%v); want %q", round.after, got, err, round.want)
		}
	}
	// What has a tag is asked about in each round, what has none once in ten minutes.
	if asked[`/in/a.sluice "1"`] != 4 || asked["/in/b.sluice "] != 2 {
		t.Errorf("asked %v", asked)
	}
	if got := look(t, New(server.URL+"/in/a.sluice", 2), "", Settled); got != "a.sluice=one" {
		t.Errorf("a file's URL, cut off after the next byte: %s", got)
	}
	for path, says := range map[string]string{"/none/": "404", "/moved/": "final URL"} {
		if _, err := try(New(server.URL+path, 100), "", Settled); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
	server.Close()
	if _, err := try(in, "", Settled); err == nil {
		t.Error("a server that is gone is read")
	}
}

// TestARoundEnds: a slow server takes a minute of a round, and one file's time.
func TestARoundEnds(t *testing.T) {
	now := time.Now()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Write([]byte("a.sluice b.sluice c.sluice d.sluice"))
			return
		}
		now = now.Add(25 * time.Second)
		w.Write([]byte(r.URL.Path))
	}))
	defer server.Close()
	in := New(server.URL+"/", 100)
	in.now = func() time.Time { return now }
	for _, want := range []string{"a.sluice=/a.sluice b.sluice=/b.sluice c.sluice=/c.sluice", "d.sluice=/d.sluice"} {
		if got := look(t, in, "", Settled); got != want {
			t.Errorf("judged %s; want %s", got, want)
		}
	}
}

// TestTooMany: an inbox of more files than are looked at is said, and not read in part.
func TestTooMany(t *testing.T) {
	dir := t.TempDir()
	for i := range maxFiles + 1 {
		write(t, filepath.Join(dir, fmt.Sprintf("%05d.sluice", i)), "")
	}
	if _, err := try(New(dir, 5), "", Settled); err == nil || !strings.Contains(err.Error(), "more than 10000 files") {
		t.Errorf("got %v", err)
	}
}
