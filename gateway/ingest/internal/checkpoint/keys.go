package checkpoint

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// keySize is the length of every key: AES-256.
const keySize = 32

// maxNames bounds the names that a directory of ours may hold: no start reads for ever.
const maxNames = 1 << 17

const (
	keySuffix  = ".key"
	partSuffix = ".part" // of what is being written
	partPrefix = "part-" // of the same, as versions before wrote it
)

// Keys are the keys by name, in memory and in a directory that must be
// memory-backed, so that no disk ever sees them. They are what makes the log
// readable: a shredded key is its contents' death.
//
// A key counts only when it is in the directory: Hold makes one in memory, and Save
// writes those that are not there yet, before the block that needs them. So a
// directory that is full, read-only or gone for a while costs nobody a reading.
type Keys struct {
	dir    string // empty: memory only
	broken []string

	mu   sync.Mutex // guards what follows: the log is rewritten beside ingest
	keys map[string][]byte
	// unsaved are keys that the directory has not; dead, files of keys that are to be
	// shredded and could not be.
	unsaved, dead map[string]bool
	shredded      uint64 // how many were, ever
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
	names, err := namesIn(dir)
	if err != nil {
		return nil, fmt.Errorf("key directory: %w", err)
	}
	for _, file := range names {
		if strings.HasSuffix(file, partSuffix) || strings.HasPrefix(file, partPrefix) {
			// What a kill has left half made; nothing was ever sealed with it.
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				return nil, fmt.Errorf("key directory: %w", err)
			}
		}
		if name, ok := strings.CutSuffix(file, keySuffix); ok {
			if err := k.load(name); err != nil {
				return nil, fmt.Errorf("key directory: %w", err)
			}
		}
	}
	return k, nil
}

// Clear shreds every key and forgets what log was here.
func (k *Keys) Clear() error {
	var errs []error
	for _, name := range k.list(func(string) bool { return true }) {
		errs = append(errs, k.Shred(name))
	}
	if k.dir != "" {
		for _, file := range []string{listFile, markFile} {
			errs = append(errs, ignore(os.Remove(filepath.Join(k.dir, file)), fs.ErrNotExist))
		}
	}
	return errors.Join(errs...)
}

// load reads one key. One that is not as long as a key opens nothing and goes.
func (k *Keys) load(name string) error {
	f, err := os.Open(k.path(name))
	if err != nil {
		return err
	}
	raw := make([]byte, keySize+1)
	n, err := io.ReadFull(f, raw)
	if err = errors.Join(ignore(err, io.ErrUnexpectedEOF, io.EOF), f.Close()); err != nil {
		return err
	}
	if n != keySize {
		k.broken = append(k.broken, k.path(name))
		return os.Remove(k.path(name))
	}
	k.keys[name] = raw[:n]
	return nil
}

func ignore(err error, these ...error) error {
	for _, e := range these {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}

// Broken are the files that held no key when the directory was opened. They are gone.
func (k *Keys) Broken() []string { return slices.Clone(k.broken) }

// namesIn lists a directory of ours, which never holds very many files.
func namesIn(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(maxNames)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil && len(names) == maxNames {
		err = fmt.Errorf("%s holds too many files; move away what Sluice has not put there", dir)
	}
	return names, errors.Join(err, d.Close())
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
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[name]
	return key, ok
}

// has reports whether what this key seals can still be read.
func (k *Keys) has(name string) bool {
	_, ok := k.Get(name)
	return ok
}

// seal is what opens and closes what belongs to a key; nil where it is gone.
func (k *Keys) seal(name string) cipher.AEAD {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[name]
	if !ok {
		return nil
	}
	seal, err := newSeal(key)
	if err != nil {
		return nil
	}
	return seal
}

// Names lists the keys of windows and epochs; the log's own it shreds by itself.
func (k *Keys) Names() []string { return k.list(func(name string) bool { return !ofSegment(name) }) }

func (k *Keys) list(which func(string) bool) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	names := make([]string, 0, len(k.keys))
	for name := range k.keys {
		if which(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Hold makes a key in memory, or returns the one of that name. Nothing that it
// seals may be believed to last before Save.
func (k *Keys) Hold(name string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.hold(name)
}

func (k *Keys) hold(name string) ([]byte, error) {
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

// Make makes a key that lasts, or returns the one of that name. After an error there is
// no new key, neither in memory nor half of one in the directory.
func (k *Keys) Make(name string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, held := k.keys[name]
	key, err := k.hold(name)
	if err == nil && k.unsaved[name] {
		if err = k.save(name); err != nil && !held {
			delete(k.keys, name)
			delete(k.unsaved, name)
		}
	}
	return key, err
}

// shreds counts the keys that were shredded: what they sealed is dead since.
func (k *Keys) shreds() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.shredded
}

func (k *Keys) path(name string) string { return filepath.Join(k.dir, name+keySuffix) }
