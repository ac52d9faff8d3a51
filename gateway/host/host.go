// Package host is the machine that a gateway runs on, as far as it is believed: the state
// directory and its lock, the directory of keys, swap, and the clock.
package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sluice/gateway/config"
	"sluice/perm"
)

// Lock makes the state directory and takes its lock; a second process is refused,
// and so is a directory that others could have written.
func Lock(cfg *config.Config, log *slog.Logger) (*os.File, error) {
	dir := cfg.Dir
	if err := perm.Dir(dir, modeOpenDir); err != nil {
		return nil, config.Refuse("state directory: %w; choose another (--dir, or dir in the file)", err)
	}
	if err := Guard(cfg); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "lock")
	_, err := perm.Touch(path, ModePrivate)
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	}
	if err != nil {
		return nil, config.Refuse("state directory: %w; make it writable or choose another (--dir, or dir in the file)",
			err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(config.Refuse("state directory %s is in use by another process; stop that one or "+
			"choose another directory", dir), f.Close())
	}
	tightened, err := tighten(dir)
	if err != nil {
		return nil, errors.Join(config.Refuse("state directory: %w", err), f.Close())
	}
	if len(tightened) > 0 {
		slices.Sort(tightened)
		log.Warn("others could read files of the state directory, and cannot any more",
			"files", strings.Join(tightened, " "))
	}
	return f, nil
}

// KeyDir finds a memory-backed directory of this state directory's own. An empty
// answer means memory only.
func KeyDir(keys, dir string, log *slog.Logger) (string, error) {
	if keys == "memory" {
		return "", nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", config.Refuse("state directory: %w", err)
	}
	sum := sha256.Sum256([]byte(abs))
	own := hex.EncodeToString(sum[:8])
	base := keys
	if keys == "auto" {
		base = KeyBase()
	}
	if base != "" {
		to := filepath.Join(base, own)
		if err := perm.Dir(base, ModeOwnDir); err != nil {
			return "", config.Refuse("key directory: %w; choose another (keys: in the file)", err)
		}
		if err := perm.Dir(to, ModeOwnDir); err != nil {
			return "", config.Refuse("key directory: %w; choose another (keys: in the file)", err)
		}
		for _, dir := range []string{base, to} {
			if err := perm.Check(dir, perm.Private); err != nil {
				return "", config.Refuse("key directory: %w", err)
			}
		}
		return to, nil
	}
	log.Warn("no memory-backed directory for keys: a crash loses open windows, and they become gaps; set keys: to a " +
		"directory on tmpfs")
	return "", nil
}

// KeyBase is a memory-backed directory of ours for keys; empty where there is
// none. The service manager's runtime directories are found where it makes them;
// the environment is read for nothing else.
func KeyBase() string {
	for _, base := range []string{os.Getenv("RUNTIME_DIRECTORY"), os.Getenv("XDG_RUNTIME_DIR"), "/dev/shm"} {
		if base == "" || !OnMemory(base) {
			continue
		}
		to := filepath.Join(base, fmt.Sprintf("sluice-%d", os.Getuid()))
		if perm.Dir(to, ModeOwnDir) == nil && perm.CheckHere(to, perm.Private) == nil {
			return to
		}
	}
	return ""
}

// OnMemory reports whether a directory is memory-backed; false where it is not there.
func OnMemory(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && (st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC)
}

// Uptime is how long the machine has been up, asleep or not (clock_gettime(2)).
func Uptime() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // every Linux has it
	}
	return time.Duration(ts.Nano())
}
