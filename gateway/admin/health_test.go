package admin

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestAPartThatHangs: health is answered in time, says which part it is, and asks it no
// second time.
func TestAPartThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked, release := 0, make(chan struct{})
		h := newHealth(map[string]func(context.Context) string{
			"ledger": func(context.Context) string { mu.Lock(); asked++; mu.Unlock(); <-release; return "" },
			"broker": func(context.Context) string { return "nobody answers" },
			"clock":  func(context.Context) string { return "" },
		}, slog.New(slog.DiscardHandler))
		begun := time.Now()
		checks := h.ask()
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("an answer took %s", took)
		}
		if checks["ledger"].OK || checks["broker"].OK || !checks["clock"].OK {
			t.Errorf("at first it says %+v", checks)
		}
		time.Sleep(noAnswer)
		begun = time.Now()
		checks = h.ask()
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("another answer took %s", took)
		}
		if hint := checks["ledger"].Hint; !strings.Contains(hint, "ledger does not answer, for") {
			t.Errorf("of a part that hangs it says %q", hint)
		}
		mu.Lock()
		if asked != 1 {
			t.Errorf("a part that hangs was asked %d times", asked)
		}
		mu.Unlock()
		close(release)
		synctest.Wait()
		if c := h.ask()["ledger"]; !c.OK {
			t.Errorf("it has answered, and %q is said", c.Hint)
		}
	})
}

// TestAFailureThatLasts: it is logged once, and its end; since is when it began.
func TestAFailureThatLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		hint := ""
		say := func(s string) { mu.Lock(); hint = s; mu.Unlock() }
		var log bytes.Buffer
		check := func(context.Context) string { mu.Lock(); defer mu.Unlock(); return hint }
		h := newHealth(map[string]func(context.Context) string{"disk": check},
			slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = h.watch(ctx) }()
		time.Sleep(5 * time.Second)
		say("no room")
		time.Sleep(5 * time.Second)
		say("")
		time.Sleep(5 * time.Second)
		if log.Len() > 0 {
			t.Errorf("a short failure was logged: %s", &log)
		}
		began := time.Now()
		say("no room")
		time.Sleep(60 * time.Second)
		since := h.ask()["disk"].Since
		say("no room yet")
		time.Sleep(60 * time.Second)
		if again := h.ask()["disk"].Since; !again.Equal(since) || since.Sub(began).Abs() > 3*time.Second {
			t.Errorf("it is since %s, and then since %s; it began at %s", since, again, began)
		}
		say("")
		time.Sleep(60 * time.Second)
		cancel()
		<-ended
		if n, m := strings.Count(log.String(), "level=ERROR"), strings.Count(log.String(), "level=INFO"); n != 1 ||
			m != 1 {
			t.Errorf("%d errors and %d ends were logged; want one of each:\n%s", n, m, &log)
		}
	})
}

// TestAHouseThatWaits: before anything is voted nothing is broken, which the log says once;
// what breaks then is an error all the same.
func TestAHouseThatWaits(t *testing.T) {
	for _, first := range []string{NoPolicyYet, NoMotionYet, MotionWaits, NothingDecided, AllToCome} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			hint := first
			say := func(s string) { mu.Lock(); hint = s; mu.Unlock() }
			var log bytes.Buffer
			check := func(context.Context) string { mu.Lock(); defer mu.Unlock(); return hint }
			h := newHealth(map[string]func(context.Context) string{"policy": check},
				slog.New(slog.NewTextHandler(&log, nil)))
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { defer close(ended); _ = h.watch(ctx) }()
			time.Sleep(time.Minute)
			synctest.Wait() // the watch wakes at the same instant
			if n := strings.Count(log.String(), "level="); n != 1 || strings.Count(log.String(), "level=WARN") != 1 {
				t.Errorf("of a house that waits the log says\n%s", &log)
			}
			say("the policy directory cannot be used")
			time.Sleep(time.Minute)
			synctest.Wait() // the watch wakes at the same instant
			say("")
			time.Sleep(time.Minute)
			synctest.Wait() // the watch wakes at the same instant
			cancel()
			<-ended
			if n, m := strings.Count(log.String(), "level=ERROR"), strings.Count(log.String(), "works again"); n != 1 ||
				m != 1 {
				t.Errorf("%d errors and %d ends were logged; want one of each:\n%s", n, m, &log)
			}
		})
	}
}
