// Package perm checks and sets who else may read and write a file. Files that the program trusts
// must not be writable by others, secret files must not be readable by others, and a file that it
// writes gets exactly the mode asked for, whatever the umask is.
//
// The file that is checked is the file that is used: it is opened first and checked by its
// descriptor (fstat), so that nobody can replace it in between. The directories above it are
// checked as well, since whoever may write those may replace it:
//
//	raw, err := perm.Read("/etc/sluice/gateway.password", perm.Secret)
//	// /etc/sluice/gateway.password can be read by others (mode 0644); chmod 600 /etc/sluice/gateway.password
package perm

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Rule is what others must not be able to do with a file.
type Rule int

// The rules, from the most lenient to the strictest.
const (
	// Trusted: others must not write it. Its group may, so that several people can keep one
	// register.
	Trusted Rule = iota
	// Secret: any owner; its group may read but not write it (0640, root:sluice), and others
	// have no access.
	Secret
	// Ours: it belongs to this process's user or to root, and nobody else may write it.
	Ours
	// Private: it belongs to this process's user, and nobody else has access.
	Private
)

// MaxFile is the largest file, in bytes, that Read reads.
const MaxFile = 64 << 20

// Error is a file that is open to others, how, and the command that fixes it.
type Error struct{ Path, What, Fix string }

func (w *Error) Error() string { return w.Path + " " + w.What + "; " + w.Fix }

// Read reads a whole file of at most MaxFile bytes. If it breaks the rule the error is an *Error.
func Read(path string, rule Rule) ([]byte, error) {
	f, err := open(path, rule, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{path, "is not a plain file", "name one"}
	}
	raw, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(raw) > MaxFile {
		err = &Error{path, fmt.Sprintf("is longer than %d MiB", MaxFile>>20), "name another file"}
	}
	return raw, err
}

// Check checks a file or directory without reading it. A missing one passes.
func Check(path string, rule Rule) error { return check(path, rule, 0) }

// CheckHere is Check, but refuses a link: for names of our own, where only somebody else can have
// made a link.
func CheckHere(path string, rule Rule) error { return check(path, rule, syscall.O_NOFOLLOW) }

func check(path string, rule Rule, flags int) error {
	f, err := open(path, rule, flags)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, syscall.ELOOP) {
		return &Error{path, "is a link", "rm " + quoted(path)}
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// open opens a file for reading and checks it. Opening a pipe must not block.
func open(path string, rule Rule, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC|flags, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = judge(path, info, rule)
	}
	if err == nil {
		err = above(path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// judge checks an owner and a mode against a rule.
func judge(path string, info fs.FileInfo, rule Rule) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return &Error{path, "has no owner that can be known", "put it on another file system"}
	}
	if uid := os.Geteuid(); int(st.Uid) != uid && (rule == Private || rule == Ours && st.Uid != 0) {
		name := userName(int(st.Uid))
		return &Error{path, "belongs to " + name + ", not to " + userName(uid),
			"run sluice as " + name + ", or chown -R " + userName(uid) + " " + quoted(path)}
	}
	mode := info.Mode().Perm()
	wrong := func(what, mend string) error {
		return &Error{path, fmt.Sprintf("%s (mode %04o)", what, mode), mend + " " + quoted(path)}
	}
	strict := "chmod 600"
	if info.IsDir() {
		strict = "chmod 700"
	}
	switch {
	case rule == Trusted && mode&0o002 != 0:
		return wrong("can be written by others", "chmod o-w")
	case rule == Ours && mode&0o022 != 0:
		return wrong("can be written by others", "chmod go-w")
	case rule == Secret && mode&0o022 != 0, rule == Private && mode&0o022 != 0:
		return wrong("can be written by others", strict)
	case rule == Secret && mode&0o007 != 0, rule == Private && mode&0o077 != 0:
		return wrong("can be read by others", strict)
	}
	return nil
}

// above refuses a file below a directory whose entries anybody may replace. In a sticky one such
// as /tmp only the owner may.
func above(path string) error {
	abs, err := filepath.Abs(path)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return err
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return &Error{path,
				fmt.Sprintf("can be exchanged by others, who may write %s (mode %04o)", dir, info.Mode().Perm()),
				"chmod o-w " + quoted(dir)}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return "user " + strconv.Itoa(uid)
}

// quoted quotes a path for a shell.
func quoted(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("'\"\\$`!*?[]{}()<>|&;#~", r)
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
