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
	"sluice/policy"
	"sluice/policy/council"
)

// watch looks for new policies where they come from.
func (g *Gateway) watch(ctx context.Context) error {
	if g.inbox == nil {
		return g.watchPolicy(ctx)
	}
	return g.watchInbox(ctx)
}

// letter is a motion file in the inbox, as far as it can be told before it is
// verified.
type letter struct {
	inbox.File
	sum     string
	version int
}

// watchInbox takes motions in the order of their versions. One that is refused
// changes nothing: the policy in force goes on until its decisions' last days.
func (g *Gateway) watchInbox(ctx context.Context) error {
	judged := make(map[string]council.Code) // files that need not be looked at again
	said := ""
	if g.enacted != nil {
		g.layOut(g.enacted) // a crash may have come between
	}
	for first := true; ; first = false {
		files, err := g.inbox.Look(ctx)
		if err == nil {
			said = ""
		} else if ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			g.log.Warn("the inbox cannot be read; the policy in force goes on", "error", err)
		}
		for _, l := range letters(files) {
			if _, done := judged[l.sum]; done {
				continue
			}
			code, final := g.take(ctx, l)
			if ctx.Err() != nil {
				return nil
			}
			if final {
				judged[l.sum] = code
			}
		}
		if first && g.enacted == nil {
			g.log.Warn("no motion is in force yet, so nothing flows", "inbox", g.cfg.Policy.Inbox)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(g.cfg.Policy.Every.Nominal()):
		}
	}
}

// letters sorts files by version, so that several motions that came together are
// taken one after the other.
func letters(files []inbox.File) []letter {
	list := make([]letter, 0, len(files))
	for _, f := range files {
		l := letter{File: f, sum: council.Sum(f.Raw)}
		if parts, err := council.ReadFile(f.Raw); err == nil {
			if m, err := council.ParseMotion(parts[council.TextName]); err == nil {
				l.version = m.Version
			}
		}
		list = append(list, l)
	}
	slices.SortStableFunc(list, func(a, b letter) int { return a.version - b.version })
	return list
}

// take verifies one motion and enacts it. Final says that looking at the same
// file again cannot give another answer.
func (g *Gateway) take(ctx context.Context, l letter) (council.Code, bool) {
	if e := g.enacted; e != nil && l.version == e.Version && council.Sum(g.enactedFile) == l.sum {
		return "", true // it is in force
	}
	v := council.Verifier{Previous: g.enacted, Pin: g.cfg.Policy.pin(), Gateway: g.cfg.Gateway, Now: g.now()}
	e, err := v.Verify(l.Raw)
	if err == nil {
		if err = g.swapMotion(ctx, e, l.Raw); err == nil {
			return "", true
		}
		code := policy.CodeOf(err)
		g.refuseMotion(l, string(code), err)
		// A deadline may have been missed for reasons other than the file.
		return council.Code(code), !slices.Contains([]policy.Code{policy.Timeout, policy.Died, policy.Other}, code)
	}
	code := council.CodeOf(err)
	switch code {
	case council.NotYet:
		g.announce(ctx, e)
		return code, false
	case council.OldVersion:
		if g.wasEnacted(ctx, l.sum) {
			return code, true // an old friend that was left lying
		}
	}
	g.refuseMotion(l, string(code), err)
	return code, code != council.Gap
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

func (g *Gateway) wasEnacted(ctx context.Context, sum string) bool {
	known, err := g.ledger.Versions(ctx)
	return err == nil && slices.ContainsFunc(known, func(v ledger.Version) bool { return council.Sum(v.Motion) == sum })
}

// refuseMotion counts and says why, once for each file and code.
func (g *Gateway) refuseMotion(l letter, code string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := l.sum + code
	if g.refusals[key] {
		return
	}
	g.refusals[key] = true
	g.refused[policy.Code(code)]++
	first, _, _ := strings.Cut(err.Error(), "\n")
	g.log.Error("a motion is refused; the policy in force goes on", "file", l.Name, "code", code, "error", first)
	if g.current == nil {
		g.problem = &policy.Problem{Code: policy.NoPolicy, Err: errors.New("no motion is in force, so nothing flows; the last that came was refused: " + first)}
	}
}

// swapMotion compiles the motion's policy and puts it in force.
func (g *Gateway) swapMotion(ctx context.Context, e *council.Enacted, raw []byte) error {
	set, err := g.own(policy.CompilePolicy(ctx, g.rules, e.Policy))
	if err != nil {
		return err
	}
	v, err := g.version(ctx, set)
	if err != nil {
		return err
	}
	if err := g.enact(ctx, v, ledger.Version{Packed: []byte{}, Motion: raw}); err != nil {
		return err
	}
	g.mu.Lock()
	g.enacted, g.enactedFile, g.coming = e, raw, nil
	g.adopt(set)
	g.mu.Unlock()
	g.log.Info("a motion is in force from each stream's next window on", "motion", e.ID, "version", e.Version, "members", len(e.Ballots), "needed", e.Needed)
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
	if known {
		return
	}
	set, err := g.own(policy.CompilePolicy(ctx, g.rules, e.Policy))
	if err != nil {
		return // said when its time has come
	}
	g.mu.Lock()
	g.coming = &announced{e, set}
	g.mu.Unlock()
	g.log.Info("a motion has its quorum and waits for its time", "motion", e.ID, "version", e.Version, "from", e.NotBefore)
	g.poke()
}

// announced is a motion that takes effect later.
type announced struct {
	motion *council.Enacted
	set    *policy.Set
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
