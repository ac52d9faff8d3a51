package checkpoint

import (
	"os"
	"strings"
	"testing"
)

// TestZerosAhead: a segment that grows has its bytes before they are written, so that few
// commits wait for the file system; a kill leaves zeros that are nobody's loss, and an
// orderly end none.
func TestZerosAhead(t *testing.T) {
	dir, mem := t.TempDir(), inMemory(t)
	l := replayed(t, dir, openKeys(t, mem)).log
	l.limit = 1 << 20
	grown, last := 0, int64(0)
	const commits = 60
	for n := range commits {
		must(t,
			l.Append([]Record{{Kind: Window, Name: "w-0-a", Body: []byte(strings.Repeat("x", 5000))},
				{Kind: Account, Body: []byte("s")}}))
		size := sizeOf(t, l.path(l.newest.number))
		if size < l.newest.size {
			t.Fatalf("commit %d: %d bytes are written, and the file has %d", n, l.newest.size, size)
		}
		if size != last {
			grown++
		}
		last = size
	}
	if grown > commits/2 {
		t.Errorf("the file has grown with %d of %d commits", grown, commits)
	}
	number, size := l.newest.number, l.newest.size
	// A kill: nothing is closed. What follows the last block is nobody's.
	must(t, os.Truncate(l.path(number), size+(last-size)/2/blockSize*blockSize+17))
	h := replayed(t, dir, openKeys(t, mem))
	if h.all != nil || len(h.lost) > 0 || len(h.bodies["w-0-a"]) != commits || len(h.log.Findings()) > 0 {
		t.Errorf("after a kill %d of %d commits are there: %v, %v", len(h.bodies["w-0-a"]), commits, h.all,
			h.log.Findings())
	}
	must(t, h.log.Close())
	must(t, l.Close())
	if got := sizeOf(t, l.path(number)); got != size {
		t.Errorf("after an orderly end the file has %d bytes; want %d", got, size)
	}
	must(t, os.Truncate(l.path(number), size-1))
	if h := replayed(t, dir, openKeys(t, mem)); !h.lost["w-0-a"] && h.all == nil {
		t.Error("a block is cut, and nothing is lost")
	}
}

// TestNoRoomForZeros: a disk that has no room ahead takes what counts.
func TestNoRoomForZeros(t *testing.T) {
	l := replayed(t, t.TempDir(), openKeys(t, inMemory(t))).log
	must(t, l.Append([]Record{{Kind: Account, Body: []byte("s")}}))
	w := l.newest
	path := l.path(w.number)
	readOnly, err := os.Open(path)
	must(t, err)
	whole := w.file
	w.file, w.from = readOnly, 0
	w.prepare()
	w.file = whole
	must(t, readOnly.Close())
	must(t, l.Append([]Record{{Kind: Account, Body: []byte("s")}}))
	if got := sizeOf(t, path); got != w.size {
		t.Errorf("%d bytes; want the %d that are written, and no second attempt", got, w.size)
	}
	must(t, l.Close())
}

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Size()
}
