package host

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// minFree is how many files must be free for new connections.
const minFree = 32

// OpenFiles says when the process can hardly open another file or connection; empty
// while it can.
func OpenFiles() string {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return ""
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err == nil && uint64(len(open))+minFree < limit.Cur {
		return ""
	}
	if err != nil && !full(err) {
		return "" // there is no such directory here
	}
	return fmt.Sprintf("the process has nearly all %d files open that it may, so nobody can connect; raise "+
		"LimitNOFILE= of the unit", limit.Cur)
}

// full reports whether an error says that no more files can be opened.
func full(err error) bool { return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) }

// LowDisk reports whether less than 64 MiB are left where a directory is.
func LowDisk(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && st.Bavail*uint64(st.Bsize) < 64<<20
}
