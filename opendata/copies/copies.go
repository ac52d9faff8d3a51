// Package copies reads one gateway's public books, and its numbers, from any of the machines
// that release for it.
//
// Each of those machines has a copy of the books and perhaps a store of its own. The copies
// are of one chain, so one is the beginning of another, and an answer from any is the same
// answer. One copy is shown at a time. Another one takes its place when it cannot be read, or
// has been behind for Patience; and only one that has all that was shown before, in its books
// and in its store. While there is none, readers get an error, and never an older answer.
//
// Copies that have different lines of one number contradict each other, and nobody can tell
// here which of them is right. Then releases.jsonl ends before that line, so that no number is
// shown that hangs on it, and Problems says where they part.
package copies

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"sluice/books"
	"sluice/store"
)

// Max is how many copies there may be.
const Max = 8

const (
	// fresh is how long what is known of all copies is used without looking, soon how long a look
	// waits for one of them, and slow how long one may take before it counts as away.
	fresh = 200 * time.Millisecond
	soon  = 500 * time.Millisecond
	slow  = 3 * time.Second
	// glance is how long a reader waits for a look where the last one is not older than old.
	glance = 20 * time.Millisecond
	old    = 2 * time.Second
	// enough is how long a reader waits for a copy that has what was shown.
	enough = 2 * time.Second
	// Patience is how long the copy that is shown may be behind another one.
	Patience = 5 * time.Second
)

// Store is where a copy's machine has put its numbers.
type Store interface {
	Observations(ctx context.Context, q store.Query) ([]store.Observation, error)
	ClosedUntil(ctx context.Context, stream string) (time.Time, error)
}

// Copy is one machine's. Where is what the configuration calls it; Store is nil where all
// machines have one store.
type Copy struct {
	Where string
	Books books.Source
	Store Store
}

// Copies are all copies. They implement books.Source, and Store where each copy has one.
type Copies struct {
	list []*copied

	mu      sync.Mutex
	looking chan struct{} // closed when the look under way ends; nil for none; guarded by mu
	looked  time.Time     // when the last one ended; guarded by mu
	shown   choice        // guarded by mu

	need need
}

// New reads copies of one gateway's books, of which there are at most Max.
func New(list []Copy) *Copies {
	c := &Copies{need: need{until: make(map[string]time.Time)}}
	for _, x := range list {
		c.list = append(c.list, newCopied(x))
	}
	return c
}

// ErrNone means that no copy can be shown just now; the wrapping error says why.
var ErrNone = errors.New("none of the copies of the books can be shown")

// look is what is known of all copies, at most fresh ago; where another machine takes long to say,
// what was known old ago.
func (c *Copies) look(now bool) choice {
	c.mu.Lock()
	if c.looking == nil {
		if !now && time.Since(c.looked) < fresh {
			defer c.mu.Unlock()
			return c.shown
		}
		c.looking = make(chan struct{})
		go c.round(c.looking, now, c.shown.heads)
	}
	done, last, good := c.looking, c.shown, !now && c.shown.begun && c.shown.why == "" && time.Since(c.looked) < old
	c.mu.Unlock()
	if good {
		select {
		case <-done:
		case <-time.After(glance):
			return last
		}
	}
	<-done // a look takes at most soon
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown
}

func (c *Copies) round(done chan struct{}, now bool, heads map[string]head) {
	var all sync.WaitGroup
	views := make([]view, len(c.list))
	for n, p := range c.list {
		all.Go(func() { views[n] = p.now(now, heads) })
	}
	all.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown = choose(c.shown, views, c.need.all(), time.Now())
	c.looked, c.looking = time.Now(), nil
	close(done)
}

// chosen waits a little for a copy that can be shown.
func (c *Copies) chosen(ctx context.Context, now bool) (choice, error) {
	for begun := time.Now(); ; now = true {
		x := c.look(now)
		if x.why == "" {
			return x, nil
		}
		err := fmt.Errorf("%w: %s", ErrNone, x.why)
		if time.Since(begun) >= enough {
			return x, err
		}
		select {
		case <-ctx.Done():
			return x, err
		case <-time.After(fresh / 2):
		}
	}
}

// from asks the copy that is shown, and once more the one that is shown then, if it is another:
// where a file is not there, the copy may be gone.
func from[T any](ctx context.Context, c *Copies, ask func(x choice, p *copied) (T, error)) (T, error) {
	x, err := c.chosen(ctx, false)
	if err != nil {
		var none T
		return none, err
	}
	v, err := ask(x, c.list[x.at])
	if err == nil || ctx.Err() != nil {
		return v, err
	}
	again, gone := c.chosen(ctx, true)
	switch {
	case gone != nil:
		return v, gone
	case again.at == x.at:
		return v, err
	}
	return ask(again, c.list[again.at])
}

// Get returns a file of the copy that is shown.
func (c *Copies) Get(name string) ([]byte, error) {
	return from(context.Background(), c, func(x choice, p *copied) ([]byte, error) {
		raw, err := p.Books.Get(name)
		if name == decisions && err == nil {
			return dated(raw, x.views)
		}
		end, limited := x.ends[name]
		switch {
		case err != nil || !limited:
			return raw, err
		case int64(len(raw)) < end:
			return nil, errShort
		}
		return raw[:end], nil
	})
}

// errShort means that a copy has become shorter than it was a moment ago.
var errShort = errors.New("this copy of the books has become shorter")

// From opens a growing file from an offset on.
func (c *Copies) From(name string, at int64) (io.ReadCloser, error) {
	return from(context.Background(), c, func(x choice, p *copied) (io.ReadCloser, error) {
		file, err := books.From(p.Books, name, at)
		if end, limited := x.ends[name]; err == nil && limited {
			return &part{io.LimitReader(file, max(0, end-at)), file}, nil
		}
		return file, err
	})
}

// part is the beginning of what is left of a file.
type part struct {
	io.Reader
	io.Closer
}

// Each gives f every line of a growing file in turn, and holds one of them at a time.
func (c *Copies) Each(name string, f func(line string) error) error {
	file, err := c.From(name, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	return books.EachLine(file, name, f)
}

// Stamp tells a file from what it was before; empty where that is not known.
func (c *Copies) Stamp(name string) string {
	x := c.look(false)
	p := c.list[x.at]
	if s, ok := p.Books.(interface{ Stamp(name string) string }); ok && x.why == "" {
		if stamp := s.Stamp(name); stamp != "" {
			return p.Where + " " + stamp
		}
	}
	return ""
}

// Near reports whether all copies are directories, which can be asked often.
func (c *Copies) Near() bool {
	for _, p := range c.list {
		if !books.Near(p.Books) {
			return false
		}
	}
	return true
}

// Problems says of each copy what is wrong with it, and where two contradict each other; empty
// where nothing is.
func (c *Copies) Problems() []string {
	x := c.look(false)
	if x.why == "" || len(x.problems) > 0 {
		return x.problems
	}
	return []string{x.why}
}
