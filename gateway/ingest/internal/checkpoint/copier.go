package checkpoint

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// flush is how many bytes are merged and written at a time when segments are
// rewritten.
const flush = 1 << 20

// copier writes frames into a segment that is not in the list yet. What belongs to
// one window or epoch becomes one record of each kind: entries may stand in any order, and behind
// each other.
type copier struct {
	log  *Log
	w    *writer
	part string
	seg  *segment
	// open are records by kind and name, as far as they are read; size is of all of them.
	open    map[string]*Record
	size    int
	buf     []byte
	scratch []byte
}

func (l *Log) copier(number uint64) (*copier, error) {
	part := segmentName(number) + partSuffix
	w, err := create(l.dir, number, l.keys, part)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return &copier{log: l, w: w, part: filepath.Join(l.dir, part), seg: newSegment(number),
		open: make(map[string]*Record)}, nil
}

// add takes a frame; its bytes are not kept. One that cannot be opened is copied as it
// is: whoever reads it later says that it is lost.
func (c *copier) add(f frame) error {
	if !f.kind.sealed() || !c.merge(f) {
		c.seg.count(f)
		c.buf = append(c.buf, f.raw...)
	}
	if len(c.buf)+c.size < flush {
		return nil
	}
	return c.flush()
}

func (c *copier) merge(f frame) bool {
	seal := c.log.keys.seal(f.name)
	if seal == nil {
		return false
	}
	body, err := seal.Open(c.scratch[:0], nil, f.body, []byte(f.name))
	if err != nil {
		return false
	}
	c.scratch = body
	which := string(rune(f.kind)) + f.name
	r := c.open[which]
	if r == nil {
		r = &Record{Kind: f.kind, Name: f.name}
		c.open[which] = r
	}
	r.Body = append(r.Body, body...)
	c.size += len(body)
	return true
}

// flush writes what was taken. What was shredded meanwhile stays behind.
func (c *copier) flush() error {
	for _, which := range slices.Sorted(maps.Keys(c.open)) {
		r, at := c.open[which], len(c.buf)
		if seal := c.log.keys.seal(r.Name); seal != nil {
			c.buf = framed(c.buf, r, seal)
			c.seg.count(frame{kind: r.Kind, name: r.Name, raw: c.buf[at:]})
		}
	}
	clear(c.open)
	c.size = 0
	err := c.w.write(c.buf)
	c.buf = c.buf[:0]
	return err
}

func (c *copier) drop() error { return errors.Join(c.w.file.Close(), os.Remove(c.part)) }

// finish makes the segment durable under its own name.
func (c *copier) finish() (*segment, error) {
	err := c.flush()
	if err == nil {
		err = c.w.file.Sync()
	}
	if err == nil {
		err = os.Rename(c.part, c.log.path(c.seg.number))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("checkpoint: %w", err), c.drop())
	}
	c.seg.blocks, c.seg.size = c.w.blocks, c.w.size
	if err := errors.Join(c.w.file.Close(), syncDir(c.log.dir)); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return c.seg, nil
}
