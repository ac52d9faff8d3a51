package checkpoint

import (
	"math"

	"golang.org/x/sys/unix"
)

// What is written into a file that has its bytes already is durable after the disk has
// it. Where the file grows its size must be durable too, and that waits for a commit of
// the file system's journal, which all others on the same disk wait for as well. So a
// segment that has begun to grow gets zeros ahead of what is written: a quarter of its
// size, at most a MiB. Zeros are no block, and a crash leaves nothing in them to be taken for one.
const (
	aheadShare = 64 // of the size that a segment may have, and so much of it there must be
	aheadMost  = 1 << 20
)

var zeros [64 << 10]byte

// prepare writes zeros behind what is written, where there are none left. A disk that
// has no room for them has perhaps enough for what counts.
func (w *writer) prepare() {
	if w.size < w.from || w.size <= w.ahead {
		return
	}
	at := w.size
	until := at + min(aheadMost, at/4/blockSize*blockSize)
	for at < until {
		n, err := w.file.WriteAt(zeros[:min(int64(len(zeros)), until-at)], at)
		if err != nil {
			w.ahead = math.MaxInt64 // not in this segment
			return
		}
		at += int64(n)
	}
	w.ahead = until
}

// Sync has the disk take what was written (fdatasync(2)): contents, and the size where
// it has changed.
func (w *writer) Sync() error {
	for {
		err := unix.Fdatasync(int(w.file.Fd()))
		if err != unix.EINTR {
			return err
		}
	}
}

// trim takes the zeros off when nothing more is appended. Where that fails they stay:
// whoever reads a closed segment knows how many blocks it has.
func (w *writer) trim() {
	if w.ahead != 0 {
		_ = w.file.Truncate(w.size)
	}
}
