// Package perm is about who else may read and write a file: what the program
// believes must not be writable by strangers, what it keeps secret must not be
// readable by them, and what it writes has the mode that it says, whatever the
// process's umask is.
//
// What is checked is what is opened: a file is opened first and judged by its
// descriptor (fstat), so that it cannot be exchanged in between. The directories
// above it are judged as well, since who may write those may exchange it:
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

// Rule is what others must not be able to do.
type Rule int

// The rules, from the mildest to the strictest.
const (
	// Trusted is a file or directory that is believed: others must not write it. A
	// group may, as that is how several people keep one register.
	Trusted Rule = iota
	// Secret is a file whose owner may be anybody: others have nothing, and its
	// group may read it (0640, root:sluice), not write it.
	Secret
	// Ours belongs to this process's user or to root, and nobody else writes it.
	Ours
	// Private belongs to this process's user, and nobody else has anything.
	Private
)

// MaxFile is the most bytes that Read takes.
const MaxFile = 64 << 20

// Wrong says which file is open to others, how, and the command that mends it.
type Wrong struct{ Path, What, Mend string }

func (w *Wrong) Error() string { return w.Path + " " + w.What + "; " + w.Mend }

// Read reads a whole file of at most MaxFile bytes. What others may do to it
// against the rule is a *Wrong.
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
		return nil, &Wrong{path, "is not a plain file", "name one"}
	}
	raw, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(raw) > MaxFile {
		err = &Wrong{path, fmt.Sprintf("is longer than %d MiB", MaxFile>>20), "name another file"}
	}
	return raw, err
}

// Check judges a file or directory without reading it; nil for one that is not
// there.
func Check(path string, rule Rule) error { return check(path, rule, 0) }

// CheckHere is Check, and refuses a link: for names of our own, where a link is
// somebody else's work.
func CheckHere(path string, rule Rule) error { return check(path, rule, syscall.O_NOFOLLOW) }

func check(path string, rule Rule, flags int) error {
	f, err := open(path, rule, flags)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, syscall.ELOOP) {
		return &Wrong{path, "is a link", "rm " + quoted(path)}
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// open opens for reading and judges. A pipe must not make anybody wait.
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

// judge holds an owner and a mode against a rule.
func judge(path string, info fs.FileInfo, rule Rule) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return &Wrong{path, "has no owner that can be known", "put it on another file system"}
	}
	if uid := os.Geteuid(); int(st.Uid) != uid && (rule == Private || rule == Ours && st.Uid != 0) {
		name := userName(int(st.Uid))
		return &Wrong{path, "belongs to " + name + ", not to " + userName(uid),
			"run sluice as " + name + ", or chown -R " + userName(uid) + " " + quoted(path)}
	}
	mode := info.Mode().Perm()
	wrong := func(what, mend string) error {
		return &Wrong{path, fmt.Sprintf("%s (mode %04o)", what, mode), mend + " " + quoted(path)}
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

// above refuses directories above a file in which anybody may exchange what is in
// them. In one like /tmp (sticky) only the owner may.
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
			return &Wrong{path,
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

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("'\"\\$`!*?[]{}()<>|&;#~", r)
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
