// Package dpia drafts a data-protection impact assessment (GDPR article 35) and a record of
// processing activities (article 30) from policy, register and charter, with people's answers from
// dpia.yaml: in Markdown in the order of the EDPB's template (version 1.0 of 10 March 2026), or as
// the JSON that CNIL's PIA tool imports. Risks are graded from the policy's own figures. What only
// people can know and have not answered is marked, and nothing is made up for it.
package dpia

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/locales"
	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/policy/mechanism"
	"sluice/register"
)

// Input is what an assessment is of.
type Input struct {
	Lang   explain.Lang
	Policy *bundle.Policy
	// Decisions are those of the policy that it is about.
	Decisions []*bundle.Decision
	// Register may be empty; Answers nil for none.
	Register *register.Register
	Answers  *Answers
	// Due are decisions to be assessed anew; see Reassess.
	Due []Due
}

// doc is one text in the making.
type doc struct {
	l    explain.Lang
	p    *bundle.Policy
	list []*bundle.Decision
	reg  *register.Register
	a    *Answers
	due  []Due
	b    strings.Builder
}

func newDoc(in Input) *doc {
	d := &doc{l: in.Lang, p: in.Policy, list: in.Decisions, reg: in.Register, a: in.Answers, due: in.Due}
	if d.a == nil {
		d.a = &Answers{}
	}
	return d
}

func (d *doc) say(key string, args ...any) string {
	return locales.In(int(d.l)).Say("dpia."+key, args...)
}

func (d *doc) line(s string)   { d.b.WriteString(s + "\n\n") }
func (d *doc) todo(key string) { d.line("> " + d.say("todo", d.say(key))) }

// answer is what people said, or what they are still to say.
func (d *doc) answer(t Text, key string) {
	if text := t.In(d.l); text != "" {
		d.line(explain.Plain(text))
		return
	}
	d.todo(key)
}

// Markdown writes the assessment of some of a policy's decisions.
func Markdown(in Input) (string, error) {
	d := newDoc(in)
	d.line("# " + d.say("title", explain.Plain(d.p.Charter.City.Name)))
	d.line(d.say("intro", d.p.Files.Digest(), len(d.reg.Sensors)))
	d.reassess()
	d.overview()
	d.line("## " + d.say("processing"))
	for _, x := range d.list {
		if err := d.decision(x); err != nil {
			return "", err
		}
	}
	d.phases()
	d.lawful()
	d.necessity()
	d.risks()
	d.plan()
	d.views()
	d.record()
	return strings.TrimRight(d.b.String(), "\n") + "\n", nil
}

// counts reports whether sensors of an owner count in a decision.
func counts(x *bundle.Decision, owner string) bool {
	parts := x.Stream.OwnerParts()
	for _, p := range parts {
		if p.Owner == owner {
			return true
		}
	}
	return len(parts) == 0
}

func (d *doc) decision(x *bundle.Decision) error {
	d.line("### " + d.say("decision", x.Decision, cell(d.l.Title(x.Title))))
	text, err := explain.Decision(d.l, d.p, x, explain.Vote{})
	if err != nil {
		return err
	}
	d.line("```text\n" + strings.TrimSpace(text) + "\n```")
	var ids, owners []string
	homes := x.Unit.Sensor != ""
	for i := range d.reg.Sensors {
		s := &d.reg.Sensors[i]
		if slices.Contains(x.AppliesTo.Kinds, s.Kind) &&
			(x.Stream.Place.ByPoint() || slices.Contains(x.AppliesTo.Zones, s.ZoneOf(d.p.Zones))) {
			if !counts(x, s.Owner) {
				continue // by_owner leaves its owner out, so that it counts nowhere
			}
			ids, owners = append(ids, s.ID), append(owners, s.Owner)
			homes = homes || d.p.Kinds[s.Kind].Home()
		}
	}
	slices.Sort(owners)
	switch {
	case len(ids) == 0:
		d.line(d.say("nosensors"))
	case homes: // a list of them would be one of homes
		d.line(d.say("homes", len(ids), strings.Join(slices.Compact(owners), ", ")))
	default:
		d.line(d.say("sensors", len(ids), strings.Join(ids, ", "), strings.Join(slices.Compact(owners), ", ")))
	}
	d.b.WriteString(d.say("fields") + "\n")
	for _, kind := range x.AppliesTo.Kinds {
		for _, f := range d.p.Kinds[kind].Fields {
			fate := d.say("dropped")
			switch {
			case f.Name == x.Unit.Field:
				fate = d.say("unit", d.l.Period(x.Stream.Forget))
			case slices.Contains(x.Keep, f.Name):
				fate = d.say("used")
			}
			fmt.Fprintf(&d.b, "| %s: %s | %s | %s |\n", d.word(d.p.Kinds[kind].Names, kind), d.word(f.Names, f.Name),
				f.Class, fate)
		}
	}
	d.b.WriteString("\n")
	d.answer(d.a.Decisions[x.Decision].Context, "context")
	return nil
}

// cell keeps a document's words from breaking a table.
func cell(s string) string { return strings.ReplaceAll(explain.Plain(s), "|", "/") }

func (d *doc) record() {
	d.line("## " + d.say("record"))
	d.b.WriteString(d.say("rows") + "\n")
	for _, x := range d.list {
		who, erased, measures := "-", d.l.Each(x.Stream.Every), "exact"
		if x.Days != nil {
			erased = d.l.Each(x.Days.Every)
		}
		if !x.Stream.Unit.None() {
			who, erased = d.say("people", d.l.Many(x.Stream.Unit.StandsFor)), d.l.Period(x.Stream.Forget)
			if x.Stream.Unit.StandsFor == "home" {
				who = d.say("at-home")
			}
			measures = fmt.Sprintf("epsilon %s, delta %s, >= %d", d.l.Number(x.Protect.Epsilon),
				d.l.Number(x.Protect.Delta), x.Protect.MinUnits)
			if f := x.Stream.Protect.Floor; f != "" {
				measures += ", floor: " + string(f)
			}
			if p := x.Stream.Protect.Membership; p != "" {
				measures += ", membership: " + string(p)
			}
			for n, part := range x.Stream.OwnerParts() {
				measures += fmt.Sprintf("%s%s %d", []string{", by_owner: ", ", "}[min(n, 1)], cell(part.Owner),
					part.Most)
			}
			if m, err := mechanism.New(x.Stream); err == nil {
				measures += fmt.Sprintf(" (~%d)", m.PublicFrom())
			}
		}
		fmt.Fprintf(&d.b, "| %s %s | %s | %s | %s | %s | %s | %s |\n", x.Decision, cell(d.l.Title(x.Title)),
			d.purpose(x), who, d.kept(x), d.say("public"), erased, measures)
	}
}
