package duty

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/lease"
)

// Bucket is the name of the one that a city's leases are in.
const Bucket = "leases"

// hereKey begins the keys of those who are there, whatever they do.
const hereKey = "here."

// Here shows that this member is there, until ctx ends. Nothing depends on it.
func (m *Member) Here(ctx context.Context) {
	m.holding(ctx, hereKey+m.name, func(ctx context.Context) { <-ctx.Done() })
}

// Absent says since when this member, which is to be Here, does not show it, and why: another process of its name has
// that lease (lease.ErrTaken), or nobody answers. The error is nil while it does.
func (m *Member) Absent() (since time.Time, why error) {
	m.absent.mu.Lock()
	defer m.absent.mu.Unlock()
	return m.absent.since, m.absent.why
}

// absence is why a member does not show that it is here.
type absence struct {
	mu    sync.Mutex
	since time.Time // guarded by mu
	why   error     // nil for not; guarded by mu
}

func (a *absence) note(key string, why error) {
	if !strings.HasPrefix(key, hereKey) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.why == nil {
		a.since = time.Now()
	}
	a.why = why
}

// Leases are the keys of a bucket of leases, as engine.Bucket.All reads them.
type Leases map[string][]byte

// Here are those who are there.
func (l Leases) Here() []string { return l.of(hereKey) }

// Sharing are those who share partitions, as lease.Owner wants them.
func (l Leases) Sharing() []string { return l.of(memberKey) }

// Alone is who has a duty that only one has; empty for nobody.
func (l Leases) Alone(what string) string { return lease.Name(l[onlyKey+what]) }

func (l Leases) of(prefix string) []string {
	holders := map[string]bool{}
	for key, text := range l {
		if strings.HasPrefix(key, prefix) {
			holders[lease.Name(text)] = true
		}
	}
	return slices.Sorted(maps.Keys(holders))
}

// Account is what a member has come to since it began.
type Account struct {
	// Held are the leases that it has at this moment, Works what it does under them: partitions and duties.
	Held, Works int64
	// Lost are the leases that it did not give back itself, and Fenced how often somebody else had written.
	Lost, Fenced int64
}

// tally is an Account that is kept.
type tally struct{ held, works, lost, fenced atomic.Int64 }

// ended notes how something ended that was run.
func (t *tally) ended(err error) {
	if errors.Is(err, engine.ErrFenced) {
		t.fenced.Add(1)
	}
}

// Account says it; it may be called by any goroutine.
func (m *Member) Account() Account {
	return Account{m.tally.held.Load(), m.tally.works.Load(), m.tally.lost.Load(), m.tally.fenced.Load()}
}

// Everyone are those who are there now, whatever they do.
func (m *Member) Everyone(ctx context.Context) ([]string, error) {
	all, err := m.bucket.All(ctx)
	return Leases(all).Here(), err
}
