package checkpoint

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// partPrefix names files of keys that are being written.
const partPrefix = "part-"

// keySize is the length of every key: AES-256.
const keySize = 32

// Keys are the keys by name, in memory and in a directory that must be
// memory-backed, so that no disk ever sees them. They are what makes the log
// readable: a shredded key is its contents' death.
//
// A key counts only when it is in the directory: Hold makes one in memory, and Save
// writes those that are not there yet, before the block that needs them. So a
// directory that is full, read-only or gone for a while costs nobody a reading.
type Keys struct {
	dir  string // empty: memory only
	keys map[string][]byte
	// unsaved are keys that the directory has not; dead, files of keys that are to be
	// shredded and could not be.
	unsaved, dead map[string]bool
}

// OpenKeys reads the keys of a directory; an empty name keeps keys in memory
// only, and then a crash loses the open windows.
func OpenKeys(dir string) (*Keys, error) {
	k := &Keys{dir: dir, keys: make(map[string][]byte), unsaved: make(map[string]bool), dead: make(map[string]bool)}
	if dir == "" {
		return k, nil
	}
	if err := k.place(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("key directory: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), partPrefix) { // a key that was never used
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return nil, fmt.Errorf("key directory: %w", err)
			}
		}
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

// Hold makes a key in memory, or returns the one of that name. Nothing that it
// seals may be believed to last before Save.
func (k *Keys) Hold(name string) ([]byte, error) {
	if key, ok := k.keys[name]; ok {
		return key, nil
	}
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	k.keys[name] = key
	if k.dir != "" {
		k.unsaved[name] = true
	}
	return key, nil
}

// Make makes a key that lasts, or returns the one of that name.
func (k *Keys) Make(name string) ([]byte, error) {
	_, had := k.keys[name]
	key, err := k.Hold(name)
	if err == nil && k.unsaved[name] {
		if err = k.save(name); err != nil && !had {
			delete(k.keys, name)
			delete(k.unsaved, name)
		}
	}
	return key, err
}

func (k *Keys) path(name string) string { return filepath.Join(k.dir, name+".key") }
