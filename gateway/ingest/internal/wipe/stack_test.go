package wipe

import (
	"bytes"
	"crypto/rand"
	"errors"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// scrawl leaves a word in so many frames, the way that a deep call does.
//
//go:noinline
func scrawl(frames int, word [16]byte) byte {
	room := word
	if frames > 0 {
		room[0] ^= scrawl(frames-1, word)
	}
	keep(room[:])
	return room[0]
}

// stackOf reads the room below a caller's frame, from memory as a dump would have it. Itself it writes little there.
//
//go:noinline
func stackOf(t *testing.T, mem int, into []byte) (at uintptr) {
	var here byte
	at = uintptr(unsafe.Pointer(&here))
	if n, _, no := unix.RawSyscall6(unix.SYS_PREAD64, uintptr(mem), uintptr(unsafe.Pointer(&into[0])),
		uintptr(len(into)), at-uintptr(len(into)), 0, 0); no != 0 || n != uintptr(len(into)) {
		t.Errorf("the stack cannot be read: %v", no)
	}
	return at
}

// TestBelow: whatever was called, as deep as Below reaches, and however often the collector would rather have had a
// smaller stack meanwhile: the stack is the same one, and nothing of it is left there.
func TestBelow(t *testing.T) {
	mem, err := unix.Open("/proc/self/mem", unix.O_RDONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer unix.Close(mem)
	ended := make(chan error)
	go func() {
		ended <- Deep(func() error {
			var word [16]byte
			_, _ = rand.Read(word[:])
			raw := make([]byte, 110<<10)
			first := stackOf(t, mem, raw)
			for round := range 3 {
				scrawl(900, word)
				if stackOf(t, mem, raw); bytes.Count(raw, word[8:]) < 500 {
					t.Error("what was left on this stack is not found: this test sees nothing")
				}
				runtime.GC()
				runtime.GC()
				Below()
				if at := stackOf(t, mem, raw); at != first {
					t.Errorf("in round %d the stack is another one", round)
				}
				if n := bytes.Count(raw, word[8:]); n > 0 {
					t.Errorf("in round %d there are %d copies", round, n)
				}
			}
			return errors.New("it is over")
		})
	}()
	if err := <-ended; err == nil || err.Error() != "it is over" {
		t.Errorf("what it ran says %v", err)
	}
}
