// Package retry spaces out attempts by pauses that grow up to a bound, and logs a lasting
// failure once instead of at every attempt.
package retry

import (
	"context"
	"sync"
	"time"
)

// Backoff is the pauses between attempts: First, and each twice the one before, up to
// Longest. It is for one goroutine. There is no jitter: each of our loops is the only one
// that tries what it tries.
type Backoff struct {
	First, Longest time.Duration
	next           time.Duration // 0 for First
}

// Pause is the pause that is kept next.
func (b *Backoff) Pause() time.Duration { return min(max(b.next, b.First), b.Longest) }

// Take returns the pause that is to be kept now. The next one is twice as long.
func (b *Backoff) Take() time.Duration {
	pause := b.Pause()
	b.next = 2 * pause
	return pause
}

// Wait keeps the next pause. It is false, at once, when ctx ends.
func (b *Backoff) Wait(ctx context.Context) bool { return Sleep(ctx, b.Take()) }

// Reset begins with First again: an attempt has worked.
func (b *Backoff) Reset() { b.next = 0 }

// Sleep waits for so long. It is false, at once, when ctx ends.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// Once tells which failures are news. Its zero value knows of none. It may be used by
// several goroutines.
type Once struct {
	mu   sync.Mutex
	last string // guarded by mu
}

// News notes why the last attempt failed, or empty where it worked, and reports whether
// that is another state than was noted before, which is to be logged.
func (o *Once) News(why string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	was := o.last
	o.last = why
	return was != why
}

// Last returns the text that was noted last.
func (o *Once) Last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// Forget notes that the failure is over where it is still the one that was noted last.
func (o *Once) Forget(why string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == why {
		o.last = ""
	}
}
