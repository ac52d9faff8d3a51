package activation

import (
	"context"
	"errors"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/homes"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/bundle"
	"sluice/policy/compile"
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

// needs asks what is open; keys is the directory of keys.
func needs(ctx context.Context, l *ledger.Ledger, keys string) (n need, err error) {
	if n.resume, err = l.Journal.Resume(ctx); err != nil {
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

// Restore reads all versions, compiles those that open windows may have run under, or the
// one in the directory now; keys is the directory of keys, empty for memory. A directory
// that cannot be used lets nothing flow.
func (p *Policies) Restore(ctx context.Context, keys string) ([]ingest.Version, error) {
	known, err := p.ledger.Policies.Versions(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkSignedness(known, p.cfg.Policy.Signed()); err != nil {
		return nil, err
	}
	need, err := needs(ctx, p.ledger, keys)
	if err != nil {
		return nil, err
	}
	var versions []ingest.Version
	p.taken = len(known)
	until := untils(known)
	for n, v := range known {
		if v.Digest == elsewhere {
			if _, err := p.chain.resume(v.Motion); err != nil {
				return nil, config.Refuse("an earlier motion cannot be read any more: %w", err)
			}
			continue
		}
		version, err := p.restore(ctx, v, need, until[n])
		if err != nil {
			return nil, config.Refuse("an earlier policy, which open windows may need, cannot be used any more: %w",
				err)
		}
		versions = append(versions, version)
	}
	if len(versions) > 0 {
		return versions, nil // Watch looks whether there is another
	}
	if p.shared != nil && !p.cfg.Policy.Signed() { // one machine puts the first one into the books
		return []ingest.Version{p.waits()}, nil
	}
	version, err := p.source.first(ctx)
	var refusal *config.Refusal
	if errors.As(err, &refusal) {
		return nil, err
	}
	if err != nil {
		p.setCurrent(nil, nil)
		version = ingest.Version{Digest: none}
	}
	return []ingest.Version{version}, nil
}

// checkSignedness refuses a state directory in which signed and unsigned policies would
// mix; configured is whether the gateway takes signed ones.
func checkSignedness(known []ledger.Version, configured bool) error {
	for _, v := range known {
		switch signed := len(v.Motion) > 0; {
		case v.Digest == none:
		case signed && !configured:
			return config.Refuse("this state directory runs a policy that the council signed; an unsigned directory " +
				"needs a state directory of its own")
		case !signed && configured:
			return config.Refuse("this state directory has run an unsigned policy in a simulation; signed policies " +
				"need a state directory of their own")
		}
	}
	return nil
}

// restore is a version that ran before, for ingest.
func (p *Policies) restore(
	ctx context.Context, v ledger.Version, n need, until time.Time,
) (version ingest.Version, err error) {
	if v.Digest == none {
		p.setCurrent(nil, nil)
		return ingest.Version{Digest: none, Since: v.Since}, nil
	}
	c, words, err := p.chain.candidate(v, !until.IsZero())
	if err != nil {
		return version, err
	}
	var set *compile.Set
	if words != nil && n.over(words, until) { // nothing runs under it any more
		set = compile.Words(words)
		version = ingest.Version{Past: true, Digest: set.Digest, Kinds: set.Kinds, Location: set.Location,
			Homes: homes.Of(set)}
		p.update(func(view *View) { view.Sets = with(view.Sets, set.Digest, set) })
	} else {
		if set, err = p.planner.compile(ctx, c); err != nil {
			return version, err
		}
		version, err = p.plan(ctx, set)
	}
	version.Since = v.Since
	p.setCurrent(set, c.motion)
	return version, err
}

// candidate reads a version that ran before: the candidate that it was, and its words where
// they are known or wanted.
func (ch *chain) candidate(v ledger.Version, wanted bool) (c candidate, words *bundle.Policy, err error) {
	if len(v.Motion) > 0 {
		if c.motion, err = ch.resume(v.Motion); err != nil {
			return c, nil, err
		}
		return c, c.motion.Policy, nil
	}
	if c.files, err = bundle.Unpack(v.Packed); err != nil || !wanted {
		return c, nil, err
	}
	words, err = bundle.Read(c.files)
	return c, words, err
}
