package retry_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/retry"
)

// TestPauses: they double up to the longest, and are short again after a reset; one that
// is only looked at stays.
func TestPauses(t *testing.T) {
	b := retry.Backoff{First: 100 * time.Millisecond, Longest: 500 * time.Millisecond}
	take := func(n int) (out []int) {
		for range n {
			if p := b.Pause(); p != b.Pause() {
				t.Errorf("looking at the pause of %v changes it", p)
			}
			p := b.Pause()
			if took := b.Take(); took != p {
				t.Errorf("the pause is %v; it was said to be %v", took, p)
			}
			out = append(out, int(p/time.Millisecond))
		}
		return out
	}
	if got, want := take(5), []int{100, 200, 400, 500, 500}; !slices.Equal(got, want) {
		t.Errorf("the pauses are %v ms; want %v", got, want)
	}
	b.Reset()
	if got, want := take(2), []int{100, 200}; !slices.Equal(got, want) {
		t.Errorf("after a reset the pauses are %v ms; want %v", got, want)
	}
	if p := (&retry.Backoff{First: time.Hour, Longest: time.Minute}).Take(); p != time.Minute {
		t.Errorf("a pause is %v and longer than the longest", p)
	}
	for range 200 { // doubled without an end it would leave an int64
		if p := b.Take(); p <= 0 || p > b.Longest {
			t.Fatalf("a pause is %v", p)
		}
	}
}

// TestWait keeps exactly the pauses, by a clock that is not the machine's, and ends with its
// context: in the middle of a pause, and before one.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := retry.Backoff{First: time.Second, Longest: 3 * time.Second}
		begun := time.Now()
		for i, want := range []time.Duration{time.Second, 3 * time.Second, 6 * time.Second, 9 * time.Second} {
			if !b.Wait(ctx) || time.Since(begun) != want {
				t.Errorf("attempt %d comes after %v; want %v", i+2, time.Since(begun), want)
			}
		}
		time.AfterFunc(time.Second, cancel)
		if b.Wait(ctx) || time.Since(begun) != 10*time.Second {
			t.Errorf("it waits until %v although its context ends after 10s", time.Since(begun))
		}
		if b.Wait(ctx) || retry.Sleep(ctx, 0) || time.Since(begun) != 10*time.Second {
			t.Error("it waits although its context has ended")
		}
	})
}

// TestNews: the same failure is news once, another one is, and so are its end and its
// coming back.
func TestNews(t *testing.T) {
	var o retry.Once
	for i, c := range []struct {
		why  string
		news bool
	}{{"", false}, {"disk full", true}, {"disk full", false}, {"no file", true}, {"disk full", true}, {"", true},
		{"", false}, {"disk full", true}} {
		if got := o.News(c.why); got != c.news || o.Last() != c.why {
			t.Errorf("%d: %q is news: %v, noted as %q", i, c.why, got, o.Last())
		}
	}
	if o.Forget("no file"); o.Last() != "disk full" {
		t.Error("the end of another failure ends this one")
	}
	if o.Forget("disk full"); o.Last() != "" {
		t.Error("a failure that is over is still noted")
	}
}
