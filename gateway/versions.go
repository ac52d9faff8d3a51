package gateway

import (
	"context"
	"time"

	"sluice/gateway/homes"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/council"
)

// A gateway keeps every policy that was ever in force, and after some years there are
// many. The rules are asked about those only that something which is open may have run
// under: the answers cost a start more than all else. Of the others the words are read,
// for what is known of them for ever: which kinds stood for homes, and who voted.

// latest is how many versions are compiled whatever is open.
const latestVersions = 3

// need is what an earlier version may still be needed for.
type need struct {
	held   time.Time            // when the oldest window or epoch began that has a key; zero for none
	resume map[string]time.Time // by stream, where its last released window ended
}

func (g *Gateway) needs(ctx context.Context, keys string) (n need, err error) {
	if n.resume, err = g.ledger.Resume(ctx); err != nil {
		return n, err
	}
	n.held, err = ingest.Oldest(keys)
	return n, err
}

// over reports whether everything is released that can have run under a policy, which
// was in force until then: no window or epoch of its time has a key, and each of its
// streams has come further. A stream that has never released anything has nothing to
// be released but what has a key.
func (n need) over(p *bundle.Policy, until time.Time) bool {
	if until.IsZero() || !n.held.IsZero() && n.held.Before(until) {
		return false
	}
	for i := range p.Decisions {
		s := p.Decisions[i].Stream
		if s == nil {
			return false
		}
		if at, released := n.resume[s.ID]; released && at.Before(until) && s.InForce(at) {
			return false
		}
	}
	return true
}

// untils is, for each version, when the next one came into force; zero for the latest
// and for those that are compiled whatever is open.
func untils(known []ledger.Version) []time.Time {
	out := make([]time.Time, len(known))
	after := 0 // versions of ours that came later
	var since time.Time
	for n := len(known) - 1; n >= 0; n-- {
		if known[n].Digest == elsewhere {
			continue
		}
		if after >= latestVersions {
			out[n] = since
		}
		since = known[n].Since
		after++
	}
	return out
}

// reopen reads a version that ran before, and compiles it where it is needed; past says
// that it is not.
func (g *Gateway) reopen(ctx context.Context, v ledger.Version, n need, until time.Time) (set *compile.Set, past bool, err error) {
	var p *bundle.Policy
	if len(v.Motion) == 0 {
		files, err := bundle.Unpack(v.Packed)
		if err != nil {
			return nil, false, err
		}
		if until.IsZero() {
			set, err = g.own(compile.Files(ctx, g.rules, files))
			return set, false, err
		}
		if p, err = bundle.Read(files); err != nil {
			return nil, false, err
		}
	} else {
		e, err := council.Reopen(v.Motion, g.last)
		if err != nil {
			return nil, false, err
		}
		g.enacted, g.last = e, e
		g.taken[council.Sum(v.Motion)] = true
		p = e.Policy
	}
	if n.over(p, until) {
		return compile.Words(p), true, nil
	}
	set, err = g.own(compile.Policy(ctx, g.rules, p))
	return set, false, err
}

// earlier is a version that ran before, for ingest.
func (g *Gateway) earlier(ctx context.Context, v ledger.Version, n need, until time.Time) (ingest.Version, error) {
	if v.Digest == none {
		g.adopted(nil)
		return ingest.Version{Digest: none, Since: v.Since}, nil
	}
	set, past, err := g.reopen(ctx, v, n, until)
	if err != nil {
		return ingest.Version{}, err
	}
	var version ingest.Version
	if past {
		version = ingest.Version{Past: true, Digest: set.Digest, Kinds: set.Kinds, Location: set.Location, Homes: homes.Of(set)}
		g.know(set)
	} else {
		version, err = g.version(ctx, set)
	}
	version.Since = v.Since
	g.adopted(set)
	return version, err
}

// know keeps the words of a version that nothing runs under any more.
func (g *Gateway) know(set *compile.Set) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sets[set.Digest] = set
}
