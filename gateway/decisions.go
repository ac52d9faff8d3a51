package gateway

import (
	"context"
	"path"
	"strings"
	"time"

	"sluice/books"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/diff"
	"sluice/policy/explain"
)

// writeDecisions writes what residents may know of each decision: in force,
// coming, and, from what was written before, past. The texts and the votes are
// those of the motion that gave the decision its present words.
func (g *Gateway) writeDecisions(ctx context.Context, set *compile.Set, running bool, vote voted) error {
	now := g.clock()
	before, err := g.decided(ctx)
	if err != nil {
		return err
	}
	known := make(map[string]books.Decision)
	for _, d := range before {
		known[d.ID] = d
	}
	enacted, coming := vote.enacted, vote.coming
	list := []books.Decision{}
	listed := make(map[string]bool)
	for i := range set.Decisions {
		d := &set.Decisions[i]
		b, err := g.decisionBook(ctx, set, d, enacted, known[d.Decision])
		if err != nil {
			return err
		}
		stand(&b, set, d, running, known[d.Decision], now)
		if coming != nil {
			b.Next = coming.next(d)
		}
		list, listed[b.ID] = append(list, b), true
	}
	if coming != nil {
		for i := range coming.set.Decisions {
			d := &coming.set.Decisions[i]
			if listed[d.Decision] {
				continue // its present words are in force, and Next says how they will change
			}
			b, err := g.decisionBook(ctx, coming.set, d, coming.motion, known[d.Decision])
			if err != nil {
				return err
			}
			b.State, b.Since = books.Coming, max(d.From.String(), dayOf(coming.set, coming.motion.NotBefore))
			list, listed[b.ID] = append(list, b), true
		}
	}
	for _, d := range before {
		if !listed[d.ID] {
			list = append(list, gone(d, dayOf(set, now)))
		}
	}
	raw, err := books.JSON(list)
	if err != nil {
		return err
	}
	g.stood = list
	return g.keep(ctx, decisionsName, raw)
}

// voted are the motion in force and the one that waits for its time; nil for none.
type voted struct {
	enacted *council.Enacted
	coming  *announced
}

// clock is the gateway's time; wall time before its first tick.
func (g *Gateway) clock() time.Time {
	if t := g.ingest.Report().Now; !t.IsZero() {
		return t
	}
	return time.Now()
}

// next is what the announced motion will change of a decision; nil for nothing.
func (a *announced) next(d *bundle.Decision) *books.Next {
	n := &books.Next{Motion: a.motion.ID, From: a.motion.NotBefore, Changes: make(map[string][]string)}
	for _, c := range a.motion.Changes {
		renamed := c.Key == "renamed" && c.Old[0] == d.Decision
		if c.About != d.Decision && !renamed {
			continue
		}
		for l, lang := range explain.Languages {
			n.Changes[lang] = append(n.Changes[lang], c.Mark.Word(explain.Lang(l))+": "+c.Words(explain.Lang(l)))
		}
	}
	if len(n.Changes) == 0 {
		return nil
	}
	return n
}

// decisionBook makes one entry, and its files where its words are new. Votes stay
// those of the motion that brought these words.
func (g *Gateway) decisionBook(ctx context.Context, set *compile.Set, d *bundle.Decision, e *council.Enacted, old books.Decision) (b books.Decision, err error) {
	b = books.Decision{
		ID: d.Decision, Title: d.Title, From: d.From.String(), Until: d.Until.String(), Policy: set.Digest,
		Votes: []books.Vote{}, YAML: string(d.YAML), Explain: map[string]string{}, Diff: map[string][]string{},
	}
	for _, v := range set.Broken[d.Decision] {
		b.Problems = append(b.Problems, v.Rule+": "+v.Message)
	}
	if s := set.Suspension(d.Decision); s != nil {
		b.Problems = append(b.Problems, suspendedWords(s))
	}
	same := old.YAML == b.YAML && old.State != books.Past && (e == nil) == (old.Motion == "")
	vote := explain.Vote{}
	if same && e != nil {
		b.Motion, b.Version, b.Votes, b.Namespace = old.Motion, old.Version, old.Votes, old.Namespace
		vote = explain.Vote{Motion: old.Motion, Version: old.Version}
		for _, v := range old.Votes {
			vote.Members = append(vote.Members, v.Name)
		}
	} else if e != nil {
		b.Motion, b.Version, b.Namespace = e.ID, e.Version, council.NamespaceOf(e.City)
		for _, x := range e.Ballots {
			b.Votes = append(b.Votes, books.Vote{Member: x.Member, Name: x.Name, Key: x.Fingerprint, Verified: true})
		}
		vote = explain.Vote{Motion: e.ID, Version: e.Version, Members: e.Members()}
	}
	if b.Diff = old.Diff; !same {
		b.Diff = g.changes(d, old)
	}
	if b.Explain, err = g.explain(set, d, vote); err != nil {
		return b, err
	}
	return b, g.keepDecision(ctx, d.YAML, &b, e, same)
}

// explain makes the texts, once for each policy and vote.
func (g *Gateway) explain(set *compile.Set, d *bundle.Decision, vote explain.Vote) (map[string]string, error) {
	key := set.Digest + " " + d.Decision + " " + vote.Motion
	if g.texts[key] != nil {
		return g.texts[key], nil
	}
	out := make(map[string]string)
	for l, lang := range explain.Languages {
		text, err := explain.Decision(explain.Lang(l), set.Policy, d, vote)
		if err != nil {
			return nil, err
		}
		out[lang] = text
	}
	g.texts[key] = out
	return out, nil
}

// changes says what is different from the decision's words before; nothing where
// it is new.
func (g *Gateway) changes(d *bundle.Decision, old books.Decision) map[string][]string {
	out := make(map[string][]string)
	if old.YAML == "" {
		return out
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, set := range g.sets {
		a := set.Decision(d.Decision)
		if a == nil || string(a.YAML) != old.YAML {
			continue
		}
		for _, c := range diff.Decisions(set.Policy, a, set.Policy, d) {
			for l, lang := range explain.Languages {
				out[lang] = append(out[lang], c.Mark.Word(explain.Lang(l))+": "+c.Words(explain.Lang(l)))
			}
		}
		break
	}
	return out
}

// keepDecision keeps decisions/ID/: the words, and what proves the vote.
func (g *Gateway) keepDecision(ctx context.Context, yaml []byte, b *books.Decision, e *council.Enacted, same bool) error {
	base := "decisions/" + b.ID + "/"
	files := map[string][]byte{"decision.yaml": yaml}
	for lang, text := range b.Explain {
		files["explain."+lang+".txt"] = []byte(text)
	}
	for lang, lines := range b.Diff {
		files["changes."+lang+".txt"] = []byte(strings.Join(lines, "\n") + "\n")
	}
	if e != nil && !same {
		files[council.TextName], files[council.BundleName], files[council.SignersName] = e.Text, e.Packed, e.Signers
		ballots := make(map[string][]byte)
		for _, x := range e.Ballots {
			name := council.BallotsName + x.Member + ".sig"
			files[name], ballots[base+name] = x.Raw, x.Raw
		}
		// Ballots over its words before are not over these.
		if err := g.keepOnly(ctx, base+council.BallotsName, ballots); err != nil {
			return err
		}
		names := make([]string, 0, len(ballots))
		for name := range ballots {
			names = append(names, path.Base(name))
		}
		if err := g.public.Only(base+council.BallotsName, names...); err != nil {
			return err
		}
	}
	for name, raw := range files {
		if err := g.keep(ctx, base+name, raw); err != nil {
			return err
		}
	}
	return nil
}
