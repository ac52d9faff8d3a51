package activation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sluice/gateway/inbox"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/internal/retry"
	"sluice/policy/council"
	"sluice/policy/rego"
)

// motionFile is a motion in the inbox.
type motionFile struct {
	inbox.File
	sum string
	patience
}

// maxWaiting bounds the motions that wait for their time, or for another try. Each
// has the council's signatures.
const maxWaiting = 8

// motions are what the council has signed, and what has become of it.
type motions struct {
	p       *Policies
	inbox   *inbox.Inbox
	waiting []motionFile    // for their time, or for another try
	refused map[string]bool // refusals that were said
	looked  bool            // at least once
	failure retry.Once      // to read the inbox
}

// first is none: Watch looks for the first motion.
func (m *motions) first(context.Context) (ingest.Version, error) {
	err := &rego.Problem{Code: rego.NoPolicy, Err: errors.New("no motion has been enacted yet, so nothing flows")}
	m.p.update(func(v *View) { v.Problem = err })
	return ingest.Version{}, err
}

// look takes motions, each of which follows the one before. One that is
// refused changes nothing: the policy in force goes on until its decisions' last
// days.
func (m *motions) look(ctx context.Context) time.Duration {
	if e := m.p.View().Enacted; e != nil && !m.looked {
		layOut(m.p.cfg.Dir, e, m.p.log) // a crash may have come between
	}
	before := m.p.chain.hash()
	err := m.lookThrough(ctx)
	switch {
	case ctx.Err() != nil:
		return 0
	case err == nil:
		m.failure.News("")
	case m.failure.News(err.Error()):
		m.p.log.Warn("the inbox cannot be read; the policy in force goes on", "error", err)
	}
	if m.p.chain.hash() != before {
		m.looked = true
		return 0 // what follows may have been there already
	}
	if !m.looked && m.p.View().Enacted == nil {
		m.p.log.Warn("no motion is in force yet, so nothing flows", "inbox", m.p.cfg.Policy.Inbox)
	}
	m.looked = true
	return m.p.cfg.Policy.Every.Nominal()
}

// lookThrough judges what waits and what is new. That a motion does not follow the
// chain is said only when the chain has not moved meanwhile.
func (m *motions) lookThrough(ctx context.Context) error {
	before := m.p.chain.hash()
	waiting := m.waiting
	m.waiting = nil
	for _, l := range waiting {
		if l.due(m.now()) {
			_, _ = m.judge(ctx, l)
		} else {
			m.wait(l)
		}
	}
	var gaps []func()
	err := m.inbox.Each(ctx, m.p.chain.hash, func(f inbox.File) inbox.Verdict {
		verdict, gap := m.judge(ctx, motionFile{File: f, sum: council.Sum(f.Raw)})
		if gap != nil {
			gaps = append(gaps, gap)
		}
		return verdict
	})
	if m.p.chain.hash() == before {
		for _, say := range gaps {
			say()
		}
	}
	return err
}

func (m *motions) wait(l motionFile) {
	if len(m.waiting) < maxWaiting {
		m.waiting = append(m.waiting, l)
	}
}

// judge verifies one motion and enacts it, follows it, or says why not. A motion
// that does not follow the chain waits for the chain to move; how to say so is
// returned.
func (m *motions) judge(ctx context.Context, l motionFile) (verdict inbox.Verdict, gap func()) {
	if m.p.chain.taken[l.sum] {
		return inbox.Settled, nil // it is in force, or was
	}
	v := m.verifier(ctx)
	v.Now = m.now()
	e, err := v.Verify(l.Raw)
	code := council.CodeOf(err)
	if err == nil {
		if err = m.p.activate(ctx, candidate{motion: e, raw: l.Raw}); err == nil {
			return inbox.Settled, nil
		}
		code = council.Code(rego.CodeOf(err))
	}
	switch {
	case ctx.Err() != nil:
		return inbox.Waiting, nil
	case code == council.NotYet:
		m.announce(ctx, e)
		l.next = e.NotBefore
		m.wait(l)
	case code == council.OtherGateway && e != nil:
		if err := m.follow(ctx, e, l.Raw); err != nil {
			m.refuse(l, string(rego.Other), err)
			return inbox.Waiting, nil
		}
	case code == council.Gap:
		return inbox.Waiting, func() { m.refuse(l, string(code), err) }
	case code == council.Code(rego.Other): // of the disk, say
		m.refuse(l, string(code), err)
		l.hold(m.now())
		m.wait(l)
	case overloaded(err):
		m.refuse(l, string(code), err)
		if l.miss(m.now()) > 0 {
			m.wait(l)
		}
	default:
		m.refuse(l, string(code), err)
	}
	return inbox.Settled, nil
}

// verifier is what this gateway knows by itself; the time is still to be set.
func (m *motions) verifier(ctx context.Context) council.Verifier {
	return council.Verifier{
		Previous: m.p.chain.last, Pin: m.p.cfg.Policy.Pin(), Gateway: m.p.cfg.Gateway,
		Taste: func(packed []byte) error { return m.p.planner.rules.Taste(ctx, packed) },
	}
}

// overloaded reports an error that may be the machine's and not the motion's.
func overloaded(err error) bool {
	var p *rego.Problem
	return errors.As(err, &p) && slices.Contains([]rego.Code{rego.Timeout, rego.Died}, p.Code)
}

// elsewhere stands, in the ledger, for the policy of a motion for other gateways.
const elsewhere = "elsewhere"

// follow goes on from a motion for other gateways: the next one follows it, and
// the roster that votes is its roster. The policy here stays as it is.
func (m *motions) follow(ctx context.Context, e *council.Enacted, raw []byte) error {
	passed := ledger.Version{Digest: elsewhere, Packed: []byte{}, Motion: raw}
	if err := m.p.enter(ctx, passed); err != nil {
		return err
	}
	sayOvertaken(m.p.View().Coming, e, m.p.log)
	m.p.update(func(v *View) { v.Coming = nil })
	m.p.chain.follow(e, raw)
	m.p.log.Info("a motion is in force at other gateways; the policy here stays", "motion", e.ID, "version", e.Version)
	return nil
}

// maxLogged bounds what is remembered of refusals, so that each is said once.
const maxLogged = 10_000

// refuse counts and says why, once for each file and code.
func (m *motions) refuse(l motionFile, code string, err error) {
	key := l.sum + code
	if m.refused[key] {
		return
	}
	if len(m.refused) >= maxLogged {
		clear(m.refused)
	}
	m.refused[key] = true
	m.p.count(rego.Code(code))
	first, _, _ := strings.Cut(err.Error(), "\n")
	m.p.log.Error("a motion is refused; the policy in force goes on", "file", l.Name, "code", code, "error", first)
	if !m.p.View().Running() {
		none := &rego.Problem{Code: rego.NoPolicy,
			Err: errors.New("no motion is in force, so nothing flows; the last that came was refused: " + first)}
		m.p.update(func(v *View) { v.Problem = none })
	}
}

// FirstWaits is said while nothing has ever been in force and the first motion is to come.
const FirstWaits = "the first motion has its quorum and waits for its time, so nothing flows"

// announce keeps a motion whose time has not come, so that residents can read it
// before it takes effect.
func (m *motions) announce(ctx context.Context, e *council.Enacted) {
	coming := m.p.View().Coming
	if coming != nil && coming.Motion.Hash == e.Hash || !e.For(m.p.cfg.Gateway) {
		return
	}
	set, err := m.p.planner.compile(ctx, candidate{motion: e})
	if err != nil {
		return // said when its time has come
	}
	m.p.update(func(v *View) {
		v.Coming = &Announced{Motion: e, Set: set}
		if v.Latest == nil {
			v.Problem = &rego.Problem{Code: rego.NoPolicy, Err: errors.New(FirstWaits)}
		}
	})
	m.p.log.Info("a motion has its quorum and waits for its time", "motion", e.ID, "version", e.Version,
		"from", e.NotBefore)
	m.p.changed()
}

// now is the time by which motions are judged: wall time, in which councils work,
// or a simulation's clock where it is ahead.
func (m *motions) now() time.Time {
	now := time.Now()
	if t := m.p.ingest.Report().Now; m.p.cfg.Time.Topic != "" && t.After(now) {
		return t
	}
	return now
}
