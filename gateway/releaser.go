package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sluice/gateway/activation"
	"sluice/gateway/release"
	"sluice/gateway/rollback"
	"sluice/internal/retry"
)

// slowRelease is how long one release may take before it is said.
const slowRelease = 30 * time.Second

// releaser makes each batch public or says for ever that it is withheld, and tries until
// that is durable.
type releaser struct {
	log      *slog.Logger
	publish  *release.Publisher
	policies *activation.Policies
	guard    *rollback.Guard
	changed  func()     // the public books have something new
	stalled  retry.Once // why releasing stands still

	mu      sync.Mutex
	closing time.Time // since when a window is being released; zero for none; guarded by mu
}

// run releases batches and says which are done, until ctx ends.
func (r *releaser) run(ctx context.Context, batches <-chan release.Batch, done chan<- release.Key) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case b := <-batches:
			if err := r.one(ctx, b); err != nil {
				return nil // ctx ended; the window is still in the checkpoint
			}
			select {
			case done <- b.Key():
			case <-ctx.Done():
				return nil
			}
		}
	}
}

func (r *releaser) one(ctx context.Context, b release.Batch) error {
	r.closes(time.Now())
	defer r.closes(time.Time{})
	rules := r.policies.ReleaseRules(b.Policy())
	charter := release.Charter{EpsilonPerDay: rules.Charter.EpsilonPerDay}
	pauses := retry.Backoff{First: 50 * time.Millisecond, Longest: 5 * time.Second}
	for {
		err := r.guard.Check(ctx)
		if err == nil {
			err = r.publish.Publish(ctx, b, charter, rules)
		}
		if err == nil {
			r.guard.SaveHead(ctx)
			if r.stalled.News("") {
				r.log.Info("windows are released again")
			}
			r.changed()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.stalled.News(err.Error()) {
			r.log.Error("a window cannot be released yet; it is tried again, and windows wait for it", "error", err)
		}
		if !pauses.Wait(ctx) {
			return ctx.Err()
		}
	}
}

// closes notes since when a window is being released; the zero time for none.
func (r *releaser) closes(since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closing = since
}

// problem says why windows are not released; empty while they are.
func (r *releaser) problem() string {
	if why := r.stalled.Last(); why != "" {
		return "a window cannot be released: " + why
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := time.Since(r.closing); !r.closing.IsZero() && d > slowRelease {
		return fmt.Sprintf("the release of a window has taken %s and goes on; kill -QUIT shows where",
			d.Truncate(time.Second))
	}
	return ""
}
