package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/wipe"
	"sluice/internal/crash"
)

const (
	// few is how many small segments may lie about.
	few       = 4
	restLeast = time.Second
	restMost  = 5 * time.Minute
)

// rewritten is what came of a rewriting: a segment in place of others. Without
// sources, only files were removed.
type rewritten struct {
	segment *segment
	sources []*segment
	trash   []uint64 // that could not be removed
	bad     *segment // that is damaged
	err     error
}

// look is when it was last looked for something to rewrite: nothing changes until
// a key is shredded or a segment closed.
type look struct {
	shreds uint64
	closed int
}

// errStopped says that the log was closed while a segment was rewritten.
var errStopped = errors.New("checkpoint: closed")

var errDamaged = errors.New("checkpoint: a segment is damaged; what it holds of open windows would be lost by a crash")

// Tidy removes what is dead and has what is mostly dead rewritten, beside: between
// two commits it only takes over what was done. It is called after a commit. An
// error is about room on the disk, never about what is durable, and is said when
// it is tried again.
func (l *Log) Tidy() error {
	if l.newest == nil {
		return nil
	}
	if err := l.settle(); err != nil {
		return err
	}
	if l.busy {
		select {
		case r := <-l.done:
			l.busy = false
			if err := l.take(r); err != nil {
				return l.later(err)
			}
			l.rest = 0
		default:
			return nil
		}
	}
	now := look{l.keys.shreds(), len(l.closed)}
	if (now == l.looked && len(l.trash) == 0) || time.Now().Before(l.resting) {
		return nil
	}
	if err := l.drop(func(s *segment) bool { return s.live(l.keys) == 0 }); err != nil {
		return l.later(err)
	}
	sources := l.choose()
	if sources == nil {
		l.looked = look{now.shreds, len(l.closed)}
	}
	if sources == nil && len(l.trash) == 0 {
		return nil
	}
	number, trash := l.next, l.trash
	l.next++
	l.trash, l.busy = nil, true
	go func() {
		r := rewritten{sources: sources, trash: trash}
		r.err = wipe.Deep(func() error {
			return crash.Guard(func() error { return l.beside(number, &r) })
		})
		l.done <- r
	}()
	return nil
}

// settle lets go, with the first commit after a start, of what that start found
// lost or strange: from now on the state says what is lost.
func (l *Log) settle() error {
	if err := l.drop(func(s *segment) bool { return s.doomed }); err != nil {
		return l.later(err)
	}
	l.trash, l.stray = append(l.trash, l.stray...), nil
	return nil
}

// later has the next attempt wait, longer each time.
func (l *Log) later(err error) error {
	l.rest = min(max(2*l.rest, restLeast), restMost)
	l.resting = time.Now().Add(l.rest)
	return err
}

// drop takes closed segments out of the list; their files and keys go beside.
func (l *Log) drop(which func(*segment) bool) error {
	var keep []*segment
	var gone []uint64
	for _, s := range l.closed {
		if which(s) {
			gone = append(gone, s.number)
		} else {
			keep = append(keep, s)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if err := l.keys.writeList(listOf(keep, l.holds)); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	l.closed, l.trash = keep, append(l.trash, gone...)
	return nil
}

// choose finds segments to be rewritten into one: those of which a good part is
// dead, as much as fills a segment; or small ones when there are several.
func (l *Log) choose() []*segment {
	var mostly, small []*segment
	var live int64
	for _, s := range l.closed {
		n := s.live(l.keys)
		if s.bad {
			continue
		}
		if s.size-n >= l.limit/2 && live < l.limit {
			mostly = append(mostly, s)
			live += n
		}
		if s.size <= l.limit/2 {
			small = append(small, s)
		}
	}
	if mostly != nil {
		return mostly
	}
	if len(small) >= few {
		return small
	}
	return nil
}

// take puts a rewritten segment into the list in place of its sources.
func (l *Log) take(r rewritten) error {
	l.trash = append(l.trash, r.trash...)
	if r.bad != nil {
		r.bad.bad = true
	}
	if r.err != nil || r.segment == nil {
		return r.err
	}
	keep := []*segment{r.segment}
	for _, s := range l.closed {
		if !slices.Contains(r.sources, s) {
			keep = append(keep, s)
		}
	}
	if err := l.keys.writeList(listOf(keep, l.holds)); err != nil {
		l.trash = append(l.trash, r.segment.number)
		return fmt.Errorf("checkpoint: %w", err)
	}
	l.closed = keep
	for _, s := range r.sources {
		l.trash = append(l.trash, s.number)
	}
	return nil
}

// beside runs in a goroutine of its own. It touches files that nobody writes any
// more, one that the list does not name yet, and keys, which have a lock.
func (l *Log) beside(number uint64, r *rewritten) error {
	var failed []uint64
	var err error
	for _, n := range r.trash {
		if e := remove(l.dir, n, l.keys); e != nil {
			failed, err = append(failed, n), errors.Join(err, e)
		}
	}
	r.trash = failed
	if err != nil || r.sources == nil {
		return err
	}
	seg, err := l.rewrite(number, r)
	if err != nil {
		if !errors.Is(err, errStopped) {
			r.trash = append(r.trash, number) // its key, if nothing else
		}
		return err
	}
	r.segment = seg
	return nil
}

// rewrite copies what lives of some segments into a new one, a frame at a time, and
// makes it durable under its name. Records of the state stay behind: every
// segment begins with the whole state, so that the newest has it.
func (l *Log) rewrite(number uint64, r *rewritten) (*segment, error) {
	c, err := l.copier(number)
	if err != nil {
		return nil, err
	}
	for _, s := range r.sources {
		if err = l.copyLiving(c, s); err != nil {
			if errors.Is(err, errDamaged) {
				r.bad = s
			}
			return nil, errors.Join(err, c.drop())
		}
	}
	return c.finish()
}

func (l *Log) copyLiving(c *copier, s *segment) error {
	r, err := openReader(l.dir, s.number, l.keys)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errDamaged, l.path(s.number), err)
	}
	defer r.file.Close()
	got, err := r.commits(s.blocks, s.blocks, s.size, func(plain []byte) error {
		if l.stop.Load() {
			return errStopped
		}
		return frames(plain, func(f frame) error {
			if !f.kind.sealed() || !l.keys.has(f.name) {
				return nil
			}
			return c.add(f)
		})
	})
	if err == nil && got.damaged {
		err = fmt.Errorf("%w: %s", errDamaged, l.path(s.number))
	}
	return err
}
