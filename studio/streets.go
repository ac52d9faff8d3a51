package studio

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"sluice/policy/bundle"
	"sluice/simulate"
)

// maxStreets bounds the rehearsals that are kept, some 60 MB each at most.
const maxStreets = 4

// streets keeps the rehearsals that were made last, so that a slider waits for none of them. It is
// safe for concurrent use.
type streets struct {
	mu   sync.Mutex
	list []*made // guarded by mu; the one used last is the last
	done atomic.Int64
}

// made is a rehearsal, or why there is none.
type made struct {
	key  string
	once sync.Once
	r    *simulate.Rehearsal
	err  error
}

// percent is how far the one that is being made is.
func (s *streets) percent() int { return int(s.done.Load()) }

// get makes a rehearsal, or finds the one of this decision, policy and street.
func (s *streets) get(
	ctx context.Context, p *bundle.Policy, d *bundle.Decision, street string, sp simulate.Speech,
	tr simulate.Traffic,
) (*simulate.Rehearsal, error) {
	key := fmt.Sprint(p.Files.Digest(), " ", d.Decision, " ", street)
	s.mu.Lock()
	at := slices.IndexFunc(s.list, func(m *made) bool { return m.key == key })
	one := &made{key: key}
	if at >= 0 {
		one = s.list[at]
		s.list = slices.Delete(s.list, at, at+1)
	}
	s.list = append(s.list, one)
	if len(s.list) > maxStreets {
		s.list = slices.Delete(s.list, 0, len(s.list)-maxStreets)
	}
	s.mu.Unlock()
	one.once.Do(func() {
		// Whoever asks next wants it, too, when this one is gone.
		one.r, one.err = simulate.NewRehearsal(context.WithoutCancel(ctx), p, d, tr, sp, func(done, total int) {
			s.done.Store(int64(100 * done / max(1, total)))
		})
	})
	return one.r, one.err
}
