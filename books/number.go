package books

import (
	"io/fs"
	"syscall"
)

// number is a file's inode number.
func number(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}
