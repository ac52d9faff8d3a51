package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"sluice/store"
)

// lookEvery is how often a Reader checks that the file is still the one that it has open.
const lookEvery = 250 * time.Millisecond

// Reader reads a file for as long as a process runs, and opens it again when it has been
// replaced, truncated or damaged. A file that was removed is not read any more, although
// the system would still allow it.
type Reader struct {
	path string

	mu     sync.Mutex
	now    *opened   // nil for none; guarded by mu
	is     identity  // of the files when that was opened; guarded by mu
	looked time.Time // guarded by mu
}

// opened is an open file with a count of its users; the last one closes it.
type opened struct {
	*Store
	users int  // guarded by the Reader's mu
	gone  bool // another one is read now; guarded by the Reader's mu
}

// identity tells a file and its write-ahead log from others of the same names, by stat(2).
// The file itself is written seldom, at checkpoints of the log.
type identity struct {
	db, wal [2]uint64 // device and number; zero for none
	written int64     // the file, in nanoseconds since 1970
}

// ErrUnreadable means that the file cannot be read; the wrapping error says what to do.
var ErrUnreadable = errors.New("the store cannot be read")

// NewReader reads the file at a path; it need not exist yet.
func NewReader(path string) *Reader { return &Reader{path: path} }

// Observations answers a query, at most q.Limit rows.
func (r *Reader) Observations(ctx context.Context, q store.Query) (list []store.Observation, err error) {
	err = r.with(ctx, func(s *Store) error {
		list, err = s.Observations(ctx, q)
		return err
	})
	return list, err
}

// ClosedUntil is the end of the stream's last stored window; zero when none is.
func (r *Reader) ClosedUntil(ctx context.Context, stream string) (until time.Time, err error) {
	err = r.with(ctx, func(s *Store) error {
		until, err = s.ClosedUntil(ctx, stream)
		return err
	})
	return until, err
}

// Close releases the file.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leave()
}

// with calls ask with the file that has the name now.
func (r *Reader) with(ctx context.Context, ask func(*Store) error) error {
	o, err := r.take()
	if err == nil {
		err = ask(o.Store)
		r.done(o, err != nil && ctx.Err() == nil)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %s; put a backup of it and its -wal there while the gateway is stopped "+
		"(docs/operations.md), and it goes on: %w", ErrUnreadable, r.path, err)
}

func (r *Reader) take() (*opened, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil || time.Since(r.looked) >= lookEvery {
		is, err := identify(r.path)
		if err != nil {
			return nil, errors.Join(err, r.leave())
		}
		r.looked = time.Now()
		if r.now != nil && is != r.is {
			if err := r.leave(); err != nil {
				return nil, err
			}
		}
		r.is = is
	}
	if r.now == nil {
		s, err := OpenReader(r.path)
		if err != nil {
			return nil, err
		}
		r.now = &opened{Store: s}
	}
	r.now.users++
	return r.now, nil
}

// done returns an open file; after a failure it is opened again.
func (r *Reader) done(o *opened, failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o.users--
	if failed && r.now == o {
		_ = r.leave() // it failed already
	} else if o.gone && o.users == 0 {
		_ = o.Close() // nobody wants it any more
	}
}

// leave closes the open file once nobody uses it. The caller holds mu.
func (r *Reader) leave() error {
	o := r.now
	if r.now = nil; o == nil {
		return nil
	}
	if o.gone = true; o.users > 0 {
		return nil
	}
	return o.Close()
}

func identify(path string) (is identity, err error) {
	if is.db, is.written, err = number(path); err != nil {
		return is, err
	}
	is.wal, _, err = number(path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // none has been written
	}
	return is, err
}

func number(path string) (n [2]uint64, written int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return n, 0, err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		n = [2]uint64{st.Dev, st.Ino}
	}
	return n, info.ModTime().UnixNano(), nil
}
