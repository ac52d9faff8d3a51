package books

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Kept caches the parsed register: parsing a large city's takes a second, and many requests
// need it. The zero value is ready to use.
type Kept struct {
	mu    sync.Mutex
	stamp string   // of the file; guarded by mu
	reg   Register // guarded by mu, and not changed once it was given out
}

// stamped is a Source that can tell a file from what it was before without reading
// it; a stamp is empty where that is not known.
type stamped interface{ Stamp(name string) string }

// Stamp is by what a rename makes another file: its number, size and time.
func (d Dir) Stamp(name string) string {
	if !named(name) {
		return ""
	}
	info, err := os.Stat(filepath.Join(string(d), filepath.FromSlash(name)))
	if err != nil {
		return ""
	}
	return fmt.Sprint(number(info), info.Size(), info.ModTime().UnixNano())
}

// register is the register of a source, parsed once for each file that it was.
func (k *Kept) register(r Reader) (Register, error) {
	const name = "register.json"
	k.mu.Lock()
	defer k.mu.Unlock()
	stamp := ""
	if s, ok := r.Source.(stamped); ok {
		stamp = s.Stamp(name)
	}
	if stamp != "" && stamp == k.stamp {
		return k.reg, nil
	}
	reg, err := read[Register](r, name)
	if err != nil {
		return reg, err
	}
	k.stamp, k.reg = stamp, reg
	return reg, nil
}

// Stamp is the mirror's last validator for a file.
func (m *Mirror) Stamp(name string) string {
	if _, err := m.Get(name); err != nil {
		return ""
	}
	c, known := m.have(name)
	if !known || c.missing {
		return ""
	}
	return fmt.Sprint(c.changed.UnixNano())
}
