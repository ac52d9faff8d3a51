package host

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway/config"
)

// place is a configuration of a state directory that is not there yet.
func place(t *testing.T) *config.Config {
	t.Helper()
	dir := t.TempDir()
	policy := filepath.Join(dir, "policy")
	if err := os.Mkdir(policy, 0o755); err != nil {
		t.Fatal(err)
	}
	return &config.Config{Dir: filepath.Join(dir, "state"), Keys: "memory", Policy: config.Policy{Dir: policy}}
}

// TestLock: one process at a time has a state directory; what others could read in it is
// taken away, and what they could write is refused.
func TestLock(t *testing.T) {
	cfg := place(t)
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	lock, err := Lock(cfg, logger)
	if err != nil {
		t.Fatal(err)
	}
	var refusal *config.Refusal
	if _, err := Lock(cfg, logger); !errors.As(err, &refusal) ||
		!strings.Contains(err.Error(), "is in use by another process") {
		t.Errorf("a second process: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	ledger := filepath.Join(cfg.Dir, "ledger.db")
	if err := os.WriteFile(ledger, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if lock, err = Lock(cfg, logger); err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if info, err := os.Stat(ledger); err != nil || info.Mode().Perm() != 0o600 ||
		!strings.Contains(log.String(), "files=ledger.db") {
		t.Errorf("a ledger that others can read has the mode %v, %v; the log says %s", info.Mode(), err, &log)
	}
	if err := os.Chmod(ledger, 0o622); err != nil {
		t.Fatal(err)
	}
	if err := Guard(cfg); !errors.As(err, &refusal) || !strings.Contains(err.Error(), ledger) {
		t.Errorf("a ledger that others can write: %v", err)
	}
}

// TestKeyDir: keys are in a directory of this state directory's own, which nobody else can
// read; or in memory only.
func TestKeyDir(t *testing.T) {
	logger, base := slog.New(slog.DiscardHandler), filepath.Join(t.TempDir(), "keys")
	a, err := KeyDir(base, "/state/a", logger)
	if err != nil {
		t.Fatal(err)
	}
	b, err := KeyDir(base, "/state/b", logger)
	if err != nil || a == b || filepath.Dir(a) != base {
		t.Errorf("two state directories keep keys in %s and %s, %v", a, b, err)
	}
	if info, err := os.Stat(a); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if none, err := KeyDir("memory", "/state/a", logger); none != "" || err != nil {
		t.Errorf("in memory: %q, %v", none, err)
	}
	if err := os.Chmod(a, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := KeyDir(base, "/state/a", logger); err == nil {
		t.Error("keys are kept where others can read them")
	}
}
