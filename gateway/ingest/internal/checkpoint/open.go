package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

// Open opens the log of a directory and hands every record that can be read to
// replay: those of the state in order, all others in any. Known says that
// something else remembers a log here, so that an empty directory is not a new one.
//
// A window or epoch of which something may be missing is handed out as Lost. With
// ErrUnreadable everything is lost, also what was handed out; the log can be
// appended to, and what is on the disk goes with the first commit, not before: a
// crash until then finds the same. Other errors are the disk's or replay's.
func Open(dir string, keys *Keys, known bool, replay func(Record) error) (*Log, error) {
	l := &Log{dir: dir, keys: keys, limit: segmentSize, done: make(chan rewritten, 1)}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = l.open(known, replay)
	}
	if err != nil && !errors.Is(err, ErrUnreadable) {
		return nil, errors.Join(fmt.Errorf("checkpoint: %w", err), l.mark.close())
	}
	return l, err
}

func (l *Log) open(known bool, replay func(Record) error) error {
	files, err := found(l.dir)
	if err != nil {
		return err
	}
	own := l.keys.list(ofSegment)
	l.next = 1 + highest(files, own)
	for _, file := range l.keys.Broken() {
		l.find(file, "it held no key, and is removed")
	}
	m, markErr := l.keys.readMark()
	listed, listErr := l.keys.readList()
	if errors.Is(listErr, fs.ErrNotExist) && (errors.Is(markErr, fs.ErrNotExist) || markErr == nil && m == mark{}) {
		if old, ok := l.older(files); ok {
			return l.move(old, files, replay)
		}
		started := markErr == nil // and nothing was acknowledged since
		if len(files) == 0 && len(own) == 0 && !known && (started || len(l.keys.Names()) == 0) {
			return l.begin()
		}
	}
	l.strays(files, own, listed)
	switch {
	case errors.Is(listErr, fs.ErrNotExist) && errors.Is(markErr, fs.ErrNotExist) && len(own) == 0:
		l.find(l.dir, "its keys are gone, as after a reboot")
		return ErrUnreadable
	case listErr != nil:
		l.find(filepath.Join(l.keys.dir, listFile), damage(listErr))
		return ErrUnreadable
	}
	return l.readAll(listed, m, markErr, known, replay)
}

// begin starts a log where there was none. The mark comes first: with it, a list
// that is not there yet is no loss.
func (l *Log) begin() error {
	if err := l.mark.set(l.keys, mark{}); err != nil {
		return err
	}
	return l.keys.writeList(list{})
}

func (l *Log) find(file, what string) { l.findings = append(l.findings, Finding{file, what}) }

// damage says what an error from one of our files means.
func damage(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "it is missing"
	case errors.Is(err, errNoKey), errors.Is(err, errNoFile), errors.Is(err, errList), errors.Is(err, errMark):
		return err.Error()
	}
	return "it cannot be read: " + err.Error()
}

func highest(files []uint64, keys []string) (n uint64) {
	for _, f := range files {
		n = max(n, f)
	}
	for _, key := range keys {
		if k, ok := numberOf(key, segmentKey+"%d", keyName); ok {
			n = max(n, k)
		} else if k, ok := numberOf(key, oldKey+"%d", oldKeyName); ok {
			n = max(n, k)
		}
	}
	return min(n, math.MaxInt64) // a name that somebody made up must not wrap round
}

// strays are segments, by file or key, that the list does not name: what a crash
// left when they were replaced, or foreign.
func (l *Log) strays(files []uint64, keys []string, known list) {
	ours := make(map[uint64]bool)
	for _, s := range known.Segments {
		ours[s.Number] = true
		l.next = max(l.next, s.Number+1)
	}
	for _, n := range files {
		if !ours[n] {
			l.stray = append(l.stray, n)
			if !l.keys.has(keyName(n)) && !l.keys.has(oldKeyName(n)) {
				l.find(l.path(n), "it belongs to no log that is known here, and will be removed")
			}
		}
	}
	for _, key := range keys {
		n, ok := numberOf(key, segmentKey+"%d", keyName)
		if !ok {
			n, ok = numberOf(key, oldKey+"%d", oldKeyName)
		}
		if ok && !ours[n] {
			l.stray = append(l.stray, n)
		}
	}
}

// readAll reads the segments that the list names.
func (l *Log) readAll(known list, m mark, markErr error, must bool, replay func(Record) error) error {
	current := m == mark{} && markErr == nil && (!must || len(known.Segments) > 0)
	if markErr != nil {
		l.find(filepath.Join(l.keys.dir, markFile), damage(markErr))
	}
	for _, s := range known.Segments {
		seg := newSegment(s.Number)
		for _, name := range s.Names {
			seg.names[name] = true
		}
		got, err := l.readOne(seg, s, m, replay)
		if err != nil {
			return err
		}
		current = current || s.Number == m.number && markErr == nil && got.current
		seg.doomed = got.damaged || s.Open && got.blocks == 0
		seg.blocks, seg.size = got.blocks, got.size
		if got.damaged {
			// What should be there, so that the next start judges as this one does.
			seg.blocks, seg.size = max(got.blocks, s.Blocks), max(got.size, s.Size)
			if s.Number == m.number {
				seg.blocks, seg.size = max(got.blocks, m.blocks), max(got.size, int64(min(m.size, math.MaxInt64)))
			}
			for name := range seg.names {
				if err := replay(Record{Name: name, Lost: true}); err != nil {
					return err
				}
			}
		}
		l.closed = append(l.closed, seg)
	}
	if !current {
		for _, s := range l.closed {
			s.doomed = true
		}
		return ErrUnreadable
	}
	return nil
}

// readOne reads one segment and says what is wrong with it.
func (l *Log) readOne(seg *segment, s listed, m mark, replay func(Record) error) (scan, error) {
	need, limit, size := s.Blocks, s.Blocks, s.Size
	if s.Number == m.number {
		need, size = max(need, m.blocks), max(size, int64(min(m.size, math.MaxInt64)))
	}
	if s.Open {
		limit = math.MaxUint64
	}
	if !s.Open && need > limit {
		limit = need // a mark of another time; what it misses is damage
	}
	r, err := openReader(l.dir, s.Number, l.keys)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoKey) || errors.Is(err, errNoFile) {
		l.find(l.path(s.Number), damage(err))
		return scan{damaged: true}, nil
	}
	if err != nil {
		return scan{}, l.refuse(s.Number, err)
	}
	defer r.file.Close()
	got, err := l.replay(r, seg, need, limit, size, replay)
	if got.damaged {
		l.find(l.path(s.Number), "it is damaged, or shorter than it was")
	}
	return got, err
}

func (l *Log) refuse(number uint64, err error) error {
	return fmt.Errorf("%w; mend the disk, or, if nothing helps, remove %s: then the open windows of which it held "+
		"something are published as gaps", err, l.path(number))
}

// replay hands out what a segment holds. Of the state only the last records count,
// so that they are handed out once, at the end.
func (l *Log) replay(
	r *segmentReader, seg *segment, need, limit uint64, size int64, replay func(Record) error,
) (scan, error) {
	last := make(map[Kind][]byte)
	var own error // of replay
	got, err := r.commits(need, limit, size, func(plain []byte) error {
		return frames(plain, func(f frame) error {
			seg.count(f)
			switch f.kind {
			case State, Account, Facts:
				last[f.kind] = append(last[f.kind][:0], f.body...)
				return nil
			}
			own = replay(l.keys.record(f))
			return own
		})
	})
	switch {
	case own != nil:
		return got, own
	case errors.Is(err, errFrame):
		got.damaged, got.current = true, false // sealed like that: a bug, and still no reason not to start
	case err != nil:
		return got, l.refuse(r.number, err)
	}
	for _, kind := range []Kind{State, Facts, Account} {
		if body, ok := last[kind]; ok {
			if err := replay(Record{Kind: kind, Body: body}); err != nil {
				return got, err
			}
		}
	}
	return got, nil
}
