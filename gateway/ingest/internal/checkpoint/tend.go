package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// place makes the directory, and sees to it that it is in memory: what a tmpfs was
// mounted on may well be on a disk.
func (k *Keys) place() error {
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return fmt.Errorf("key directory: %w", err)
	}
	if !MemoryBacked(k.dir) {
		return fmt.Errorf("key directory %s is on a disk; choose one on tmpfs, e.g. under /dev/shm or /run", k.dir)
	}
	return nil
}

// Save writes the keys that the directory has not. It is cheap when there are none.
func (k *Keys) Save() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name := range k.unsaved {
		if err := k.save(name); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keys) save(name string) error {
	if err := k.put(name+keySuffix, k.keys[name]); err != nil {
		return err
	}
	delete(k.unsaved, name)
	delete(k.dead, name) // one of an earlier life had this name
	return nil
}

// put writes a file of the directory whole or not at all. Nothing is synchronised:
// memory is gone with the machine anyhow.
func (k *Keys) put(file string, raw []byte) error {
	if k.dir == "" {
		return nil
	}
	if err := k.place(); err != nil {
		return err
	}
	to := filepath.Join(k.dir, file)
	part := to + partSuffix
	err := os.WriteFile(part, raw, 0o600)
	if err == nil {
		err = os.Rename(part, to)
	}
	if err != nil {
		_ = os.Remove(part) // a full directory may hold half of it
		return fmt.Errorf("key directory: %w", err)
	}
	return nil
}

// Tend compares the directory with memory, and returns how many keys it had lost or
// had wrong; the next Save writes them. It tries again to shred what could not be
// shredded, and says why it cannot.
func (k *Keys) Tend() (mended int, err error) {
	if k.dir == "" {
		return 0, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, key := range k.keys {
		raw, err := os.ReadFile(k.path(name))
		if (err != nil || !bytes.Equal(raw, key)) && !k.unsaved[name] {
			k.unsaved[name] = true
			mended++
		}
		clear(raw)
	}
	for name := range k.dead {
		if _, lives := k.keys[name]; lives {
			delete(k.dead, name)
			continue
		}
		err = errors.Join(err, k.shred(name))
	}
	return mended, err
}

// Shred overwrites and removes a key, in memory and in the directory. Where the
// directory does not let it, Tend tries again.
func (k *Keys) Shred(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shredded++
	clear(k.keys[name])
	delete(k.keys, name)
	delete(k.unsaved, name)
	if k.dir == "" {
		return nil
	}
	return k.shred(name)
}

func (k *Keys) shred(name string) error {
	k.dead[name] = true
	f, err := os.OpenFile(k.path(name), os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(make([]byte, keySize), 0)
		err = errors.Join(err, f.Close(), os.Remove(k.path(name)))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("shredding a key: %w", err)
	}
	delete(k.dead, name)
	return nil
}
