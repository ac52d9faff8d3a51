package studio

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/decision"
	"sluice/policy/rego"
	"sluice/policy/workspace"
)

// desk is the policy directory. Nothing outside it is written, also not through a link that
// stands in it: os.Root looks that after each step.
type desk struct {
	dir  string
	root *os.Root
	// made are the directories that were not there, the innermost first.
	made []string
	// saving lets one file be compared and replaced at a time.
	saving sync.Mutex
}

func openDesk(dir string) (*desk, error) {
	d := &desk{dir: dir}
	for up := filepath.Clean(dir); ; up = filepath.Dir(up) {
		if _, err := os.Stat(up); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		d.made = append(d.made, up)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	d.root = root
	if d.founding() && !d.fallow() {
		return nil, errors.Join(errors.New("there is no charter.yaml in this directory, so it is no policy, and it "+
			"has other files; to found a town, name an empty directory or a new one"), d.Close())
	}
	return d, nil
}

// founding reports whether there is no policy yet.
func (d *desk) founding() bool {
	_, err := d.root.Stat("charter.yaml")
	return errors.Is(err, fs.ErrNotExist)
}

// fallow reports whether a town may be founded here: there is nothing, or what many begin a directory
// with.
func (d *desk) fallow() bool {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		name := strings.ToUpper(e.Name())
		return !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "README") &&
			!strings.HasPrefix(name, "LICENSE") && e.Name() != zonesName && e.Name() != "kinds.yaml"
	})
}

// Close gives the directory back. One that was made for nothing goes again.
func (d *desk) Close() error {
	err := d.root.Close()
	for _, dir := range d.made {
		if os.Remove(dir) != nil { // there is something in it
			break
		}
	}
	return err
}

// Files reads the policy's files as they are, with this program's rules where it has none.
func (d *desk) Files() (bundle.Files, error) {
	files, err := compile.ReadDir(d.dir)
	if err != nil {
		return nil, err
	}
	return rego.WithRules(files)
}

// city is what the charter calls the city, or the directory's name.
func (d *desk) city() string {
	raw, _, err := d.Read("charter.yaml")
	if err == nil {
		if c, err := decision.ParseCharter("charter.yaml", raw); err == nil && c.City.Name != "" {
			return c.City.Name
		}
	}
	return path.Base(d.dir)
}

// inForce is the policy of the last motion enacted, or nil.
func (d *desk) inForce() (*bundle.Policy, error) {
	chain, err := workspace.Dir(d.dir).Chain()
	if last := workspace.Last(chain); err == nil && last != nil {
		return last.Policy, nil
	}
	return nil, err
}

// maxFile is what a file of a policy may be long.
const maxFile = 1 << 20

// none is the sum of a file that is not there.
const none = "none"

// Read reads a file and its sum; one that is not there has the sum none and no error.
func (d *desk) Read(name string) (raw []byte, sum string, err error) {
	f, err := d.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, none, nil
	}
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	raw, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(raw) > maxFile {
		err = fmt.Errorf("%s is longer than 1 MiB", name)
	}
	digest := sha256.Sum256(raw)
	return raw, hex.EncodeToString(digest[:]), err
}

// errChanged: somebody else has written the file since it was read.
var errChanged = &fault{http.StatusConflict, "layout.changed"}

// Write replaces a file whole, if its sum still is what it was when it was read; otherwise it is
// errChanged.
func (d *desk) Write(name, was string, raw []byte) error {
	if len(raw) > maxFile {
		return &fault{http.StatusRequestEntityTooLarge, "layout.long"}
	}
	d.saving.Lock()
	defer d.saving.Unlock()
	there, sum, err := d.Read(name)
	switch {
	case err != nil:
		return err
	case bytes.Equal(there, raw) && sum != none:
		return nil
	case sum != was:
		return errChanged
	}
	if err := d.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info, err := d.root.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	part := path.Join(path.Dir(name), "."+path.Base(name)+".part")
	if err := d.putWhole(part, raw, mode); err != nil {
		return errors.Join(err, d.root.Remove(part))
	}
	return d.root.Rename(part, name)
}

// putWhole writes a new file and has it on the disk. What stands under its name, left by a crash or
// put there, is taken away first: it could be a link to another file of the policy.
func (d *desk) putWhole(name string, raw []byte, mode fs.FileMode) error {
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}
