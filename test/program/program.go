// Package program writes files that tests run.
package program

import (
	"os"
	"syscall"
)

// Write writes a file that can be run at once. While it is written nobody may fork: a child that
// has not become another program yet holds what was open when it began, and nobody can run a file
// that somebody may write (ETXTBSY, execve(2)).
func Write(path string, text []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, text, 0o700); err != nil {
		return err
	}
	return os.Chmod(path, 0o755) //nolint:gosec // whoever runs it may be another user, whatever the umask
}
