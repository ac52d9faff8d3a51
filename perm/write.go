package perm

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Dir makes a directory, and those above it, with exactly this mode. An existing one keeps its mode.
func Dir(path string, mode fs.FileMode) error {
	if _, err := os.Stat(path); err == nil {
		return os.MkdirAll(path, mode) // or it is no directory, which this says
	}
	if err := os.MkdirAll(path, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// Touch creates an empty file with exactly this mode if there is none, for libraries that would
// create it by the umask. It reports whether it did.
func Touch(path string, mode fs.FileMode) (bool, error) {
	err := Create(path, nil, mode)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// Create writes a new file with exactly this mode. If a file or a link is there, it is left alone
// and the error is fs.ErrExist.
func Create(path string, raw []byte, mode fs.FileMode) error {
	return create(path, raw, mode, nil)
}

// create creates the file without access for others before anything is in it.
func create(path string, raw []byte, mode fs.FileMode, like *syscall.Stat_t) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(path) // half a secret helps nobody
		}
	}()
	if like != nil {
		if err := f.Chown(int(like.Uid), int(like.Gid)); err != nil {
			return err
		}
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	_, err = f.Write(raw)
	return err
}

// Replace writes a file with this mode by rename. An existing file with a stricter mode keeps it,
// and its owner if root replaces it; a link, or a file of another owner, is refused. The directory
// may belong to somebody else: no link in it is followed.
func Replace(path string, raw []byte, mode fs.FileMode) error {
	var like *syscall.Stat_t
	old, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !old.Mode().IsRegular():
		return &Error{path, "is a link, or no plain file", "rm " + quoted(path)}
	default:
		mode &= old.Mode().Perm()
		st, ok := old.Sys().(*syscall.Stat_t)
		if ok && int(st.Uid) != os.Geteuid() && os.Geteuid() != 0 {
			return &Error{path, "belongs to " + userName(int(st.Uid)),
				"run this as that user or as root, or name another file"}
		}
		if ok && os.Geteuid() == 0 {
			like = st
		}
	}
	var salt [6]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return err
	}
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+hex.EncodeToString(salt[:])+".part")
	if err := create(part, raw, mode, like); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return nil
}

// Tighten removes permissions beyond maxMode from a file or directory of ours, and reports whether
// there were any. A missing file is no error.
func Tighten(path string, maxMode fs.FileMode) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Mode().Perm()&^maxMode == 0 {
		return false, err
	}
	if err := f.Chmod(info.Mode().Perm() & maxMode); err != nil {
		return false, &Error{path, fmt.Sprintf("can be read by others (mode %04o)", info.Mode().Perm()),
			fmt.Sprintf("chmod %o %s", maxMode, quoted(path))}
	}
	return true, nil
}
