package diff

import (
	"slices"
	"strings"

	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/decision"
)

// What residents read instead of ids, whom they can reach and what a number is compared
// with protects nobody. It is said all the same, and only where there is any: motions from
// before there was are signed.

// contacts are a charter's, by their keys.
func contacts(c *decision.Charter) map[string]string {
	return map[string]string{
		"responsible": showParty(c.City.Responsible), "dpo": showParty(c.City.DPO),
		"authority": showParty(c.City.Authority), "accessibility": showParty(c.City.Accessibility),
	}
}

func showParty(p decision.Party) string {
	var out []string
	for _, part := range []string{p.Name, p.Address, p.Email, p.Phone, p.Web} {
		if part == "" {
			part = "-"
		} else {
			part = quote(part)
		}
		out = append(out, part)
	}
	if p == (decision.Party{}) {
		return ""
	}
	return strings.Join(out, ", ")
}

// charterNames are the charter's words by what they are of.
func charterNames(c *decision.Charter) map[string]string {
	out := make(map[string]string)
	wordsOf(out, "purpose ", c.Names.Purposes)
	wordsOf(out, "unit ", c.Names.Units)
	return out
}

// kindNames are the words of all kinds, by what they are of.
func kindNames(p *bundle.Policy) map[string]string {
	out, n := make(map[string]string), p.Names()
	wordsOf(out, "kind ", n.Kinds)
	wordsOf(out, "field ", n.Fields)
	for id, k := range p.Kinds {
		for _, f := range k.Fields {
			wordsOf(out, "value "+word(id)+" "+word(f.Name)+" ", f.Values)
		}
	}
	return out
}

func wordsOf(out map[string]string, what string, list map[string]map[string]string) {
	for id, words := range list {
		out[what+word(id)] = showTitles(words)
	}
}

// wholeSince is the first format of motions in which contacts and words of a first policy are
// enacted with the whole of it: texts of earlier ones say the charter's quorum.
const wholeSince = 7

// names compares contacts and words.
func (c *comparison) names() {
	var old bundle.Policy
	if c.old != nil {
		old = *c.old
	}
	if old.Charter == nil {
		old.Charter = &decision.Charter{}
	}
	needs := Charter
	if c.old == nil && (c.before.Format == 0 || c.before.Format >= wholeSince) {
		needs = ""
	}
	a, b := contacts(old.Charter), contacts(c.new.Charter)
	for _, key := range []string{"responsible", "dpo", "authority", "accessibility"} {
		if a[key] != b[key] {
			c.add(Change{About: "charter.yaml", Key: key, Needs: needs, Old: text(a[key]), New: text(b[key])})
		}
	}
	c.texts("charter.yaml", "words", charterNames(old.Charter), charterNames(c.new.Charter), needs)
	c.texts("kinds.yaml", "words", kindNames(&old), kindNames(c.new), Enact)
}

// names are the words of a decision's measures.
func (s *formatter) names(d *bundle.Decision) string {
	var list []string
	for _, m := range d.Publish.Measures {
		if len(m.Names) > 0 {
			list = append(list, word(m.Name)+" ("+showTitles(m.Names)+")")
		}
	}
	return strings.Join(list, "; ")
}

// consultation are the pages that a decision links to.
func (s *formatter) consultation(d *bundle.Decision) string {
	var list []string
	for _, x := range d.Consultation {
		shown := word(x.Kind) + " " + quote(x.Link)
		if from, until := x.From.String(), x.Until.String(); from+until != "" {
			shown += " (" + from + "/" + until + ")"
		}
		list = append(list, shown)
	}
	return strings.Join(list, "; ")
}

// limits are what a decision's measures are compared with.
func (s *formatter) limits(d *bundle.Decision) string {
	var list []string
	for _, m := range d.Publish.Measures {
		unit := ""
		at := slices.IndexFunc(d.Stream.Measures, func(x plan.Measure) bool { return x.Name == m.Name })
		if at >= 0 && d.Stream.Measures[at].Unit != "" {
			unit = " " + word(d.Stream.Measures[at].Unit)
		}
		for _, l := range m.Limits {
			over := ""
			if !l.Over.IsZero() {
				over = " (" + s.l.Period(l.Over) + ")"
			}
			list = append(list, word(m.Name)+" "+plan.Plain(*l.Value)+unit+over+" = "+showTitles(l.Title)+" ["+
				showWords(l.Source)+"]")
		}
	}
	return strings.Join(list, "; ")
}
