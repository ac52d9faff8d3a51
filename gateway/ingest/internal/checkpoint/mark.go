package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	markFile  = "mark"
	markMagic = "sluicemk"
	slotSize  = 64
)

// mark is how far the log had come when something was last acknowledged: the
// segment that was being written, its whole blocks and its bytes. It lies beside
// the keys, in memory, where no backup of a disk reaches, and is written after
// the disk was synchronised and before anybody hears of it. So a log that ends
// before its mark has lost something that was acknowledged, and what a log has
// behind it is whole but was never acknowledged.
type mark struct{ number, blocks, size uint64 }

// slot is the mark with its check sum.
func (m mark) slot() []byte {
	b := append(make([]byte, 0, slotSize), markMagic...)
	for _, v := range []uint64{m.number, m.blocks, m.size} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func parseSlot(b []byte) (m mark, ok bool) {
	if len(b) < slotSize {
		return m, false
	}
	m = mark{binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:]), binary.BigEndian.Uint64(b[24:])}
	return m, bytes.Equal(m.slot(), b[:slotSize])
}

// later reports whether m was written after o.
func (m mark) later(o mark) bool {
	return m.number > o.number || m.number == o.number && m.blocks > o.blocks
}

var errMark = errors.New("it is damaged")

// readMark returns the mark. There are two slots with the same content, written one
// after the other, so that neither a kill between them nor one bad bit matters:
// where both are whole, the later counts; where one is, that one. fs.ErrNotExist
// where there is none.
func (k *Keys) readMark() (mark, error) {
	if k.dir == "" {
		return mark{}, fs.ErrNotExist
	}
	f, err := os.Open(filepath.Join(k.dir, markFile))
	if err != nil {
		return mark{}, err
	}
	raw := make([]byte, 2*slotSize)
	n, _ := f.ReadAt(raw, 0)
	if err := f.Close(); err != nil {
		return mark{}, err
	}
	raw = raw[:n]
	a, okA := parseSlot(raw[:min(n, slotSize)])
	b, okB := parseSlot(raw[min(n, slotSize):])
	switch {
	case okA && (!okB || a.later(b)):
		return a, nil
	case okB:
		return b, nil
	}
	return mark{}, errMark
}

// marker keeps the mark's file open, and what is in it.
type marker struct {
	file *os.File
	last mark
}

// set moves the mark: two writes of 64 bytes into memory.
func (w *marker) set(k *Keys, m mark) error {
	if k.dir == "" {
		return nil
	}
	if w.file == nil {
		if err := k.place(); err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(k.dir, markFile), os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return fmt.Errorf("key directory: %w", err)
		}
		w.file = f
	}
	slot := m.slot()
	_, err := w.file.WriteAt(slot, 0)
	if err == nil {
		_, err = w.file.WriteAt(slot, slotSize)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("key directory: %w", err), w.close())
	}
	w.last = m
	return nil
}

func (w *marker) close() error {
	if w.file == nil {
		return nil
	}
	f := w.file
	w.file = nil
	return f.Close()
}
