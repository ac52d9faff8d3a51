package admin

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/brief"
	"sluice/internal/crash"
	"sluice/policy/rego"
)

// What is said of a house in which nobody has decided anything yet: it waits, and nothing
// is broken.
const (
	NoPolicyYet = string(rego.NoPolicy) + ": there is no policy, so nothing flows"
	NoMotionYet = string(rego.NoPolicy) + ": no motion has been enacted yet, so nothing flows"
	MotionWaits = string(rego.NoPolicy) +
		": the first motion has its quorum and waits for its time, so nothing flows"
	NothingDecided = "there is no decision yet, so nothing flows"
	AllToCome      = "no decision is in force yet, so nothing flows; look at from in the decisions, and at the clock"
)

// waits reports whether a part is not ready because something is to come.
func waits(hint string) bool {
	return slices.Contains([]string{NoPolicyYet, NoMotionYet, MotionWaits, NothingDecided, AllToCome}, hint)
}

// Check is one line of /readyz.
type Check struct {
	OK    bool      `json:"ok"`
	Since time.Time `json:"since"`
	Hint  string    `json:"hint"`
}

const (
	// askFor is how long an answer of /readyz waits for its parts, and a part may take
	// before it is said that it does not answer.
	askFor    = time.Second
	noAnswer  = 3 * time.Second
	askEvery  = 2 * time.Second
	lastsLong = 10 * time.Second // a failure that is logged
)

// health asks the parts, beside each other, and keeps what they said. A part that
// hangs holds up nobody: it is not asked a second time, and after a while that is
// what is said of it.
type health struct {
	probes map[string]func(context.Context) string
	log    *slog.Logger

	mu     sync.Mutex
	checks map[string]Check         // guarded by mu
	asked  map[string]time.Time     // since when it has not answered; guarded by mu
	answer map[string]chan struct{} // closed when it has; guarded by mu
	logged map[string]bool          // failures that were logged; of watch
	waited map[string]bool          // what is to come and was logged; of watch
}

func newHealth(probes map[string]func(context.Context) string, log *slog.Logger) *health {
	return &health{
		probes: probes, log: log, checks: make(map[string]Check), asked: make(map[string]time.Time),
		answer: make(map[string]chan struct{}), logged: make(map[string]bool), waited: make(map[string]bool),
	}
}

// ask returns how every part is, within little more than askFor.
func (h *health) ask() map[string]Check {
	h.mu.Lock()
	var wait []chan struct{}
	for name := range h.probes {
		if h.answer[name] == nil {
			h.start(name)
		}
		wait = append(wait, h.answer[name])
	}
	h.mu.Unlock()
	enough := time.After(askFor + askFor/4)
	for _, done := range wait {
		select {
		case <-done:
			continue
		case <-enough:
		}
		break
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, since := range h.asked {
		if d := time.Since(since); d > noAnswer {
			h.note(name, fmt.Sprintf("%s does not answer, for %s; kill -QUIT shows where every part is", name,
				d.Truncate(time.Second)))
		} else if _, known := h.checks[name]; !known {
			h.note(name, name+" has not answered yet")
		}
	}
	return maps.Clone(h.checks)
}

// start asks one part, for who holds mu.
func (h *health) start(name string) {
	done := make(chan struct{})
	h.asked[name], h.answer[name] = time.Now(), done
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), askFor)
		defer cancel()
		hint := ""
		err := crash.Guard(func() error { hint = h.probes[name](ctx); return nil })
		if err != nil {
			hint = "the check has a bug; please report what the log says of it"
			h.log.Error("the check of a part has a bug", "part", name, "error", err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.note(name, hint)
		delete(h.asked, name)
		delete(h.answer, name)
		close(done)
	}()
}

// note keeps an answer, for who holds mu.
func (h *health) note(name, hint string) {
	old, known := h.checks[name]
	if !known || old.OK != (hint == "") {
		old = Check{Since: time.Now().UTC().Truncate(time.Second)}
	}
	old.OK, old.Hint = hint == "", brief.Text(hint) // what a rule or a broker says may be long
	h.checks[name] = old
}

// watch asks again and again until ctx ends, and logs each failure that lasts, once,
// and its end.
func (h *health) watch(ctx context.Context) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for name, c := range h.ask() {
			switch lasts := time.Since(c.Since) >= lastsLong; {
			case !c.OK && lasts && waits(c.Hint):
				if !h.waited[name] {
					h.log.Warn("a part is not ready yet", "part", name, "hint", c.Hint)
				}
				h.waited[name] = true
			case !c.OK && lasts && !h.logged[name]:
				h.logged[name] = true
				h.log.Error("a part does not work, and this lasts", "part", name, "since", c.Since, "hint", c.Hint)
			case c.OK && h.logged[name]:
				delete(h.logged, name)
				h.log.Info("the part works again", "part", name)
			case c.OK && h.waited[name]:
				delete(h.waited, name)
				h.log.Info("the part is ready", "part", name)
			}
		}
	}
}
