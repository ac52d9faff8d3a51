package front

import (
	"context"
	"errors"
	"sync"
	"time"
)

// How long a page waits for a city, how long one that did not answer is not asked again, and
// how often it is asked at the same time.
const (
	patience = 2 * time.Second
	rest     = 5 * time.Second
	together = 6
)

// town is a city, and how it answers.
type town struct {
	City

	mu     sync.Mutex
	asking int       // guarded by mu
	failed time.Time // when it last did not answer; guarded by mu
}

// errAway means that a city cannot be asked just now.
var errAway = errors.New("the city does not answer")

// begin takes leave to ask; nil where that is of no use.
func (t *town) begin() Pages {
	p := t.Pages()
	t.mu.Lock()
	defer t.mu.Unlock()
	if p == nil || t.asking >= together || time.Since(t.failed) < rest {
		return nil
	}
	t.asking++
	return p
}

// end notes how it went.
func (t *town) end(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asking--
	if err != nil {
		t.failed = time.Now()
	}
}

// answer is what a city said.
type answer[T any] struct {
	*town
	Is  T
	err error
}

// Away reports whether the city did not answer.
func (a answer[T]) Away() bool { return a.err != nil }

// all asks every city at once, and waits for none longer than patience.
func all[T any](ctx context.Context, f *Front, ask func(context.Context, Pages) (T, error)) []answer[T] {
	ctx, enough := context.WithTimeout(ctx, patience)
	defer enough()
	out, wait := make([]answer[T], len(f.towns)), make([]chan answer[T], len(f.towns))
	for n, t := range f.towns {
		out[n] = answer[T]{town: t, err: errAway}
		p := t.begin()
		if p == nil {
			continue
		}
		wait[n] = make(chan answer[T], 1) // so that one that comes too late goes on
		go func() {
			is, err := ask(ctx, p)
			t.end(err)
			wait[n] <- answer[T]{t, is, err}
		}()
	}
	for n, c := range wait {
		if c == nil {
			continue
		}
		select {
		case out[n] = <-c:
		case <-ctx.Done():
			select {
			case out[n] = <-c:
			default:
			}
		}
	}
	return out
}
