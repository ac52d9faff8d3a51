package publicbooks

import (
	"bytes"
	"context"
	"encoding/json"
	"path"
	"strings"
	"time"

	"sluice/books"
	"sluice/gateway/activation"
	"sluice/policy/ballot"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/diff"
	"sluice/policy/explain"
)

// decisionsBook is decisions.json and the files that prove it.
type decisionsBook struct {
	files *files
	texts map[string]map[string]string // decisions in plain words
	stood []books.Decision             // as last written
	// raw is decisions.json as it was read last, and parsed what it says.
	raw    []byte
	parsed []books.Decision
	// early are the decisions as they stood before this gateway knew the time: what it writes
	// till then is dated anew. It is nil once it does.
	early *[]books.Decision
}

// write writes what residents may know of each decision: in force,
// coming, and, from what was written before, past. The texts and the votes are
// those of the motion that gave the decision its present words.
func (b *decisionsBook) write(ctx context.Context, v *activation.View, now time.Time, timed bool) error {
	set, running, coming := v.Told(), v.Running(), v.Coming
	before, err := b.earlier(ctx, timed)
	if err != nil {
		return err
	}
	known := make(map[string]books.Decision)
	for _, d := range before {
		known[d.ID] = d
	}
	motion := ""
	if v.Enacted != nil {
		motion = v.Enacted.ID
	}
	list := []books.Decision{}
	listed := make(map[string]bool)
	for i := range set.Decisions {
		if v.Latest == nil {
			break // they are all to come
		}
		d := &set.Decisions[i]
		e, err := b.entry(ctx, v, set, d, v.Enacted, known[d.Decision])
		if err != nil {
			return err
		}
		stand(&e, set, d, running, known[d.Decision], now)
		if coming != nil {
			e.Next = next(coming, d)
		}
		date(&e, known[d.Decision], now)
		remember(&e, known[d.Decision], motion, set.Location, now)
		list, listed[e.ID] = append(list, e), true
	}
	if coming != nil {
		for i := range coming.Set.Decisions {
			d := &coming.Set.Decisions[i]
			if listed[d.Decision] {
				continue // its present words are in force, and Next says how they will change
			}
			e, err := b.entry(ctx, v, coming.Set, d, coming.Motion, known[d.Decision])
			if err != nil {
				return err
			}
			e.State, e.Since = books.Coming, max(d.From.String(), dayOf(coming.Set, coming.Motion.NotBefore))
			date(&e, known[d.Decision], now)
			remember(&e, known[d.Decision], motion, set.Location, now)
			list, listed[e.ID] = append(list, e), true
		}
	}
	for _, d := range before {
		if !listed[d.ID] {
			e := gone(d, dayOf(set, now))
			remember(&e, d, motion, set.Location, now)
			list = append(list, e)
		}
	}
	return b.keep(ctx, list, timed)
}

// earlier are the decisions as they stood before, or before this gateway knew the time.
func (b *decisionsBook) earlier(ctx context.Context, timed bool) ([]books.Decision, error) {
	if b.early != nil {
		return *b.early, nil
	}
	before, err := b.decided(ctx)
	if err == nil && !timed {
		b.early = &before
	}
	return before, err
}

// keep writes the list; what is dated by the gateway's time is dated for good.
func (b *decisionsBook) keep(ctx context.Context, list []books.Decision, timed bool) error {
	raw, err := books.JSON(list)
	if err != nil {
		return err
	}
	b.stood = list
	if err := b.files.keep(ctx, decisionsName, raw); err != nil {
		return err
	}
	if timed {
		b.early = nil
	}
	return nil
}

// date says since when the words of a decision, and what comes next, are in the books: as
// before where they are the same.
func date(e *books.Decision, old books.Decision, now time.Time) {
	now = now.UTC().Truncate(time.Second)
	if e.Published = now; old.YAML == e.YAML && old.State != books.Past && old.ID == e.ID {
		e.Published = old.Published
	}
	if n := e.Next; n != nil {
		if n.Published = now; old.Next != nil && old.Next.Motion == n.Motion {
			n.Published = old.Next.Published
		}
	}
}

// next is what the announced motion will change of a decision; nil for nothing.
func next(a *activation.Announced, d *bundle.Decision) *books.Next {
	n := &books.Next{Motion: a.Motion.ID, From: a.Motion.NotBefore, Changes: make(map[string][]string)}
	for _, c := range a.Motion.Changes {
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

// entry makes one entry, and its files where its words are new. Votes stay
// those of the motion that brought these words.
func (l *decisionsBook) entry(
	ctx context.Context, v *activation.View,
	set *compile.Set, d *bundle.Decision, e *council.Enacted, old books.Decision,
) (b books.Decision, err error) {
	b = books.Decision{
		ID: d.Decision, Title: d.Title, From: d.From.String(), Until: d.Until.String(), Policy: set.Digest,
		LegalBasis: d.LegalBasis, Votes: []books.Vote{}, YAML: string(d.YAML),
		Retain:  books.Retain{Hours: d.Retain.Hours.String(), Days: d.Retain.Days.String()},
		Explain: map[string]string{}, Diff: map[string][]string{},
	}
	for _, x := range d.Consultation {
		b.Consultation = append(b.Consultation,
			books.Consultation{Kind: x.Kind, Link: x.Link, From: x.From.String(), Until: x.Until.String()})
	}
	for _, why := range set.Broken[d.Decision] {
		b.Problems = append(b.Problems, why.Rule+": "+why.Message)
	}
	if s := set.Suspension(d.Decision); s != nil {
		b.Problems = append(b.Problems, suspendedWords(s))
	}
	same := old.YAML == b.YAML && old.State != books.Past && (e == nil) == (old.Motion == "")
	vote := explain.Vote{}
	if same && e != nil {
		b.Motion, b.Version, b.Votes, b.Namespace = old.Motion, old.Version, old.Votes, old.Namespace
		b.Statements = old.Statements
		vote = explain.Vote{Motion: old.Motion, Version: old.Version}
		for _, cast := range old.Votes {
			vote.Members = append(vote.Members, cast.Name)
		}
	} else if e != nil {
		b.Motion, b.Version, b.Namespace = e.ID, e.Version, council.NamespaceOf(e.City)
		for _, x := range e.Ballots {
			b.Votes = append(b.Votes, books.Vote{Member: x.Member, Name: x.Name, Key: x.Fingerprint, Verified: true})
		}
		for _, x := range e.Statements {
			b.Statements = append(b.Statements, books.Statement{Member: x.Member, Name: x.Name, Key: x.Fingerprint,
				Choice: string(x.Choice), Reason: x.Reason})
		}
		vote = explain.Vote{Motion: e.ID, Version: e.Version, Members: e.Members()}
	}
	if b.Diff = old.Diff; !same {
		b.Diff = changes(v, d, old)
	}
	if b.Explain, err = l.explain(set, d, vote); err != nil {
		return b, err
	}
	if same {
		e = nil // what proves the vote is kept already
	}
	return b, l.keepFiles(ctx, d.YAML, &b, e)
}

// explain makes the texts, once for each policy and vote.
func (b *decisionsBook) explain(set *compile.Set, d *bundle.Decision, vote explain.Vote) (map[string]string, error) {
	key := set.Digest + " " + d.Decision + " " + vote.Motion
	if b.texts[key] != nil {
		return b.texts[key], nil
	}
	out := make(map[string]string)
	for l, lang := range explain.Languages {
		text, err := explain.Decision(explain.Lang(l), set.Policy, d, vote)
		if err != nil {
			return nil, err
		}
		out[lang] = text
	}
	b.texts[key] = out
	return out, nil
}

// changes says what is different from the decision's words before; nothing where
// it is new.
func changes(v *activation.View, d *bundle.Decision, old books.Decision) map[string][]string {
	out := make(map[string][]string)
	if old.YAML == "" {
		return out
	}
	set, before := v.Words(d.Decision, old.YAML)
	if set == nil {
		return out
	}
	for _, c := range diff.Decisions(set.Policy, before, set.Policy, d) {
		for l, lang := range explain.Languages {
			out[lang] = append(out[lang], c.Mark.Word(explain.Lang(l))+": "+c.Words(explain.Lang(l)))
		}
	}
	return out
}

// keepFiles keeps decisions/ID/: the words, and what proves the vote of a motion that has
// brought them; nil for none.
func (b *decisionsBook) keepFiles(ctx context.Context, yaml []byte, d *books.Decision, e *council.Enacted) error {
	base := "decisions/" + d.ID + "/"
	files := map[string][]byte{"decision.yaml": yaml}
	for lang, text := range d.Explain {
		files["explain."+lang+".txt"] = []byte(text)
	}
	for lang, lines := range d.Diff {
		files["changes."+lang+".txt"] = []byte(strings.Join(lines, "\n") + "\n")
	}
	if e != nil {
		files[council.TextName], files[council.BundleName], files[council.SignersName] = e.Text, e.Packed, e.Signers
		ballots := make(map[string][]byte)
		for _, x := range e.Ballots {
			name := council.BallotsName + x.Member + ".sig"
			files[name], ballots[base+name] = x.Raw, x.Raw
		}
		for _, x := range e.Statements {
			for file, raw := range x.Files() {
				name := council.BallotsName + file
				files[name], ballots[base+name] = raw, raw
			}
			files["statement_signers"] = ballot.StatementSigners(e.Signers, council.NamespaceOf(e.City), e.City)
		}
		// Ballots over its words before are not over these.
		if err := b.files.keepOnly(ctx, base+council.BallotsName, ballots); err != nil {
			return err
		}
		names := make([]string, 0, len(ballots))
		for name := range ballots {
			names = append(names, path.Base(name))
		}
		if err := b.files.public.Only(base+council.BallotsName, names...); err != nil {
			return err
		}
	}
	for name, raw := range files {
		if err := b.files.keep(ctx, base+name, raw); err != nil {
			return err
		}
	}
	return nil
}

// decided is decisions.json as it was written last. It is parsed where it has changed.
func (b *decisionsBook) decided(ctx context.Context) ([]books.Decision, error) {
	raw, err := b.files.ledger.Get(ctx, decisionsName)
	if err != nil || raw == nil {
		return nil, err
	}
	if b.raw == nil || !bytes.Equal(raw, b.raw) {
		var list []books.Decision
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		b.raw, b.parsed = raw, list
	}
	return b.parsed, nil
}
