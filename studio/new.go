package studio

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sluice/internal/names"
	"sluice/policy/bundle"
	"sluice/policy/templates"

	"sluice/internal/pattern"
)

// newPage asks for a new decision's number, and with what it begins.
type newPage struct {
	ID, Like  string
	Wrong     string // of the number, a sentence's key
	Unlike    string // of what it begins with
	Templates []beginning
	Decisions []beginning
}

// beginning is what a decision can begin with.
type beginning struct{ ID, Title, About string }

// newForm shows the templates, and the decisions that can be continued.
func (s *Server) newForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.policy()
	if err != nil {
		return err
	}
	page := newPage{ID: nextID(p, s.o.Now().Year()), Like: r.URL.Query().Get("like")}
	return s.show(w, r, "new", s.newPage(r, p, page))
}

func (s *Server) newPage(r *http.Request, p *bundle.Policy, page newPage) newPage {
	l := langOf(r)
	for _, t := range templates.List() {
		page.Templates = append(page.Templates, beginning{t.ID, l.Title(t.Name), l.Title(t.About)})
	}
	for _, d := range p.Decisions {
		page.Decisions = append(page.Decisions, beginning{d.Decision, l.Title(d.Title), d.Decision})
	}
	return page
}

// policy is the directory's, or errBroken: a decision is begun in one that can be read.
func (s *Server) policy() (*bundle.Policy, error) {
	files, err := s.desk.Files()
	if err != nil {
		return nil, err
	}
	p, err := bundle.Read(files)
	if err != nil {
		return nil, errBroken
	}
	return p, nil
}

// errBroken: some file of the policy cannot be read.
var errBroken = &fault{http.StatusConflict, "new.broken"}

// numbered is a decision's number as most councils write it.
var numbered = pattern.New(`^([0-9]{4})-([0-9]{1,6})$`)

// nextID is a number that no decision of this year has.
func nextID(p *bundle.Policy, year int) string {
	last := 0
	for _, d := range p.Decisions {
		if m := numbered.FindStringSubmatch(d.Decision); m != nil && m[1] == strconv.Itoa(year) {
			n, _ := strconv.Atoi(m[2]) // it is digits
			last = max(last, n)
		}
	}
	return fmt.Sprintf("%d-%02d", year, last+1)
}

// create writes a new decision, and what its template needs of kinds.yaml and charter.yaml.
func (s *Server) create(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	p, err := s.policy()
	if err != nil {
		return err
	}
	page := newPage{ID: strings.TrimSpace(r.PostForm.Get("id")), Like: r.PostForm.Get("like")}
	file := "decisions/" + page.ID + ".yaml"
	_, there := p.Files[file]
	switch {
	case !names.Valid(page.ID):
		page.Wrong = "new.bad-id"
	case p.Decision(page.ID) != nil || there:
		page.Wrong = "new.taken"
	}
	if page.Like == "" {
		page.Unlike = "new.nothing"
	}
	if page.Wrong == "" && page.Unlike == "" {
		err := s.begin(r, p, page, file)
		if err == nil {
			return s.goTo(w, r, "/draft/"+url.PathEscape(page.ID))
		}
		if !errors.Is(err, errLike) {
			return err
		}
		page.Unlike = errLike.key
	}
	return s.showWith(w, r, http.StatusUnprocessableEntity, "new", s.newPage(r, p, page))
}

// errLike: there is no such template or decision, or it cannot be copied.
var errLike = &fault{http.StatusUnprocessableEntity, "new.unlike"}

// begin writes the files, the decision's last.
func (s *Server) begin(r *http.Request, p *bundle.Policy, page newPage, file string) error {
	if d := p.Decision(page.Like); d != nil {
		text, err := templates.Like(p, d, page.ID, s.o.Now())
		if err != nil {
			return errLike
		}
		return s.desk.Write(file, none, text)
	}
	t, known := templates.Get(page.Like)
	if !known {
		return errLike
	}
	text := t.Decision(langOf(r), p, page.ID, s.o.Now())
	changed, _, err := t.Add(p)
	if err != nil {
		return err
	}
	if err := s.assess(t, page.ID); err != nil {
		return err
	}
	for name, raw := range changed {
		there, sum, err := s.desk.Read(name)
		if err != nil {
			return err
		}
		if string(there) != string(p.Files[name]) {
			return errChanged
		}
		if err := s.desk.Write(name, sum, raw); err != nil {
			return err
		}
	}
	return s.desk.Write(file, none, text)
}
