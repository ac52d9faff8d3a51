package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"sluice/gateway/config"
	"sluice/perm"
	"sluice/register"
	"sluice/register/fleet"
)

// Modes of a register's files: the gateway, which is another user, reads them; a group that may
// write one keeps that.
const (
	registerMode = 0o644
	sharedMode   = 0o664
)

// alone runs f while no other verb of this program changes files in a directory.
func alone(dir string, f func() error) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return config.Refuse("the directory %s is not there; mkdir -p %[1]s", dir)
	}
	if err != nil {
		return config.Refuse("%w", err)
	}
	defer d.Close()
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX); err != nil {
		return config.Refuse("locking %s: %w", dir, err)
	}
	return f()
}

// create writes a whole new file, or none: who reads the directory meanwhile sees no part of it.
// The error is fs.ErrExist where one is there.
func create(path string, raw []byte, mode fs.FileMode) error {
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := perm.Create(part, raw, mode); err != nil {
		return err
	}
	return errors.Join(os.Link(part, path), os.Remove(part))
}

// without reads files of a register, one of which is as if it were empty.
func without(path string) func(string) ([]byte, error) {
	return func(file string) ([]byte, error) {
		if path != "" && sameFile(file, path) {
			return []byte("sensors:\n"), nil
		}
		return os.ReadFile(file)
	}
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// broken is the error for a register that has mistakes of its own.
func broken(path string, found []register.Fault) error {
	return fmt.Errorf("%w\nmend the register first; sluice register check %s shows all of it", found[0], path)
}

// appendTo adds entries to a register's file.
func appendTo(path string, sensors []register.Sensor) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if raw, err = fleet.Append(path, raw, sensors, os.ReadFile); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return perm.Replace(path, raw, sharedMode)
}

// refused is an error of what cannot be written.
func refused(err error) error {
	if err == nil {
		return nil
	}
	return &config.Refusal{Err: err}
}

// fewGone are so few entries that their loss is taken as meant.
const fewGone = 10

// first names some of a list.
func first(list []string) string {
	const most = 10
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], " "), len(list)-most)
	}
	return strings.Join(list, " ")
}
