package studio

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/policy/check"
	"sluice/policy/explain"
)

// longestTitle bounds titles, in characters: they stand in headings and in lists.
const longestTitle = 120

// worded is a finding in the words of the form: its field is called as the page calls it, and not by
// the file's key.
func worded(said sentence, f *field, of check.Finding, l explain.Lang) sentence {
	keys := strings.Split(f.Name, ".")
	key := keys[len(keys)-1]
	if of.Rule == "S03" && len(of.Args) > 0 && fmt.Sprint(of.Args[0]) == key {
		if said.What = say(l, "draft.missing", f.Label); len(of.Args) > 1 {
			said.Mend = say(l, "draft.such-as", of.Args[1])
		}
		return said
	}
	for _, quotes := range []string{"«%s»", "“%s”"} {
		said.What = strings.ReplaceAll(said.What, fmt.Sprintf(quotes, key), fmt.Sprintf(quotes, f.Label))
	}
	if rest, begins := strings.CutPrefix(said.What, capital(key)+" "); begins {
		said.What = "«" + f.Label + "» " + rest
		if l == 0 {
			said.What = "“" + f.Label + "” " + rest
		}
	}
	return said
}

// remark notes what no rule forbids and a councillor should know of a decision that is not in force: a
// first day that is over, a title that is a paragraph, a number that is not its file's.
func (p *draftPage) remark(v any, today civil.Date, l explain.Lang) {
	if p.State != isVoted && p.State != isStopped {
		var first civil.Date
		err := first.UnmarshalText([]byte(spelled(yamldoc.In(v, "from"))))
		if err == nil && first.String() < today.String() {
			p.warn("from", say(l, "draft.past", l.Date(first)))
		}
	}
	for _, code := range explain.Languages {
		if n := utf8.RuneCountInString(spelled(yamldoc.In(v, "title", code))); n > longestTitle {
			p.warn("title."+code, say(l, "draft.long-title", n, longestTitle))
		}
	}
	if id := spelled(yamldoc.In(v, "decision")); id != "" && !strings.HasPrefix(p.ID, id) {
		p.warn("decision", say(l, "draft.renamed", id, p.File))
	}
}

// warn puts a warning at a field, where there is one.
func (p *draftPage) warn(name, what string) {
	if f := p.named(name); f != nil {
		said := sentence{What: what, Warning: true}
		f.Wrong = append(f.Wrong, said)
		p.Findings = append(p.Findings, found{said, f.ID()})
	}
}
