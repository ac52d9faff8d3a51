package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// oldBlock bounds a block as versions before 2 wrote it.
const oldBlock = 256<<20 + blockSize

// older is the segment of such a log: the last that is not of ours.
func (l *Log) older(files []uint64) (uint64, bool) {
	for _, n := range slices.Backward(files) {
		if !l.keys.has(keyName(n)) {
			return n, l.keys.has(oldKeyName(n))
		}
	}
	return 0, false
}

// move reads the log of a version before 2, which was one segment of blocks
//
//	block = length uint32, sealed(segment key, frame*), padded to 4 KiB
//
// and copies it into a closed segment of ours, a block at a time. What it was goes
// with the first commit. Until the list is written, a crash finds the old log, and
// begins anew.
func (l *Log) move(last uint64, files []uint64, replay func(Record) error) error {
	c, err := l.copier(l.next)
	if err != nil {
		return err
	}
	l.next++
	lost := false
	if err = l.moveAll(last, c, replay); errors.Is(err, ErrUnreadable) {
		l.find(l.path(last), "it is damaged")
		lost, err = true, nil
	}
	if err != nil {
		return errors.Join(err, c.drop())
	}
	if lost {
		// Nothing of it can be believed, and the old file must stay for the next start.
		l.stray = append(slices.Clone(files), c.seg.number)
		return errors.Join(ErrUnreadable, c.drop())
	}
	seg, err := c.finish()
	if err == nil {
		err = l.begin()
	}
	if err == nil {
		err = l.keys.writeList(listOf([]*segment{seg}, nil))
	}
	if err != nil {
		return err
	}
	l.closed, l.stray = []*segment{seg}, files
	return nil
}

// moveAll copies every frame, and of the state the last.
func (l *Log) moveAll(number uint64, c *copier, replay func(Record) error) error {
	var state []byte
	err := l.readOld(number, func(f frame) error {
		if f.kind == State {
			state = append(state[:0], f.raw...)
			return replay(l.keys.record(f))
		}
		if err := c.add(f); err != nil { // before it is opened in place
			return err
		}
		return replay(l.keys.record(f))
	})
	if err != nil {
		return err
	}
	return frames(state, c.add)
}

// readOld hands out an old segment's frames. A last block that is cut off or does
// not open was torn by a crash; one before the end is damage.
func (l *Log) readOld(number uint64, each func(frame) error) error {
	seal := l.keys.seal(oldKeyName(number))
	if seal == nil {
		return ErrUnreadable
	}
	f, err := os.Open(l.path(number))
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 4)
	for {
		if _, err := io.ReadFull(f, head); err != nil {
			return nil // the end, or torn
		}
		size := binary.BigEndian.Uint32(head)
		if size > oldBlock || int(size) < seal.Overhead() {
			return l.torn(f)
		}
		sealed := make([]byte, size)
		if _, err := io.ReadFull(f, sealed); err != nil {
			return nil
		}
		plain, err := seal.Open(sealed[:0], nil, sealed, head)
		if err != nil {
			return l.torn(f)
		}
		if err := frames(plain, each); err != nil {
			return fmt.Errorf("an old segment: %w", err)
		}
	}
}

// torn takes what cannot be read for a torn end where it is one.
func (l *Log) torn(f *os.File) error {
	var b [1]byte
	if n, _ := f.Read(b[:]); n > 0 {
		return ErrUnreadable
	}
	return nil
}
