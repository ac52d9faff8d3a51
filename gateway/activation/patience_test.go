package activation

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/gateway/config"
)

// TestPatience: a policy that misses its deadline is compiled three times in all,
// with growing pauses, and then not until it changes; every look in between is
// cheap. What is no fault of the policy is tried for ever.
func TestPatience(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	var l lookout
	var tries []time.Duration
	run := func(digest string, length time.Duration, failed func(time.Time) time.Duration) {
		begin := now
		for tries = nil; now.Before(begin.Add(length)); now = now.Add(watchEvery) {
			if l.look(digest, now) {
				tries = append(tries, now.Sub(begin).Truncate(time.Second))
				failed(now)
			}
		}
	}
	run("slow", 3*time.Hour, l.miss)
	if len(tries) != 3 || tries[1] != time.Minute || tries[2] != 11*time.Minute {
		t.Errorf("a slow policy is tried at %v", tries)
	}
	run("slow, edited", time.Hour, l.miss)
	if len(tries) != 3 {
		t.Errorf("after a change it is tried at %v", tries)
	}
	run("full disk", time.Hour, l.hold)
	if len(tries) != 60 {
		t.Errorf("while the disk is full it is tried %d times in an hour", len(tries))
	}
	run("good", time.Hour, func(time.Time) time.Duration { l.patience = patience{}; return 0 })
	if len(tries) != 1 {
		t.Errorf("a good policy is compiled at %v", tries)
	}
}

// TestGoneAndBack: a directory that is being replaced is not gone, one that is gone
// is, and the same files are news when they are back.
func TestGoneAndBack(t *testing.T) {
	t.Parallel()
	var l lookout
	var got []bool
	for _, digest := range []string{"a", "a", "", "", "a", "", "", "", "a", "a"} {
		got = append(got, l.look(digest, time.Time{}))
	}
	for i, want := range []bool{true, false, false, false, false, false, false, true, true, false} {
		if got[i] != want {
			t.Fatalf("looks: %v", got)
		}
	}
}

// TestPassedOverOnce: a file that its name keeps out of the policy is said once, and again
// when it is another.
func TestPassedOverOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	cfg := &config.Config{Policy: config.Policy{Dir: t.TempDir()}}
	d := &directory{p: &Policies{cfg: cfg, log: slog.New(slog.NewTextHandler(&log, nil))}}
	for _, name := range []string{"", "a.yml", "", "b.YAML"} {
		if name != "" {
			to := filepath.Join(cfg.Policy.Dir, "decisions", name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, nil, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		d.sayPassedOver()
		d.lookout.look(name, time.Time{})
	}
	if said := log.String(); strings.Count(said, "level=WARN") != 2 ||
		!strings.Contains(said, `files="decisions/a.yml, decisions/b.YAML"`) {
		t.Errorf("said: %s", said)
	}
}
