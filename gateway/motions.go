package gateway

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/gateway/inbox"
	"sluice/gateway/ledger"
	"sluice/internal/retry"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/rego"
)

// watch looks for new policies where they come from.
func (g *Gateway) watch(ctx context.Context) error {
	if g.inbox == nil {
		return g.watchPolicy(ctx)
	}
	return g.watchInbox(ctx)
}

// letter is a motion file in the inbox.
type letter struct {
	inbox.File
	sum string
	patience
}

// maxWaiting bounds the motions that wait for their time, or for another try. Each
// has the council's signatures.
const maxWaiting = 8

// watchInbox takes motions, each of which follows the one before. One that is
// refused changes nothing: the policy in force goes on until its decisions' last
// days.
func (g *Gateway) watchInbox(ctx context.Context) error {
	var failure retry.Once
	if g.enacted != nil {
		g.layOut(g.enacted) // a crash may have come between
	}
	for first := true; ; first = false {
		before := g.chain()
		err := g.lookThrough(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			failure.News("")
		case failure.News(err.Error()):
			g.log.Warn("the inbox cannot be read; the policy in force goes on", "error", err)
		}
		if g.chain() != before {
			continue // what follows may have been there already
		}
		if first && g.enacted == nil {
			g.log.Warn("no motion is in force yet, so nothing flows", "inbox", g.cfg.Policy.Inbox)
		}
		if !retry.Sleep(ctx, g.cfg.Policy.Every.Nominal()) {
			return nil
		}
	}
}

// chain is where the chain of motions is: the hash of the last one.
func (g *Gateway) chain() string {
	if g.last == nil {
		return ""
	}
	return g.last.Hash
}

// lookThrough judges what waits and what is new. That a motion does not follow the
// chain is said only when the chain has not moved meanwhile.
func (g *Gateway) lookThrough(ctx context.Context) error {
	before := g.chain()
	waiting := g.waiting
	g.waiting = nil
	for _, l := range waiting {
		if l.due(g.now()) {
			_, _ = g.judge(ctx, l)
		} else {
			g.wait(l)
		}
	}
	var gaps []func()
	err := g.inbox.Each(ctx, g.chain, func(f inbox.File) inbox.Verdict {
		verdict, gap := g.judge(ctx, letter{File: f, sum: council.Sum(f.Raw)})
		if gap != nil {
			gaps = append(gaps, gap)
		}
		return verdict
	})
	if g.chain() == before {
		for _, say := range gaps {
			say()
		}
	}
	return err
}

func (g *Gateway) wait(l letter) {
	if len(g.waiting) < maxWaiting {
		g.waiting = append(g.waiting, l)
	}
}

// judge verifies one motion and enacts it, follows it, or says why not. A motion
// that does not follow the chain waits for the chain to move; how to say so is
// returned.
func (g *Gateway) judge(ctx context.Context, l letter) (verdict inbox.Verdict, gap func()) {
	if g.taken[l.sum] {
		return inbox.Settled, nil // it is in force, or was
	}
	v := g.verifier(ctx)
	v.Now = g.now()
	e, err := v.Verify(l.Raw)
	code := council.CodeOf(err)
	if err == nil {
		if err = g.swapMotion(ctx, e, l.Raw); err == nil {
			return inbox.Settled, nil
		}
		code = council.Code(rego.CodeOf(err))
	}
	switch {
	case ctx.Err() != nil:
		return inbox.Waiting, nil
	case code == council.NotYet:
		g.announce(ctx, e)
		l.next = e.NotBefore
		g.wait(l)
	case code == council.OtherGateway && e != nil:
		if err := g.follow(ctx, e, l.Raw); err != nil {
			g.refuseMotion(l, string(rego.Other), err)
			return inbox.Waiting, nil
		}
	case code == council.Gap:
		return inbox.Waiting, func() { g.refuseMotion(l, string(code), err) }
	case code == council.Code(rego.Other): // of the disk, say
		g.refuseMotion(l, string(code), err)
		l.hold(g.now())
		g.wait(l)
	case hurried(err):
		g.refuseMotion(l, string(code), err)
		if l.miss(g.now()) > 0 {
			g.wait(l)
		}
	default:
		g.refuseMotion(l, string(code), err)
	}
	return inbox.Settled, nil
}

// verifier is what this gateway knows by itself; the time is still to be set.
func (g *Gateway) verifier(ctx context.Context) council.Verifier {
	return council.Verifier{
		Previous: g.last, Pin: g.cfg.Policy.Pin(), Gateway: g.cfg.Gateway,
		Taste: func(packed []byte) error { return g.rules.Taste(ctx, packed) },
	}
}

// hurried reports an error that may be the machine's and not the motion's.
func hurried(err error) bool {
	var p *rego.Problem
	return errors.As(err, &p) && slices.Contains([]rego.Code{rego.Timeout, rego.Died}, p.Code)
}

// now is the time by which motions are judged: wall time, in which councils work,
// or a simulation's clock where it is ahead.
func (g *Gateway) now() time.Time {
	now := time.Now()
	if t := g.ingest.Report().Now; g.cfg.Time.Topic != "" && t.After(now) {
		return t
	}
	return now
}

// elsewhere stands, in the ledger, for the policy of a motion for other gateways.
const elsewhere = "elsewhere"

// follow goes on from a motion for other gateways: the next one follows it, and
// the roster that votes is its roster. The policy here stays as it is.
func (g *Gateway) follow(ctx context.Context, e *council.Enacted, raw []byte) error {
	if err := g.ledger.Enact(ctx, ledger.Version{Digest: elsewhere, Packed: []byte{}, Motion: raw}); err != nil {
		return err
	}
	g.overtaken(e)
	g.mu.Lock()
	g.coming = nil
	g.mu.Unlock()
	g.last = e
	g.taken[council.Sum(raw)] = true
	g.log.Info("a motion is in force at other gateways; the policy here stays", "motion", e.ID, "version", e.Version)
	return nil
}

// maxSaid bounds what is remembered of refusals, so that each is said once.
const maxSaid = 10_000

// refuseMotion counts and says why, once for each file and code.
func (g *Gateway) refuseMotion(l letter, code string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := l.sum + code
	if g.refusals[key] {
		return
	}
	if len(g.refusals) >= maxSaid {
		clear(g.refusals)
	}
	g.refusals[key] = true
	g.refused[rego.Code(code)]++
	first, _, _ := strings.Cut(err.Error(), "\n")
	g.log.Error("a motion is refused; the policy in force goes on", "file", l.Name, "code", code, "error", first)
	if g.current == nil {
		g.problem = &rego.Problem{Code: rego.NoPolicy, Err: errors.New("no motion is in force, so nothing flows; the last that came was refused: " + first)}
	}
}

// swapMotion compiles the motion's policy and puts it in force.
func (g *Gateway) swapMotion(ctx context.Context, e *council.Enacted, raw []byte) error {
	set, err := g.own(compile.Policy(ctx, g.rules, e.Policy))
	if err != nil {
		return err
	}
	g.turn.Lock()
	defer g.turn.Unlock()
	v, err := g.version(ctx, set)
	if err != nil {
		return err
	}
	since, err := g.enact(ctx, v, ledger.Version{Packed: []byte{}, Motion: raw})
	if err != nil {
		return err
	}
	g.overtaken(e)
	g.mu.Lock()
	g.enacted, g.coming = e, nil
	g.adopt(set)
	g.mu.Unlock()
	g.last = e
	g.taken[council.Sum(raw)] = true
	g.log.Info("a motion is in force from each stream's next window on", "motion", e.ID, "version", e.Version, "from", since, "members", len(e.Ballots), "needed", e.Needed)
	g.layOut(e)
	g.poke()
	return nil
}

// announce keeps a motion whose time has not come, so that residents can read it
// before it takes effect.
func (g *Gateway) announce(ctx context.Context, e *council.Enacted) {
	g.mu.Lock()
	known := g.coming != nil && g.coming.motion.Hash == e.Hash
	g.mu.Unlock()
	if known || !e.For(g.cfg.Gateway) {
		return
	}
	set, err := g.own(compile.Policy(ctx, g.rules, e.Policy))
	if err != nil {
		return // said when its time has come
	}
	g.mu.Lock()
	g.coming = &announced{e, set}
	g.mu.Unlock()
	g.log.Info("a motion has its quorum and waits for its time", "motion", e.ID, "version", e.Version, "from", e.NotBefore)
	g.poke()
}

// overtaken says that a motion which waited for its time is void, since another one
// has taken its place.
func (g *Gateway) overtaken(by *council.Enacted) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.coming != nil && g.coming.motion.Hash != by.Hash {
		g.log.Warn("a motion that waited for its time is void: another one has taken its place", "motion", g.coming.motion.ID, "by", by.ID, "hint", "put it to the vote anew")
	}
}

// announced is a motion that takes effect later.
type announced struct {
	motion *council.Enacted
	set    *compile.Set
}

// layOut puts the motion in force under policy/VERSION/ of the state directory,
// for people to read; what runs is what the ledger has.
func (g *Gateway) layOut(e *council.Enacted) {
	base := filepath.Join(g.cfg.Dir, "policy")
	to := filepath.Join(base, strconv.Itoa(e.Version))
	write := func(name string, raw []byte) error {
		path := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, raw, 0o644)
	}
	errs := []error{e.Policy.Files.Write(to), write(council.TextName, e.Text), write(council.BundleName, e.Packed), write(council.SignersName, e.Signers)}
	for _, b := range e.Ballots {
		errs = append(errs, write(council.BallotsName+b.Member+".sig", b.Raw))
	}
	part := filepath.Join(base, "current.part")
	errs = append(errs, os.WriteFile(part, []byte(strconv.Itoa(e.Version)+"\n"), 0o644), os.Rename(part, filepath.Join(base, "current")))
	if err := errors.Join(errs...); err != nil {
		g.log.Warn("the policy in force cannot be laid out for reading", "error", err)
	}
}
