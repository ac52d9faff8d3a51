package studio

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/explain"
	"sluice/policy/rego"
)

// foundPage is the page on which a town is founded.
type foundPage struct {
	Dir            string
	Members, Zones int
	Findings       []found
	Parts          []foundPart
}

// foundPart is some of the form under a heading.
type foundPart struct {
	Key    string
	Groups []group
}

// found shows the page on which a town is founded.
func (s *Server) found(w http.ResponseWriter, r *http.Request) error {
	if !s.desk.founding() {
		return s.goTo(w, r, "/")
	}
	t, err := s.emptyTown(langOf(r))
	if err != nil {
		return err
	}
	t.rows(usualRows, 1)
	return s.showFound(w, r, http.StatusOK, t, nil, nil)
}

// showFound shows the form with what is in it, and with what is wrong: with files, and beside them.
func (s *Server) showFound(w http.ResponseWriter, r *http.Request, status int, t *foundation, list []check.Finding,
	amiss []ownFinding,
) error {
	l := langOf(r)
	t.rows(max(0, 1-len(entries(t.council, "members"))), max(0, 1-len(entries(t.zones, "zones"))))
	charter, council, zones := t.forms(s, l)
	where, _ := filepath.Abs(s.desk.dir) // as it was given, where that is not known
	page := &foundPage{Dir: cmp.Or(where, s.desk.dir), Members: len(entries(t.council, "members")),
		Zones: len(entries(t.zones, "zones"))}
	of := func(f *form, keys ...string) (groups []group) {
		for _, g := range f.groups {
			if slices.Contains(keys, g.Key) {
				groups = append(groups, g)
			}
		}
		return groups
	}
	page.Parts = []foundPart{
		{"town", of(charter, "city", "responsible", "dpo", "authority")},
		{"ground", zones.groups}, {"council", append(council.groups, of(charter, "quorums")...)},
		{"rules", of(charter, "limits", "times")}}
	if t.own {
		page.Parts = slices.Delete(page.Parts, 1, 2)
	}
	p := &draftPage{Form: true}
	for i := range page.Parts {
		for j := range page.Parts[i].Groups {
			page.Parts[i].Groups[j].helped(l)
		}
		p.Groups = append(p.Groups, page.Parts[i].Groups...)
	}
	if last := p.named(t.lastRow()); last != nil {
		last.Focus = true
	}
	for _, x := range amiss {
		said := sentence{What: say(l, x.key)}
		at := "title"
		if f := p.named(x.field); f != nil {
			f.Wrong, at = append(f.Wrong, said), f.ID()
		}
		p.Findings = append(p.Findings, found{said, at})
	}
	s.placeFound(p, t, list, l)
	page.Findings = p.inOrder()
	return s.showWith(w, r, status, "found", page)
}

// placeFound puts what check says at the fields.
func (s *Server) placeFound(p *draftPage, t *foundation, list []check.Finding, l explain.Lang) {
	files, err := t.files(s, l)
	if err != nil {
		return // as it was a moment ago
	}
	for i, said := range inWords(list, l) {
		tree, err := yamldoc.ParseTree(files[list[i].File])
		if err != nil {
			tree = nil
		}
		at := "title"
		if f := p.fieldAt(tree, list[i]); f != nil && list[i].File != zonesName {
			f.Wrong, at = append(f.Wrong, said), f.ID()
		}
		p.Findings = append(p.Findings, found{said, at})
	}
}

// helped says what is particular to a town that is founded. Whoever votes first is in office.
func (g *group) helped(l explain.Lang) {
	g.Fields = slices.DeleteFunc(g.Fields, func(f field) bool { return f.Sort == "date" })
	for i := range g.Fields {
		if help, ok := textOf(l, "found.help."+keyOf(g.Fields[i].Name)); ok {
			g.Fields[i].Help = help
		}
	}
}

// ownFinding is something wrong with the form itself, at a field.
type ownFinding struct{ field, key string }

// foundWrite takes the form: a row more or less, or the town.
func (s *Server) foundWrite(w http.ResponseWriter, r *http.Request) error {
	if !s.desk.founding() {
		return &fault{http.StatusConflict, "found.there"}
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	l := langOf(r)
	t, err := s.emptyTown(l)
	if err != nil {
		return err
	}
	t.rows(count(r, "members"), count(r, "zones"))
	amiss := withoutSecrets(r.PostForm)
	if err := t.fill(s, l, r.PostForm); err != nil {
		return err
	}
	do := r.PostForm.Get("do")
	switch what, list, _ := strings.Cut(do, " "); {
	case len(amiss) > 0:
		return s.showFound(w, r, http.StatusUnprocessableEntity, t, nil, amiss)
	case what == "add" && len(entries(t.council, "members"))+len(entries(t.zones, "zones")) >= 2*maxRows:
		return &fault{http.StatusUnprocessableEntity, "found.many"}
	case what == "add" || what == "drop":
		f := &form{}
		t.at, _, _ = strings.Cut(list, ".")
		if t.at == "zones" {
			t.zones, err = f.change(t.zones, do)
		} else {
			t.council, err = f.change(t.council, do)
		}
		if err != nil {
			return errElsewhere
		}
		return s.showFound(w, r, http.StatusOK, t, nil, nil)
	case do != "found":
		return s.showFound(w, r, http.StatusOK, t, nil, nil)
	}
	return s.foundNow(w, r, t)
}

// count is how many rows of a list the form had; none of what is no number.
func count(r *http.Request, list string) int {
	n, _ := strconv.Atoi(r.PostForm.Get(list))
	return min(n, maxRows)
}

// withoutSecrets takes private keys out of what was sent, and says at which fields they were.
func withoutSecrets(sent url.Values) (amiss []ownFinding) {
	for name, said := range sent {
		if strings.Contains(strings.Join(said, "\n"), "PRIVATE KEY") {
			sent.Set(name, "")
			amiss = append(amiss, ownFinding{name, "charter.private"})
		}
	}
	return amiss
}

// foundNow founds the town, if nothing is wrong with it.
func (s *Server) foundNow(w http.ResponseWriter, r *http.Request, t *foundation) error {
	if err := t.tidy(); err != nil {
		return err
	}
	files, err := t.files(s, langOf(r))
	if err != nil {
		return err
	}
	amiss := t.lacks()
	whole, err := rego.WithRules(files)
	if err != nil {
		return err
	}
	list, _ := check.Directory(r.Context(), s.o.Rules, whole, nil, s.today())
	list = slices.DeleteFunc(list, func(f check.Finding) bool {
		return f.Warning() || f.File == zonesName && !t.own && len(amiss) > 0
	})
	list = slices.DeleteFunc(list, func(f check.Finding) bool { return saidOf(f, amiss) })
	if len(list)+len(amiss) > 0 {
		t.rows(count(r, "members")-len(entries(t.council, "members")), 0)
		return s.showFound(w, r, http.StatusUnprocessableEntity, t, list, amiss)
	}
	if err := s.settle(files); err != nil {
		return err
	}
	return s.goTo(w, r, "/")
}

// settle writes the files of a new town, the charter last: a directory with one is founded. What was
// not there and cannot be written whole goes again.
func (s *Server) settle(files bundle.Files) error {
	var written []string
	for _, name := range []string{"kinds.yaml", zonesName, "council.yaml", "charter.yaml"} {
		there, _, err := s.desk.Read(name)
		if err == nil && string(there) == string(files[name]) {
			continue
		}
		if err == nil {
			err = s.desk.Write(name, none, files[name])
		}
		if err == nil {
			written = append(written, name)
			continue
		}
		for _, name := range written {
			err = errors.Join(err, s.desk.root.Remove(name))
		}
		return err
	}
	return s.clerk().Schemas()
}
