// Package checkpoint makes the effect of readings durable before they are
// acknowledged, in a log that only living keys can read, and knows at each start
// whether all that was acknowledged is there.
//
// The log is a list of segments, files of some MiB. A commit is appended to the
// newest and synchronised; when that has grown it is closed, and a new one begun:
//
//	segment = block*, and perhaps zeros
//	block   = head, sealed(segment key, part of a commit), padded to 4 KiB
//	head    = length uint32, flags uint32 (1 first, 2 last of its commit), index uint64
//	commit  = frame*
//	frame   = kind uint8, name length uint8, name, length uint32, body
//	body    = sealed(key of that name, records) for windows and epochs,
//	          or records alone for the state
//
// Sealing is AES-256-GCM with a random nonce (NIST SP 800-38D). The outer seal
// hides which windows and how much, and binds a block to its segment and place; the
// inner ones die with their own keys. No commit is too large, since it is cut by
// bytes; no block is, so that a start reads little at a time.
//
// Beside the keys, in memory, lie the list of the segments and the mark: how far
// the newest had come when something was last acknowledged. What is not as they
// say is damage: then the windows and epochs that may have been in it are handed
// out as Lost, or, where the last state cannot be read, all are (ErrUnreadable).
//
// Segments of which nothing lives are removed; those of which little does are
// rewritten beside, while ingest goes on. Entries may be applied in any order, so
// it does not matter in which segment they are.
package checkpoint

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Kind of a record.
type Kind uint8

// The kinds.
const (
	Window  Kind = 1 + iota // entries of one window
	Epoch                   // tags of one epoch
	State                   // the whole state, as versions before 2 wrote it: replaces the one before
	Account                 // what each commit says anew: replaces the one before
	Facts                   // what changes rarely: replaces the one before
	Heard                   // numbers that are added to those before
	Parts                   // tags of one epoch, each with the number of an owner, or 0
	Last                    // last values of sensors about nobody: each sensor's replace those before
)

// sealed reports whether records of the kind have a key of their own.
func (k Kind) sealed() bool { return k == Window || k == Epoch || k == Parts }

// Record is what one commit does to one window or epoch, or to the state.
type Record struct {
	Kind Kind
	Name string // of the key
	Body []byte
	// Lost is set on replay when it cannot be read; Body is empty then.
	Lost bool
}

// segmentSize is how large a segment grows, in bytes, before a new one is begun.
const segmentSize = 16 << 20

// Log is the open log. It is used by one goroutine.
type Log struct {
	dir   string
	keys  *Keys
	limit int64 // of a segment's size
	// newest is the segment being written, and what is in it; nil before the first
	// commit.
	newest *writer
	holds  *segment
	closed []*segment
	next   uint64 // the next segment's number
	mark   marker
	buf    []byte
	broken bool // the tail may hold half a commit
	// stray are segments that the list does not know; they go with the first commit.
	stray    []uint64
	findings []Finding

	// Of the rewriting beside.
	done    chan rewritten
	busy    bool
	stop    atomic.Bool
	trash   []uint64 // out of the list, and still to be removed
	looked  look
	rest    time.Duration
	resting time.Time
}

// Finding is something that is not as it should be.
type Finding struct{ File, What string }

// Findings are what Open found: files that are damaged, missing or too many.
func (l *Log) Findings() []Finding { return l.findings }

// ErrUnreadable says that the log is there, or should be, and cannot be read to
// its end: its keys are gone, or it is damaged where it matters for everything.
var ErrUnreadable = errors.New("the checkpoint log cannot be read")

// Whole reports whether the next Append begins a segment, whose first commit must
// hold the whole state.
func (l *Log) Whole() bool {
	return l.newest == nil || l.newest.blocks == 0 || l.newest.size >= l.limit
}

// Append makes the records durable, all or none. After an error the log repairs
// its tail before the next attempt.
func (l *Log) Append(records []Record) error {
	if err := l.turn(); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	w := l.newest
	if l.broken {
		if err := w.file.Truncate(w.size); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		w.ahead, l.broken = min(w.ahead, w.size), false
	}
	size, blocks := w.size, w.blocks
	err := l.write(records)
	if err == nil {
		w.prepare()
		err = w.Sync()
	}
	if err == nil {
		err = l.mark.set(l.keys, mark{w.number, w.blocks, uint64(w.size)})
	}
	if err != nil {
		w.size, w.blocks, l.broken = size, blocks, true
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// turn begins a new segment where the newest has grown. The file is there before
// the list names it, and the list names it before anything in it is acknowledged.
func (l *Log) turn() error {
	if !l.Whole() || l.newest != nil && l.newest.blocks == 0 {
		return nil
	}
	w, err := create(l.dir, l.next, l.keys, segmentName(l.next))
	if err == nil {
		err = syncDir(l.dir)
	}
	if err != nil {
		if w != nil {
			err = errors.Join(err, w.file.Close())
		}
		return err
	}
	w.from = l.limit / aheadShare
	closed := l.closed
	if l.newest != nil {
		closed = append(closed[:len(closed):len(closed)], l.close())
	}
	holds := newSegment(l.next)
	if err := l.keys.writeList(listOf(closed, holds)); err != nil {
		return errors.Join(err, w.file.Close())
	}
	if l.newest != nil {
		l.newest.trim()
		_ = l.newest.file.Close()
	}
	l.closed, l.newest, l.holds, l.broken = closed, w, holds, false
	l.next++
	return nil
}

// close is the newest segment as one that nothing is appended to any more.
func (l *Log) close() *segment {
	s := *l.holds
	s.blocks, s.size = l.newest.blocks, l.newest.size
	return &s
}

// listOf is the list of closed segments and the one being written.
func listOf(closed []*segment, newest *segment) list {
	out := list{Segments: make([]listed, 0, len(closed)+1)}
	for _, s := range closed {
		out.Segments = append(out.Segments, s.listed())
	}
	if newest != nil {
		s := newest.listed()
		s.Open = true
		out.Segments = append(out.Segments, s)
	}
	return out
}

// write puts the records into the newest segment. Windows and epochs that are new
// in it are in the list first.
func (l *Log) write(records []Record) error {
	plain, sizes := l.buf[:0], make([]int64, len(records))
	var added []string
	var err error
	for i := range records {
		r, at := &records[i], len(plain)
		if plain, err = l.keys.appendFrame(plain, r); err != nil {
			return err
		}
		sizes[i] = int64(len(plain) - at)
		if r.Kind.sealed() && !l.holds.names[r.Name] {
			l.holds.names[r.Name] = true
			added = append(added, r.Name)
		}
	}
	if l.buf = plain; cap(l.buf) > blockMost {
		l.buf = nil // after the rare large one
	}
	if len(added) > 0 {
		err = l.keys.writeList(listOf(l.closed, l.holds))
	}
	if err != nil {
		for _, name := range added {
			delete(l.holds.names, name) // the list does not have them
		}
		return err
	}
	if err := l.newest.write(plain); err != nil {
		return err
	}
	for i := range records {
		if records[i].Kind.sealed() {
			l.holds.bytes[records[i].Name] += sizes[i]
		}
	}
	return nil
}

// Close ends the rewriting and closes the files.
func (l *Log) Close() error {
	l.stop.Store(true)
	if l.busy {
		<-l.done // what it made and the list does not name goes at the next start
		l.busy = false
	}
	err := l.mark.close()
	if l.newest != nil {
		l.newest.trim()
		err = errors.Join(err, l.newest.file.Close())
	}
	return err
}

// path is where a segment lies.
func (l *Log) path(number uint64) string { return filepath.Join(l.dir, segmentName(number)) }
