package web

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"sluice/books"
)

// much is how much a notice says: what there is room for in letters that can be read.
type much int

// From all to as little as is still honest.
const (
	all     much = iota
	fates        // what becomes of the fields, and the answers in fewer words
	answers      // who decided it, on which grounds, for how long, who answers for it, rights, and whom to write to
	short        // these in fewer words
	basis        // decision, legal basis and contact once for all languages
	less         // of what is measured and published the least
	least        // and texts of others cut to a few words
)

// rest are the decision, its legal basis and whom to ask for one's rights, in each language's words
// for them and once for all.
func (n *noticePage) rest(f *facts, tellers []teller) (out []template.HTML) {
	add := func(name func(*teller) string, what string) {
		var labels []template.HTML
		for i := range tellers {
			label := name(&tellers[i])
			span := template.HTML(`<span lang="` + tellers[i].s.Code + `">`) //nolint:gosec // ours
			text := span + plain(label) + "</span>"
			if !slices.ContainsFunc(labels, func(x template.HTML) bool { return words(x) == label }) {
				labels = append(labels, text)
			}
		}
		line := template.HTML("")
		for i, label := range labels {
			if i > 0 {
				line += " / "
			}
			line += label
		}
		out = append(out, line+": "+plain(what))
	}
	t := &tellers[0]
	var ids, grounds []string
	for _, d := range slices.Concat(f.running, f.waiting) {
		ids = append(ids, d.ID)
		if d.LegalBasis != "" && !slices.Contains(grounds, d.LegalBasis) {
			grounds = append(grounds, d.LegalBasis)
		}
	}
	if ids != nil {
		add(func(t *teller) string { return t.s.Say("Decision") }, t.some(ids))
	}
	if grounds != nil {
		add(func(t *teller) string { return t.s.Say("Legal basis") }, t.some(grounds))
	}
	who := cmp.Or(f.city.DPO.Email, f.city.DPO.Phone, f.city.DPO.Web, f.city.DPO.Name, f.reach(), n.URL)
	if who != "" {
		add(func(t *teller) string { return t.s.Say("Your rights") }, t.cut(who))
	}
	return out
}

// brief reports whether answers are in fewer words.
func (t *teller) brief() bool { return t.much == fates || t.much >= short }

// halted says of what the council has suspended since when that is, and why.
func (t *teller) halted() (out []string) {
	_, most := t.most()
	for _, d := range t.waiting {
		if d.State != books.Suspended || len(out) == most {
			continue
		}
		text := sentence(t.s.Say("decision %s", d.ID)+" "+t.s.StateSince(d.Standing())) + "."
		if why, _ := t.s.Title(t.cutAll(d.Reason)); why != "" {
			text += " " + t.s.Say("Reason") + ": " + why
		}
		out = append(out, text)
	}
	return out
}

// party is somebody to reach, in a line or two.
func (t *teller) party(p books.Party) (out []template.HTML) {
	list := [][]string{{p.Name, p.Address}, {p.Email, p.Phone, p.Web}}
	if t.brief() {
		list = [][]string{{p.Name, cmp.Or(p.Email, p.Phone, p.Web, p.Address)}}
	}
	for _, parts := range list {
		parts = slices.DeleteFunc(parts, func(x string) bool { return x == "" })
		if len(parts) > 0 {
			out = append(out, plain(t.cut(strings.Join(parts, ", "))))
		}
	}
	return out
}
