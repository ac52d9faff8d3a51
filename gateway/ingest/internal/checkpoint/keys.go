package checkpoint

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// keySize is the length of every key: AES-256.
const keySize = 32

// Keys are the keys by name, in memory and in a directory that must be
// memory-backed, so that no disk ever sees them. They are what makes the log
// readable: a shredded key is its contents' death.
type Keys struct {
	dir  string // empty: memory only
	keys map[string][]byte
}

// OpenKeys reads the keys of a directory; an empty name keeps keys in memory
// only, and then a crash loses the open windows.
func OpenKeys(dir string) (*Keys, error) {
	k := &Keys{dir: dir, keys: make(map[string][]byte)}
	if dir == "" {
		return k, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("key directory: %w", err)
	}
	if !MemoryBacked(dir) {
		return nil, fmt.Errorf("key directory %s is on a disk; choose one on tmpfs, e.g. under /dev/shm or /run", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("key directory: %w", err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".key")
		if !ok {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("key directory: %w", err)
		}
		if len(raw) == keySize {
			k.keys[name] = raw
		}
	}
	return k, nil
}

// MemoryBacked reports whether a directory is on tmpfs or ramfs.
func MemoryBacked(dir string) bool {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return false
	}
	return st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC
}

// Get returns a key.
func (k *Keys) Get(name string) ([]byte, bool) {
	key, ok := k.keys[name]
	return key, ok
}

// Names lists the keys.
func (k *Keys) Names() []string {
	names := make([]string, 0, len(k.keys))
	for name := range k.keys {
		names = append(names, name)
	}
	return names
}

// Make makes a key, or returns the one of that name.
func (k *Keys) Make(name string) ([]byte, error) {
	if key, ok := k.keys[name]; ok {
		return key, nil
	}
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	if k.dir != "" {
		part := filepath.Join(k.dir, "part-"+hex.EncodeToString(key[:4]))
		if err := os.WriteFile(part, key, 0o600); err != nil {
			return nil, fmt.Errorf("key directory: %w", err)
		}
		if err := os.Rename(part, k.path(name)); err != nil {
			return nil, fmt.Errorf("key directory: %w", err)
		}
	}
	k.keys[name] = key
	return key, nil
}

// Shred overwrites and removes a key, in memory and in the directory.
func (k *Keys) Shred(name string) error {
	clear(k.keys[name])
	delete(k.keys, name)
	if k.dir == "" {
		return nil
	}
	f, err := os.OpenFile(k.path(name), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("shredding a key: %w", err)
	}
	_, err = f.WriteAt(make([]byte, keySize), 0)
	return errors.Join(err, f.Close(), os.Remove(k.path(name)))
}

func (k *Keys) path(name string) string { return filepath.Join(k.dir, name+".key") }
