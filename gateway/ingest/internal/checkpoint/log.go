// Package checkpoint makes the effect of readings durable before they are
// acknowledged, in a log that only living keys can read.
//
// One commit is one block, written and synchronised as a whole:
//
//	block  = length uint32, sealed(segment key, frame*), padded to 4 KiB
//	frame  = kind uint8, name length uint8, name, length uint32, body
//	body   = sealed(key of that name, records) for windows and epochs,
//	         or records alone for the state
//
// Sealing is AES-256-GCM with a random nonce (NIST SP 800-38D). The outer seal
// hides which windows and how much; the inner ones die with their own keys. A
// segment that has grown to twice what still lives is copied without the dead
// frames, and the old one is removed with its key.
package checkpoint

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Kind of a record.
type Kind uint8

// The kinds.
const (
	Window Kind = 1 + iota // entries of one window
	Epoch                  // tags of one epoch
	State                  // clock, counters, closes: replaces the state before
)

// Record is what one commit does to one window or epoch, or the new state.
type Record struct {
	Kind Kind
	Name string // of the key
	Body []byte
	// Lost is set on replay when the key is gone; Body is empty then.
	Lost bool
}

const (
	blockSize   = 4096
	growth      = 16 << 20
	maxBlock    = 256 << 20
	frameHeader = 6
)

// Log is the open log. It is used by one goroutine.
type Log struct {
	dir  string
	keys *Keys
	// file is the segment being written, number its name.
	file   *os.File
	number uint64
	seal   cipher.AEAD
	size   int64 // of the segment
	base   int64 // of what lived when the segment was begun
	buf    []byte
	broken bool // the tail may hold half a block
}

// ErrUnreadable says that the log is there and cannot be read, or not to its end:
// its key is gone or it is damaged.
var ErrUnreadable = errors.New("the checkpoint log cannot be read")

// Open opens the log of a directory and hands every record that can be read to
// replay, in order. ErrUnreadable comes with a new, empty log.
func Open(dir string, keys *Keys, replay func(Record) error) (*Log, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	l := &Log{dir: dir, keys: keys}
	numbers, err := l.segments()
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 {
		return l, l.begin(1, nil)
	}
	last := numbers[len(numbers)-1]
	var live []Record
	err = l.read(last, func(r Record) error {
		if r.Kind == State || !r.Lost {
			live = keep(live, r)
		}
		return replay(r)
	})
	lost := errors.Is(err, ErrUnreadable)
	if err != nil && !lost {
		return nil, err
	}
	// Begin a segment of our own: what was torn at the end of the old one is gone.
	if err := l.begin(last+1, live); err != nil {
		return nil, err
	}
	for _, n := range numbers {
		if err := l.remove(n); err != nil {
			return nil, err
		}
	}
	if lost {
		return l, ErrUnreadable
	}
	return l, nil
}

// keep appends a record, with the last state only.
func keep(list []Record, r Record) []Record {
	if r.Kind == State {
		for i := range list {
			if list[i].Kind == State {
				list = append(list[:i], list[i+1:]...)
				break
			}
		}
	}
	r.Body = append([]byte(nil), r.Body...)
	return append(list, r)
}

func (l *Log) segments() ([]uint64, error) {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	var out []uint64
	for _, e := range entries {
		var n uint64
		if _, err := fmt.Sscanf(e.Name(), "segment-%d.log", &n); err == nil && e.Name() == segmentName(n) {
			out = append(out, n)
		} else if filepath.Ext(e.Name()) == ".part" {
			if err := os.Remove(filepath.Join(l.dir, e.Name())); err != nil {
				return nil, fmt.Errorf("checkpoint: %w", err)
			}
		}
	}
	return out, nil
}

func segmentName(n uint64) string { return fmt.Sprintf("segment-%016d.log", n) }

func keyName(n uint64) string { return fmt.Sprintf("log-%016d", n) }

func (l *Log) remove(n uint64) error {
	if err := l.keys.Shred(keyName(n)); err != nil {
		return err
	}
	return os.Remove(filepath.Join(l.dir, segmentName(n)))
}

func newSeal(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// begin starts a segment that holds the live records.
func (l *Log) begin(n uint64, live []Record) error {
	key, err := l.keys.Make(keyName(n))
	if err != nil {
		return err
	}
	seal, err := newSeal(key)
	if err != nil {
		return err
	}
	part := filepath.Join(l.dir, segmentName(n)+".part")
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	next := &Log{dir: l.dir, keys: l.keys, file: f, number: n, seal: seal, buf: l.buf[:0]}
	for len(live) > 0 {
		chunk := live[:min(len(live), 512)]
		live = live[len(chunk):]
		if err := next.write(chunk); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("checkpoint: %w", err), f.Close())
	}
	if err := os.Rename(part, filepath.Join(l.dir, segmentName(n))); err != nil {
		return errors.Join(fmt.Errorf("checkpoint: %w", err), f.Close())
	}
	next.base = next.size
	if l.file != nil {
		_ = l.file.Close()
	}
	*l = *next
	return syncDir(l.dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// Append makes the records durable, all or none. After an error the log repairs
// its tail before the next attempt.
func (l *Log) Append(records []Record) error {
	if l.broken {
		if err := l.file.Truncate(l.size); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		l.broken = false
	}
	size := l.size
	err := l.write(records)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		l.size, l.broken = size, true
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

func (l *Log) write(records []Record) error {
	plain := l.buf[:0]
	for _, r := range records {
		body := r.Body
		plain = append(plain, byte(r.Kind), byte(len(r.Name)))
		plain = append(plain, r.Name...)
		at := len(plain)
		plain = append(plain, 0, 0, 0, 0)
		if r.Kind == State {
			plain = append(plain, body...)
		} else {
			key, err := l.keys.Make(r.Name)
			if err != nil {
				return err
			}
			seal, err := newSeal(key)
			if err != nil {
				return err
			}
			plain = seal.Seal(plain, nil, body, []byte(r.Name))
		}
		binary.BigEndian.PutUint32(plain[at:], uint32(len(plain)-at-4))
	}
	l.buf = plain
	if len(plain) > maxBlock {
		return errors.New("a commit is too large")
	}
	overhead := 4 + l.seal.Overhead()
	padded := (len(plain) + overhead + blockSize - 1) / blockSize * blockSize
	// Zeros behind the last frame: a frame never has kind 0.
	plain = append(plain, make([]byte, padded-overhead-len(plain))...)
	block := make([]byte, 4, padded)
	binary.BigEndian.PutUint32(block, uint32(padded-4))
	block = l.seal.Seal(block, nil, plain, block[:4])
	n, err := l.file.WriteAt(block, l.size)
	l.size += int64(n)
	return err
}

// read hands a segment's records out. A last block that is cut off or does not
// open was torn by a crash and never acknowledged; one that does not open before
// the end is damage, and the rest of the log is lost: ErrUnreadable.
func (l *Log) read(n uint64, each func(Record) error) error {
	key, ok := l.keys.Get(keyName(n))
	if !ok {
		return ErrUnreadable
	}
	seal, err := newSeal(key)
	if err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(l.dir, segmentName(n)))
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	defer f.Close()
	head := make([]byte, 4)
	for {
		if _, err := io.ReadFull(f, head); err != nil {
			return nil // the end, or torn
		}
		size := binary.BigEndian.Uint32(head)
		if size > maxBlock+blockSize || int(size) < seal.Overhead() {
			return nil
		}
		sealed := make([]byte, size)
		if _, err := io.ReadFull(f, sealed); err != nil {
			return nil
		}
		plain, err := seal.Open(sealed[:0], nil, sealed, head)
		if err != nil {
			if n, _ := f.Read(head); n > 0 {
				return ErrUnreadable
			}
			return nil
		}
		if err := l.frames(plain, each); err != nil {
			return err
		}
	}
}

func (l *Log) frames(plain []byte, each func(Record) error) error {
	for len(plain) >= frameHeader && plain[0] != 0 {
		r := Record{Kind: Kind(plain[0])}
		name := int(plain[1])
		if len(plain) < frameHeader+name {
			return errors.New("checkpoint: a frame is cut off")
		}
		r.Name = string(plain[2 : 2+name])
		size := int(binary.BigEndian.Uint32(plain[2+name:]))
		plain = plain[frameHeader+name:]
		if size > len(plain) {
			return errors.New("checkpoint: a frame is cut off")
		}
		r.Body, plain = plain[:size], plain[size:]
		if r.Kind != State {
			r.Body, r.Lost = l.open(r.Name, r.Body)
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) open(name string, sealed []byte) (body []byte, lost bool) {
	key, ok := l.keys.Get(name)
	if !ok {
		return nil, true
	}
	seal, err := newSeal(key)
	if err != nil {
		return nil, true
	}
	body, err = seal.Open(nil, nil, sealed, []byte(name))
	return body, err != nil
}

// Compact copies what lives into a new segment once the log has grown enough.
func (l *Log) Compact() error {
	if l.size-l.base < growth+l.base {
		return nil
	}
	var live []Record
	if err := l.read(l.number, func(r Record) error {
		if !r.Lost {
			live = keep(live, r)
		}
		return nil
	}); err != nil {
		return err
	}
	old := l.number
	if err := l.begin(old+1, live); err != nil {
		return err
	}
	return l.remove(old)
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }
