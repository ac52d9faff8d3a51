package studio

import (
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"

	"sluice/brief"
	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/explain"
)

// states of a decision, beside what is in force.
const (
	isNew     = "new"
	isChanged = "changed"
	isVoted   = "voted"
	isStopped = "suspended"
	isDraft   = "draft" // nothing is in force yet
)

// row is a decision in the list.
type row struct {
	ID, File, Title, State string
	Mistakes               int
}

// look is the directory as check sees it.
type look struct {
	files    bundle.Files
	inForce  *bundle.Policy
	findings []check.Finding
}

// look reads and checks the directory.
func (s *Server) look(ctx context.Context) (*look, error) {
	files, err := s.desk.Files()
	if err != nil {
		return nil, err
	}
	return s.lookAt(ctx, files)
}

// lookAt checks files, as if they were the directory's.
func (s *Server) lookAt(ctx context.Context, files bundle.Files) (*look, error) {
	inForce, err := s.desk.inForce()
	if err != nil {
		return nil, err
	}
	found, _ := check.Directory(ctx, s.o.Rules, files, inForce, s.today())
	return &look{files, inForce, found}, nil
}

// today is the day of the studio's clock.
func (s *Server) today() civil.Date {
	y, m, d := s.o.Now().Date()
	return civil.Date{Year: y, Month: int(m), Day: d}
}

// of are a file's findings.
func (l *look) of(file string) (list []check.Finding) {
	for _, f := range l.findings {
		if f.File == file {
			list = append(list, f)
		}
	}
	return list
}

// mistakes is how many of findings are more than warnings.
func mistakes(list []check.Finding) (n int) {
	for _, f := range list {
		if !f.Warning() {
			n++
		}
	}
	return n
}

// decisionFiles are the files of decisions, sorted.
func (l *look) decisionFiles() (list []string) {
	for name := range l.files {
		if path.Dir(name) == "decisions" {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// decisions is the first page: every decision of the draft, with what is wrong with it.
func (s *Server) decisions(w http.ResponseWriter, r *http.Request) error {
	look, err := s.look(r.Context())
	if err != nil {
		return err
	}
	var rows []row
	for _, name := range look.decisionFiles() {
		head := headOf(look.files[name])
		one := row{ID: idOf(name), File: name, Title: langOf(r).Title(head.title), State: look.state(head.id, name),
			Mistakes: mistakes(look.of(name))}
		if one.Title == "" {
			one.Title = one.ID
		}
		rows = append(rows, one)
	}
	return s.show(w, r, "decisions", map[string]any{"Decisions": rows})
}

// idOf is a file's name in addresses.
func idOf(file string) string { return strings.TrimSuffix(path.Base(file), ".yaml") }

// state compares a decision with what is in force.
func (l *look) state(id, file string) string {
	if l.inForce == nil {
		return isDraft
	}
	d := l.inForce.Decision(id)
	switch {
	case d == nil:
		return isNew
	case l.inForce.Suspension(id) != nil:
		return isStopped
	case string(d.YAML) == string(l.files[file]):
		return isVoted
	}
	return isChanged
}

// sentence is a finding in words.
type sentence struct {
	Line       int
	What, Mend string
	Warning    bool
}

// inWords are findings in a language.
func inWords(list []check.Finding, l explain.Lang) (out []sentence) {
	for _, f := range list {
		what, mend := f.Text(l)
		out = append(out, sentence{f.Line, brief.Report(what), brief.Report(mend), f.Warning()})
	}
	return out
}

// spoken is the text of a decision in one language.
type spoken struct{ Lang, Text string }

// texts are what residents will read, in each language of the city.
func texts(p *bundle.Policy, id string) (list []spoken, err error) {
	d := p.Decision(id)
	if d == nil {
		return nil, errors.New("the decision cannot be read")
	}
	for _, code := range p.Charter.City.Languages {
		l, ours := explain.Understand(code)
		if !ours {
			continue
		}
		text, err := explain.Decision(l, p, d, explain.Vote{})
		if err != nil {
			return nil, err
		}
		list = append(list, spoken{l.String(), text})
	}
	return list, nil
}

// draft is one decision: what is wrong with it, and what residents will read.
func (s *Server) draft(w http.ResponseWriter, r *http.Request) error {
	look, err := s.look(r.Context())
	if err != nil {
		return err
	}
	file := "decisions/" + r.PathValue("id") + ".yaml"
	raw, there := look.files[file]
	if !there {
		return errMissing
	}
	head := headOf(raw)
	said, found := []spoken(nil), look.of(file)
	if p, err := bundle.Read(look.files); err == nil {
		if said, err = texts(p, head.id); err != nil {
			return err
		}
	}
	title := langOf(r).Title(head.title)
	return s.show(w, r, "draft", map[string]any{"ID": idOf(file), "File": file, "Title": title, "YAML": string(raw),
		"Findings": inWords(found, langOf(r)), "Texts": said})
}
