package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// claim makes the state directory and takes its lock; a second process is refused.
func claim(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, refuse("state directory: %w; choose another (--dir, or dir in the file)", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, refuse("state directory: %w; make it writable or choose another (--dir, or dir in the file)", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(refuse("state directory %s is in use by another process; stop that one or choose another directory", dir), f.Close())
	}
	return f, nil
}

// keyDir finds a memory-backed directory of this state directory's own. An empty
// answer means memory only.
func keyDir(keys, dir string, log *slog.Logger) (string, error) {
	if keys == "memory" {
		return "", nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", refuse("state directory: %w", err)
	}
	sum := sha256.Sum256([]byte(abs))
	own := hex.EncodeToString(sum[:8])
	if keys != "auto" {
		return filepath.Join(keys, own), nil
	}
	if base := keyBase(); base != "" {
		return filepath.Join(base, own), nil
	}
	log.Warn("no memory-backed directory for keys: a crash loses open windows, and they become gaps; set keys: to a directory on tmpfs")
	return "", nil
}

// keyBase is a memory-backed directory of ours for keys; empty where there is
// none. The service manager's runtime directories are found where it makes them;
// the environment is read for nothing else.
func keyBase() string {
	for _, base := range []string{os.Getenv("RUNTIME_DIRECTORY"), os.Getenv("XDG_RUNTIME_DIR"), "/dev/shm"} {
		if base == "" || !onMemory(base) {
			continue
		}
		to := filepath.Join(base, fmt.Sprintf("sluice-%d", os.Getuid()))
		if os.MkdirAll(to, 0o700) == nil && private(to) {
			return to
		}
	}
	return ""
}

// private reports a directory of ours that nobody else can enter.
func private(dir string) bool {
	var st unix.Stat_t
	return unix.Lstat(dir, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR &&
		int(st.Uid) == os.Getuid() && st.Mode&0o077 == 0
}

func onMemory(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && (st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC)
}
