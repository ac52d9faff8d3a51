package workspace

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Put writes a file of the directory, by its name below it, and makes the directories on the way.
// A file that is there keeps its mode. The directory may have come from elsewhere, and an inbox may
// belong to somebody else, so no link in either leads what is written outside, and one that has the
// file's own name is replaced.
func (d Dir) Put(name string, raw []byte) error {
	return d.within(func(root *os.Root) error { return put(root, filepath.FromSlash(name), raw) })
}

// within does something that no link leads outside.
func (d Dir) within(do func(root *os.Root) error) error {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return err
	}
	return errors.Join(do(root), root.Close())
}

// put writes by rename, so that nobody reads half a file. The name that it writes under until then
// is one that nobody can have put there.
func put(root *os.Root, name string, raw []byte) error {
	dir := filepath.Dir(name)
	if err := root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info, err := root.Lstat(name); err == nil && info.Mode().IsRegular() {
		mode = info.Mode().Perm()
	}
	part := filepath.Join(dir, "."+filepath.Base(name)+"."+rand.Text()+".part")
	f, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = root.Rename(part, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(part))
	}
	return nil
}
