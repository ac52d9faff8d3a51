package front

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
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
	turns chan struct{} // one for each that asks
	late  atomic.Int64  // of those, whom nobody waits for any more

	mu     sync.Mutex
	failed time.Time // when it last did not answer; guarded by mu
}

// errAway means that a city cannot be asked just now.
var errAway = errors.New("the city does not answer")

// rests reports whether it did not answer a moment ago.
func (t *town) rests() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Since(t.failed) < rest
}

// begin waits for a turn to ask; false where none comes: what is busy only is not away.
func (t *town) begin(ctx context.Context) bool {
	select {
	case t.turns <- struct{}{}:
		return true
	default:
	}
	if t.late.Load() >= together {
		return false
	}
	select {
	case t.turns <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// end notes how it went.
func (t *town) end(failed bool) {
	<-t.turns
	t.mu.Lock()
	defer t.mu.Unlock()
	if failed {
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
		p := t.Pages()
		if p == nil || t.rests() {
			continue
		}
		wait[n] = make(chan answer[T], 1) // so that one that comes too late goes on
		go func() {
			if !t.begin(ctx) {
				wait[n] <- answer[T]{town: t, err: errAway}
				return
			}
			intime := context.AfterFunc(ctx, func() { t.late.Add(1) })
			asked := time.Now()
			is, err := ask(ctx, p)
			if !intime() {
				t.late.Add(-1)
			}
			t.end(err != nil && (ctx.Err() == nil || time.Since(asked) > patience/2)) // else it had no time
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
