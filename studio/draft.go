package studio

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"slices"
	"strings"

	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/explain"
)

// draftPage is one decision, or the charter or the council: its form and file, what is wrong with it,
// what residents will read or what the vote on it needs, and what it changes.
type draftPage struct {
	ID, File, Path, Title, State string
	Decision                     bool
	sheet
	Base     string // which state the form was made of
	Groups   []group
	Form     bool // the file can be read, so that there is one
	Findings []found
	Mistakes int
	Spoken   []spoken
	Summary  string
	Changes  []changed
	Needs    []string // of the vote, where it is no decision
	Voted    bool     // something is in force
}

// found is a finding, and where the page shows it.
type found struct {
	sentence
	At string
}

// fileOf is the file that an address is about, or errMissing.
func fileOf(r *http.Request) (string, error) {
	if name := r.PathValue("name"); formed[name] != "" {
		return formed[name], nil
	}
	id := r.PathValue("id")
	if id == "" || strings.HasPrefix(id, ".") || strings.ContainsAny(id, `/\`) {
		return "", errMissing
	}
	return "decisions/" + id + ".yaml", nil
}

// draft shows a decision.
func (s *Server) draft(w http.ResponseWriter, r *http.Request) error {
	file, err := fileOf(r)
	if err != nil {
		return err
	}
	sheet, err := s.drafts.look(file)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if sheet.Conflict {
		status = http.StatusConflict
	}
	page, err := s.draftPage(r, file, sheet)
	if err != nil {
		return err
	}
	return s.showWith(w, r, status, "draft", page)
}

func (s *Server) draftPage(r *http.Request, file string, sheet sheet) (*draftPage, error) {
	files, err := s.desk.Files()
	if err != nil {
		return nil, err
	}
	files[file] = []byte(sheet.Text)
	look, err := s.lookAt(r.Context(), files)
	if err != nil {
		return nil, err
	}
	l, head := langOf(r), headOf(files[file])
	page := &draftPage{ID: idOf(file), File: file, Path: pathOf(file), Decision: path.Dir(file) == "decisions",
		sheet: sheet, Base: stateOf(sheet.Text), Voted: look.inForce != nil}
	page.called(look, head, l)
	list := look.of(file)
	page.Mistakes = mistakes(list)
	tree, err := yamldoc.ParseTree(files[file])
	if err == nil {
		if v, err := tree.Ordered(); err == nil {
			page.Form, page.Groups = true, formFor(file, choicesOf(files, l), v).groups
			if page.Decision {
				page.remark(v, s.today(), l)
			}
		}
	}
	page.place(tree, list, l)
	if page.Decision {
		page.reads(look, head.id, l)
	} else {
		page.weighs(look, l)
		page.Needs = append(page.unreachable(look, l), page.Needs...)
	}
	return page, nil
}

// called fills in how the page is called, and what became of its file since the vote.
func (p *draftPage) called(look *look, head head, l explain.Lang) {
	if !p.Decision {
		p.Title, p.State = say(l, "draft.files."+p.ID), look.fileState(p.File)
		return
	}
	p.Title, p.State = l.Title(head.title), look.state(head.id, p.File)
	if p.Title == "" {
		p.Title = p.ID
	}
}

// stateOf names a state of a file.
func stateOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// place puts findings at the fields that they are about, and lists all with a link there.
func (p *draftPage) place(tree *yamldoc.Tree, list []check.Finding, l explain.Lang) {
	for i, said := range inWords(list, l) {
		at := "f-yaml"
		if f := p.fieldAt(tree, list[i]); f != nil {
			said = worded(said, f, list[i], l)
			f.Wrong = append(f.Wrong, said)
			at = f.ID()
		}
		p.Findings = append(p.Findings, found{said, at})
	}
}

// fieldAt is the field that a finding is about: the one of the key or the language that it misses, of
// its value, or the nearest around that.
func (p *draftPage) fieldAt(tree *yamldoc.Tree, f check.Finding) *field {
	if tree == nil || !p.Form || f.Syntax != nil {
		return nil
	}
	at := strings.Split(f.Place, "/")
	if f.Place == "" {
		at = tree.Path(yamldoc.Position{Line: f.Line, Column: f.Column})
	}
	for n := len(at); n >= 0; n-- {
		for _, key := range missing(f) {
			if x := p.named(strings.Join(append(at[:n:n], key), ".")); x != nil {
				return x
			}
		}
	}
	for n := len(at); n > 0; n-- {
		if x := p.named(strings.Join(at[:n], ".")); x != nil {
			return x
		}
	}
	return nil
}

// inOrder are the findings in the order of their fields, those of none first.
func (p *draftPage) inOrder() []found {
	place := make(map[string]int)
	for i, g := range p.Groups {
		for j := range g.Fields {
			place[g.Fields[j].ID()] = i*1000 + j + 1
		}
	}
	return slices.SortedStableFunc(slices.Values(p.Findings), func(a, b found) int {
		return place[a.At] - place[b.At]
	})
}

// missing are the keys and languages that a finding says are not there.
func missing(f check.Finding) (keys []string) {
	for _, arg := range f.Args {
		text, _ := arg.(string)
		for _, key := range strings.Split(text, ", ") {
			if f.Rule == "S03" || f.Rule == "W53" || languages[key] != "" {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// named is the field of a name, or the first below it.
func (p *draftPage) named(name string) *field {
	var below *field
	for i := range p.Groups {
		for j := range p.Groups[i].Fields {
			switch x := &p.Groups[i].Fields[j]; {
			case x.Name == name:
				return x
			case below == nil && strings.HasPrefix(x.Name, name+"."):
				below = x
			}
		}
	}
	return below
}

// reads fills in what residents will read, what it costs, and what it changes.
func (p *draftPage) reads(look *look, id string, l explain.Lang) {
	policy, err := bundle.Read(look.files)
	if err != nil { // another file may be at fault
		policy, err = bundle.Read(alone(look.files, p.File))
	}
	if err == nil {
		p.Spoken = texts(policy, id, look.chain)
	}
	for _, s := range look.fine {
		if s.File == p.File {
			p.Summary = s.Text(l, func(measure string) string { return numberIn(l, policy, id, measure) })
		}
	}
	if whole, err := bundle.Read(look.files); err == nil && look.inForce != nil {
		p.Changes = changes(look.inForce, whole, id, l)
	}
}

// alone are a policy's files with one decision only.
func alone(files bundle.Files, decision string) bundle.Files {
	out := make(bundle.Files)
	for name, raw := range files {
		if !strings.HasPrefix(name, "decisions/") || name == decision {
			out[name] = raw
		}
	}
	return out
}
