package studio

import (
	"cmp"
	"errors"
	"fmt"
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

// maxRows bounds the members and the zones of a town that is founded; more can be added afterwards.
const maxRows = 100

// foundation is a town that is being founded: what its files will say.
type foundation struct {
	charter, council, zones any
	// own is whether the directory has zones.geojson already.
	own bool
}

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

// emptyTown is one of which only what is suggested is said. Quorums are not: they follow the number of
// members, until they are written.
func (s *Server) emptyTown(l explain.Lang) (*foundation, error) {
	charter, err := value(s.blankFile(l, "charter.yaml"))
	if err != nil {
		return nil, err
	}
	council, err := value(s.blankFile(l, "council.yaml"))
	if err != nil {
		return nil, err
	}
	charter, err = yamldoc.With(charter, nil, "quorums")
	_, sum, unread := s.desk.Read(zonesName)
	return &foundation{charter: charter, council: council, zones: yamldoc.Pairs{}, own: sum != none},
		errors.Join(err, unread)
}

// rows adds empty members and zones.
func (t *foundation) rows(members, zones int) {
	f := &form{}
	for range min(members, maxRows) {
		t.council, _ = f.change(t.council, "add members")
	}
	for range min(zones, maxRows) {
		t.zones, _ = f.change(t.zones, "add zones")
	}
}

// forms are those of the town's files, as the page shows them.
func (t *foundation) forms(s *Server, l explain.Lang) (charter, council, zones *form) {
	files := bundle.Files{"charter.yaml": []byte(s.blankFile(l, "charter.yaml"))}
	c := choicesOf(files, l)
	charter = &form{choices: c, room: "charter", v: t.charter}
	charter.city()
	charter.limits()
	charter.lasting()
	charter.quorums()
	council = &form{choices: c, room: "charter", v: t.council}
	council.members()
	zones = &form{choices: c, room: "found", v: t.zones}
	if !t.own {
		zones.squares()
	}
	return charter.filledIn(), council.filledIn(), zones.filledIn()
}

// fill puts what was sent into the town.
func (t *foundation) fill(s *Server, l explain.Lang, sent url.Values) (err error) {
	charter, council, zones := t.forms(s, l)
	if t.charter, err = charter.fill(t.charter, sent); err != nil {
		return err
	}
	if t.council, err = council.fill(t.council, sent); err != nil {
		return err
	}
	t.zones, err = zones.fill(t.zones, sent)
	return err
}

// tidy takes out rows in which nothing is written, and gives short names to what has none.
func (t *foundation) tidy() (err error) {
	written := func(list []any, keys ...string) (out []any) {
		for _, row := range list {
			if slices.ContainsFunc(keys, func(key string) bool {
				return spelled(yamldoc.In(row, key)) != "" || len(entries(row, key)) > 0
			}) {
				out = append(out, row)
			}
		}
		return out
	}
	members := written(entries(t.council, "members"), "name", "id", "keys", "from", "until")
	for i, m := range members {
		if id := short(spelled(yamldoc.In(m, "name"))); id != "" && spelled(yamldoc.In(m, "id")) == "" {
			members[i], _ = yamldoc.With(m, id, "id")
		}
	}
	if members == nil {
		members = []any{}
	}
	t.council, err = yamldoc.With(t.council, members, "members")
	if err != nil {
		return err
	}
	if name := spelled(yamldoc.In(t.charter, "city", "name")); spelled(yamldoc.In(t.charter, "city", "id")) == "" {
		if t.charter, err = yamldoc.With(t.charter, orNothing(short(name)), "city", "id"); err != nil {
			return err
		}
	}
	t.zones, err = yamldoc.With(t.zones, written(entries(t.zones, "zones"), "name", "lat", "lon"), "zones")
	return err
}

// withQuorums is the charter with the quorums that were left empty: a majority for what is new, half of
// the rest more for what weighs more, a third to stop.
func (t *foundation) withQuorums() (any, error) {
	n := len(entries(t.council, "members"))
	enact := n/2 + 1
	most := min(n, enact+(n-enact)/2)
	usual := map[string]int{"enact": enact, "weaken": most, "charter": most, "roster": most, "suspend": max(1, n/3)}
	v, err := t.charter, error(nil)
	for _, q := range asked {
		if yamldoc.In(v, "quorums", q) == nil {
			if v, err = yamldoc.With(v, int64(max(1, usual[q])), "quorums", q); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// files are the town's, comments in the page's language.
func (t *foundation) files(s *Server, l explain.Lang) (bundle.Files, error) {
	charter, err := t.withQuorums()
	if err != nil {
		return nil, err
	}
	out := bundle.Files{}
	for name, v := range map[string]any{"charter.yaml": charter, "council.yaml": t.council} {
		if out[name], err = yamldoc.Become([]byte(s.blankFile(l, name)), v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	out["kinds.yaml"] = s.o.Kinds
	if !t.own {
		out[zonesName] = squaresFile(t.zones)
	}
	for _, name := range []string{"kinds.yaml", zonesName} {
		raw, sum, err := s.desk.Read(name)
		if err != nil {
			return nil, err
		}
		if sum != none {
			out[name] = raw
		}
	}
	return out, nil
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
	t.rows(3, 1)
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
	for _, x := range amiss {
		said := sentence{What: say(l, x.key)}
		at := "title"
		if f := p.named(x.field); f != nil {
			f.Wrong, at = append(f.Wrong, said), f.ID()
		}
		p.Findings = append(p.Findings, found{said, at})
	}
	s.placeFound(p, t, list, l)
	page.Findings = p.Findings
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
	count := func(name string) int {
		n, _ := strconv.Atoi(r.PostForm.Get(name)) // none of what is no number
		return n
	}
	t.rows(count("members"), count("zones"))
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
		if strings.HasPrefix(list, "zones") {
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
	if len(list)+len(amiss) > 0 {
		return s.showFound(w, r, http.StatusUnprocessableEntity, t, list, amiss)
	}
	if err := s.settle(files); err != nil {
		return err
	}
	return s.goTo(w, r, "/")
}

// lacks is what a town needs beyond what check asks of any policy: somebody who answers, somebody to
// ask, somebody who votes, and its ground.
func (t *foundation) lacks() (amiss []ownFinding) {
	for _, who := range []string{"responsible", "dpo"} {
		if yamldoc.In(t.charter, "city", who, "name") == nil {
			amiss = append(amiss, ownFinding{"city." + who + ".name", "found.need." + who})
		}
	}
	if len(entries(t.council, "members")) == 0 {
		amiss = append(amiss, ownFinding{"members.0.name", "found.need.member"})
	}
	if !t.own {
		amiss = append(amiss, badSquares(t.zones)...)
	}
	return amiss
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
