package activation

import (
	"context"
	"errors"
	"slices"
	"time"

	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/internal/retry"
	"sluice/policy/rego"
)

// Where machines share their books, one of them at a time takes policies from where they come, as a
// gateway in one process does, and puts them into the books. All take them from there, that one's
// neighbours in the same way as the machine that starts a year later.

// Shared are books that machines share.
type Shared interface {
	// Follow takes over what other machines have written.
	Follow(ctx context.Context) error
	// Known notes that all that stood in them at an instant holds here, or will in time.
	Known(at time.Time)
	// Overtaken notes that something of them holds already, and not here.
	Overtaken()
	// Proposes reports whether it is this machine that puts policies into the books.
	Proposes() bool
}

const (
	// followEvery is how often a machine looks for what others have put into the books.
	followEvery = 500 * time.Millisecond
	// Ahead is how long before it holds a policy is in the books, so that all machines know it by then:
	// each says nothing of windows whose policy it cannot know (StaleAfter), and clocks may be apart by
	// what is left. FirstAhead is that of the first, before which nothing counts.
	Ahead      = 10 * time.Minute
	FirstAhead = 10 * time.Second
	// StaleAfter is how old what a machine knows of the books may be at most for what it says to count.
	StaleAfter = Ahead / 2
)

// Share has policies come from the books that machines share. It is called before Restore.
func (p *Policies) Share(with Shared) { p.shared = with }

// Watch looks for new policies where they come from, until ctx ends.
func (p *Policies) Watch(ctx context.Context) error {
	var next time.Time
	var failure retry.Once
	for pause := time.Duration(0); retry.Sleep(ctx, pause); {
		now := time.Now()
		mine := p.shared == nil
		if !mine {
			if err := (follower{p}).follow(ctx, now); err != nil && ctx.Err() == nil && failure.News(err.Error()) {
				p.log.Error("what other machines have put into the books cannot be taken; it is tried again", "error",
					err)
			} else if err == nil {
				failure.News("")
				p.shared.Known(now)
				mine = p.shared.Proposes()
			}
		}
		if mine && !now.Before(next) {
			next = now.Add(p.source.look(ctx))
		}
		pause = max(0, time.Until(next))
		if p.shared != nil {
			pause = min(pause, followEvery)
			if !mine {
				pause = followEvery
			}
		}
	}
	return nil
}

// follower takes policies from the books that machines share.
type follower struct{ p *Policies }

// since is from when on a version holds that is put into the books now.
func (p *Policies) since(free time.Time) time.Time {
	switch {
	case p.shared == nil:
		return free
	case p.cfg.Simulation && p.taken == 0:
		return time.Time{}
	case p.cfg.Simulation: // whoever drives its clock waits until all have it
		return free
	}
	ahead := Ahead + p.cfg.Windows.Future.Nominal()
	if p.taken == 0 {
		ahead = FirstAhead
	}
	if at := time.Now().Add(ahead).Truncate(time.Second).UTC(); at.After(free) {
		return at
	}
	return free
}

// follow takes what other machines have put into the books until now.
func (f follower) follow(ctx context.Context, now time.Time) error {
	if err := f.p.shared.Follow(ctx); err != nil {
		return err
	}
	n, err := f.p.ledger.Policies.Number(ctx)
	if err != nil || n == f.p.taken {
		return err
	}
	known, err := f.p.ledger.Policies.Versions(ctx)
	if err != nil {
		return err
	}
	// A front that has handed nothing over since its books were old stands there with what it has, and takes no
	// policy before it may go on. So it may as soon as the books are read, where no policy of them holds before
	// they would be old again: what it has was planned long before. Where one does, it may not.
	late := !f.p.cfg.Simulation && slices.ContainsFunc(known[f.p.taken:], func(v ledger.Version) bool {
		return f.p.taken > 0 && v.Since.Before(now.Add(StaleAfter))
	})
	if late {
		f.p.shared.Overtaken()
	} else {
		f.p.shared.Known(now)
	}
	for _, v := range known[f.p.taken:] {
		if err := f.take(ctx, v); err != nil {
			return err
		}
		f.p.taken++
	}
	return nil
}

// take has a version in force that another machine has put into the books.
func (f follower) take(ctx context.Context, v ledger.Version) error {
	if v.Digest == elsewhere {
		_, err := f.p.chain.resume(v.Motion)
		return err
	}
	settle := func(time.Time) (time.Time, error) { return v.Since, nil }
	if v.Digest == none {
		f.p.turn.Lock()
		defer f.p.turn.Unlock()
		if err := f.p.ingest.Enact(ctx, ingest.Version{Digest: none}, settle); err != nil {
			return err
		}
		f.p.setCurrent(nil, nil)
		f.p.changed()
		return nil
	}
	before := f.p.chain.last
	c, _, err := f.p.chain.candidate(v, false)
	if err != nil {
		return err
	}
	if err := f.takeCandidate(ctx, c, v, settle); err != nil {
		f.p.chain.last = before
		return err
	}
	return nil
}

func (f follower) takeCandidate(ctx context.Context, c candidate, v ledger.Version, settle ingest.Settle) error {
	set, err := f.p.planner.compile(ctx, c)
	if err != nil {
		return err
	}
	f.p.turn.Lock()
	defer f.p.turn.Unlock()
	version, err := f.p.plan(ctx, set)
	if err != nil {
		return err
	}
	if err := f.p.ingest.Enact(ctx, version, settle); err != nil {
		return err
	}
	c.raw = v.Motion
	f.p.hold(c, set, v.Since)
	return nil
}

// waits is the version before the first.
func (p *Policies) waits() ingest.Version {
	p.setCurrent(nil, nil)
	p.update(func(v *View) {
		v.Problem = &rego.Problem{Code: rego.NoPolicy, Err: errors.New("there is no policy, so nothing flows")}
	})
	return ingest.Version{Digest: none}
}
