package activation

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/register"
)

// stamp is one of files that have so many bytes, and a mark.
func stamp(size int64, mark byte) config.Stamp {
	return config.Stamp{Size: size, Register: [32]byte{mark}}
}

// TestQuietBeforeTaken: files are read when they have been quiet, once; those that have become
// smaller must be so for longer.
func TestQuietBeforeTaken(t *testing.T) {
	for name, c := range map[string]struct {
		looks string // one each half second: a letter is how the files are
		want  string // + where they are to be read
	}{
		"nothing happens":           {"aaaaaaaa", "........"},
		"saved":                     {"abbbbbb", "...+..."},
		"saved in steps":            {"abcbcbbbb", ".......+."},
		"put back as it was":        {"abbaaaaa", "........"},
		"saved again":               {"abbbcccc", "...+..+."},
		"emptied and written":       {"a0000bbbb", ".......+."},
		"emptied, and stays so":     {"a0000000000000", ".........+...."},
		"longer, and shorter again": {"abbb0000000000", "...+........+."},
	} {
		s := saved{taken: stamp(10, 'a'), last: stamp(10, 'a')}
		got := ""
		for n, is := range []byte(c.looks) {
			size := int64(10)
			if is == '0' {
				size = 0
			}
			if !s.look(stamp(size, is), time.Unix(0, 0).Add(time.Duration(n)*time.Second/2)) {
				got += "."
				continue
			}
			got += "+"
			s.take(stamp(size, is), true)
		}
		if got != c.want {
			t.Errorf("%s:\n%s are read at\n%s; want\n%s", name, c.looks, got, c.want)
		}
	}
}

// TestLooksAreCheap: many files are looked at less often, and not so rarely that it would matter.
func TestLooksAreCheap(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		time.Millisecond: lookEvery, lookEvery / 40: 50 * lookEvery / 40, time.Minute: lookSlowly,
	} {
		if got := pause(took); got != want {
			t.Errorf("after a look of %v the next is after %v; want %v", took, got, want)
		}
	}
}

// read is an ingest that counts what it is given, and a log.
type read struct {
	runs
	mu      sync.Mutex
	sensors []int // of each register
	admits  int
	log     bytes.Buffer
}

func (r *read) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

// since is what came since the last time.
func (r *read) since() (sensors []int, admits int, log string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.sensors, r.admits = nil, 0; r.log.Reset() }()
	return r.sensors, r.admits, r.log.String()
}

func (r *read) Renew(_ context.Context, n ingest.Renewal) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sensors = append(r.sensors, len(n.Register.Sensors))
	return true, nil
}

func (r *read) Admit(*register.Register, ingest.Listen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.admits++
}

// saving are policies without a policy, whose register and passwords are files.
func saving(t *testing.T) (p *Policies, i *read, dir string) {
	t.Helper()
	dir, i = t.TempDir(), new(read)
	cfg := &config.Config{Register: filepath.Join(dir, "register"),
		Listen: config.Listen{MQTT: "127.0.0.1:0", Passwords: filepath.Join(dir, "passwords")}}
	write(t, filepath.Join(dir, "register", "a.yaml"), "sensors:\n"+line("a"))
	write(t, filepath.Join(dir, "passwords"), "")
	reg, err := cfg.ReadRegister()
	if err != nil {
		t.Fatal(err)
	}
	p = New(cfg, nil, nil, reg, func() {}, slog.New(slog.NewTextHandler(i, nil)))
	p.Attach(i)
	return p, i, dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func line(id string) string {
	return "  - {id: " + id + ", owner: o, kind: k, zone: z, registered: 2026-01-01}\n"
}

// TestSaved: what an editor, a copy or a script does to the files takes effect once, when it is
// whole; what is broken changes nothing, and is said once, with its place, and when it is mended.
func TestSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, i, dir := saving(t)
		ctx, stop := context.WithCancel(t.Context())
		asked := make(chan os.Signal)
		ended := make(chan struct{})
		began := p.cfg.Stamp()
		go func() { defer close(ended); p.Reloads(ctx, asked, began) }()
		defer func() { stop(); <-ended }()
		a, b := filepath.Join(dir, "register", "a.yaml"), filepath.Join(dir, "register", "b.yaml")
		secrets := filepath.Join(dir, "passwords")
		for _, step := range []struct {
			name   string
			change func()
			taken  int // sensors of the register that is taken; 0 for none
			admits int
			says   string
		}{
			{"nothing", func() {}, 0, 0, ""},
			{"in place", func() { write(t, a, "sensors:\n"+line("a")+line("b")) }, 2, 0, "sensors=2"},
			{"by rename", func() {
				write(t, a+".tmp", "sensors:\n"+line("a")+line("c"))
				rename(t, a+".tmp", a)
			}, 2, 0, "sensors=2"},
			{"emptied, then written", func() {
				write(t, a, "")
				time.Sleep(2 * time.Second)
				write(t, a, "sensors:\n"+line("a"))
				time.Sleep(2 * time.Second)
				write(t, a, "sensors:\n"+line("a")+line("b")+line("c"))
			}, 3, 0, "sensors=3"},
			{"gone for a moment", func() {
				rename(t, a, a+".old")
				time.Sleep(time.Second)
				write(t, a, "sensors:\n"+line("a")+line("b"))
			}, 2, 0, "sensors=2"},
			{"a file more", func() { write(t, b, "sensors:\n"+line("d")) }, 3, 0, "sensors=3"},
			{"broken", func() { write(t, b, "sensors:\n"+line("d")+line("a")) }, 0, 0,
				"b.yaml line=3 error=\"this id is taken"},
			{"broken as well", func() { write(t, b, "sensors:\n"+line("d")+"\n"+line("a")) }, 0, 0, "b.yaml line=4"},
			{"broken otherwise", func() { write(t, b, "sensors:\n"+line("d")+"  - {knd: k}\n") }, 0, 0,
				"b.yaml line=3 column="},
			{"passwords meanwhile", func() { write(t, secrets, "\n") }, 0, 0, "b.yaml line=3"},
			{"mended", func() { write(t, b, "sensors:\n"+line("d")+line("e")) }, 4, 0, "are mended"},
			{"passwords", func() { write(t, secrets, "") }, 0, 1, "passwords and certificates are read anew"},
			{"readable by others", func() { chmod(t, secrets, 0o644) }, 0, 0, "chmod 600"},
			{"chmod", func() { chmod(t, secrets, 0o600) }, 0, 1, "are mended"},
			{"a directory that is gone", func() { rename(t, filepath.Dir(a), filepath.Join(dir, "away")) }, 0, 0,
				"no such file"},
			{"and back, as it was", func() { rename(t, filepath.Join(dir, "away"), filepath.Dir(a)) }, 0, 1,
				"are mended"},
			{"a file less", func() { remove(t, b) }, 2, 0, "sensors=2"},
			{"asked", func() { asked <- os.Interrupt }, 2, 0, "sensors=2"},
		} {
			step.change()
			time.Sleep(8 * time.Second)
			synctest.Wait()
			want := []int{step.taken}
			if step.taken == 0 {
				want = nil
			}
			sensors, admits, log := i.since()
			if !slices.Equal(sensors, want) || admits != step.admits {
				t.Errorf("%s: registers of %v are taken, and passwords %d times; want %v and %d", step.name, sensors,
					admits, want, step.admits)
			}
			if !strings.Contains(log, step.says) || strings.Count(log, "level=ERROR") > 1 ||
				step.says == "" && log != "" {
				t.Errorf("%s: the log says %q; want %s", step.name, log, step.says)
			}
			if unread := p.View().Unread; (unread != nil) != strings.Contains(log, "level=ERROR") {
				t.Errorf("%s: what cannot be used is %v", step.name, unread)
			}
		}
	})
}

// TestCutShort: a register or a file of passwords that is saved with less than half of many entries
// is not taken, unless it is asked for.
func TestCutShort(t *testing.T) {
	for _, c := range []struct {
		before, now int
		ok          bool
	}{{100, 50, true}, {100, 49, false}, {100, 0, false}, {99, 0, true}, {3, 1, true}, {50, 1000, true}} {
		if err := halved("register", "sensors", c.before, c.now); (err == nil) != c.ok {
			t.Errorf("%d sensors of %d: %v", c.now, c.before, err)
		}
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
