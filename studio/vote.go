package studio

import (
	"cmp"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"time"

	"sluice/internal/civil"
	"sluice/policy/ballot"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/explain"
	"sluice/policy/papers"
	"sluice/policy/workspace"
)

// registerVote is the list of the vote's pages.
func (s *Server) registerVote() {
	s.page("GET /vote", s.motions)
	s.page("POST /vote", s.table)
	s.page("POST /vote/suspend", s.suspend)
	s.page("GET /vote/{id}", s.motion)
	s.page("GET /vote/{id}/{paper}", s.paper)
	s.page("POST /vote/{id}/ballot", s.ballot)
	s.page("POST /vote/{id}/withdraw", s.withdraw)
	s.page("POST /vote/{id}/enact", s.enact)
}

// clerk is the directory as the verbs of sluice motion see it.
func (s *Server) clerk() workspace.Dir { return workspace.Dir(s.desk.dir) }

// inside reports whether what stands under a name is within the directory, also behind a link.
func (s *Server) inside(name string) error {
	_, err := s.desk.root.Stat(name)
	return err
}

// open finds the motion of a request's address.
func (s *Server) open(r *http.Request) (*papers.Papers, error) {
	id := r.PathValue("id")
	if !council.GoodID(id) || s.inside(path.Join("motions", id, council.TextName)) != nil ||
		s.inside(path.Join("motions", id, council.BallotsName)) != nil {
		return nil, errMissing
	}
	p, err := papers.Open(s.clerk(), id, s.o.Now())
	return p, voteFault(err)
}

// States of a motion: the classes and the words of a page.
const (
	motionOpen    = "open"     // more must sign
	motionEnough  = "enough"   // it can be enacted
	motionComing  = "coming"   // enacted, and waits for its time
	motionInForce = "in-force" // enacted, and the last that is in force
	motionPast    = "past"     // enacted, and another one followed
	motionVoid    = "void"     // not enacted in time, or another one was
)

// maxMotions bounds the list: thirty years of a motion each month.
const maxMotions = 400

// motionRow is a motion in the list.
type motionRow struct {
	ID, State, When, Missing string
	Version                  int
	Signed, Needed           int
	Against, Abstained       int
}

// motions is the first page of the vote: every motion, what can be put to the vote, and what can
// be stopped.
func (s *Server) motions(w http.ResponseWriter, r *http.Request) error {
	return s.motionsWith(w, r, http.StatusOK, order{})
}

// order is what was asked for on that page, and what stands in the way.
type order struct {
	ID, Decision string
	Reasons      map[string]string
	WrongID      string // keys of sentences, at their fields
	WrongReason  string
	There        bool // a motion of this name is there, and nobody has signed it
	Wrong        []obstacle
}

// motionsWith is that page, with what stands in the way of the motion that was asked for.
func (s *Server) motionsWith(w http.ResponseWriter, r *http.Request, status int, asked order) error {
	chain, err := s.clerk().Chain()
	if err != nil {
		return voteFault(err)
	}
	entries, err := s.motionNames()
	if err != nil {
		return err
	}
	var rows []motionRow
	for _, id := range entries {
		rows = append(rows, s.row(langOf(r), id, chain))
	}
	slices.SortStableFunc(rows, func(a, b motionRow) int { return cmp.Compare(b.Version, a.Version) })
	return s.showWith(w, r, status, "vote", map[string]any{"Motions": rows, "Asked": asked,
		"Stoppable": s.stoppable(langOf(r), chain), "Langs": s.cityLanguages(chain)})
}

// motionNames are the directories of motions, newest names last.
func (s *Server) motionNames() (list []string, err error) {
	dir, err := s.desk.root.Open("motions")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(maxMotions)
	if len(entries) == 0 { // none is an error to ReadDir
		return nil, nil
	}
	for _, e := range entries {
		if council.GoodID(e.Name()) && s.inside(path.Join("motions", e.Name(), council.TextName)) == nil {
			list = append(list, e.Name())
		}
	}
	slices.Sort(list)
	return list, err
}

// row is one motion. One that cannot be read, or that cannot follow any more, is void.
func (s *Server) row(l explain.Lang, id string, chain []*council.Enacted) motionRow {
	current := workspace.InForce(chain, s.o.Now())
	for i, e := range chain {
		if e.ID != id {
			continue
		}
		row := motionRow{ID: id, Version: e.Version, State: motionPast, Signed: len(e.Ballots),
			Needed: needed(chain, i), When: moment(l, e.From, e.Policy.Location)}
		for _, x := range e.Statements {
			row.count(x.Choice)
		}
		switch {
		case i >= len(current):
			row.State = motionComing
		case i == len(current)-1:
			row.State = motionInForce
		}
		return row
	}
	p, err := papers.Open(s.clerk(), id, s.o.Now())
	if err != nil {
		return motionRow{ID: id, State: motionVoid}
	}
	row := motionRow{ID: id, Version: p.Version, State: motionState(p, s.o.Now()), Signed: p.Standing.Signed,
		Needed: p.Standing.Needed, Against: p.Standing.Against, Abstained: p.Standing.Abstained,
		When: moment(l, p.Expires, p.Policy.Location)}
	row.Missing = namesOf(l, p)
	return row
}

// needed is how many had to be for the motion at i. Its file was opened without asking that again.
func needed(chain []*council.Enacted, i int) int {
	var previous *bundle.Policy
	if i > 0 {
		previous = chain[i-1].Policy
	}
	n, _ := council.Quorum(previous, chain[i].Policy, chain[i].Changes)
	return n
}

func (m *motionRow) count(choice ballot.Choice) {
	switch choice {
	case ballot.Against:
		m.Against++
	case ballot.Abstain:
		m.Abstained++
	}
}

// namesOf are those who have not voted.
func namesOf(l explain.Lang, p *papers.Papers) string {
	var names []string
	for _, m := range p.Missing() {
		names = append(names, m.Name)
	}
	return l.List(names)
}

// motionState is the state of a motion.
func motionState(p *papers.Papers, now time.Time) string {
	switch {
	case p.Enacted != nil && p.Enacted.From.After(now):
		return motionComing
	case p.Enacted != nil:
		return motionInForce
	case !now.Before(p.Expires):
		return motionVoid
	case p.Enactable():
		return motionEnough
	}
	return motionOpen
}

// moment is an instant in words: 10 December 2026, 00:00.
func moment(l explain.Lang, t time.Time, loc *time.Location) string {
	y, m, d := t.In(loc).Date()
	return l.Date(civil.Date{Year: y, Month: int(m), Day: d}) + ", " + t.In(loc).Format("15:04")
}

// stop is a decision that can be suspended.
type stoppable struct{ ID, Title string }

// stoppable are the decisions in force that are not suspended.
func (s *Server) stoppable(l explain.Lang, chain []*council.Enacted) (list []stoppable) {
	last := workspace.Last(workspace.InForce(chain, s.o.Now()))
	if last == nil {
		return nil
	}
	for i := range last.Policy.Decisions {
		d := &last.Policy.Decisions[i]
		if last.Policy.Suspension(d.Decision) == nil {
			list = append(list, stoppable{d.Decision, l.Title(d.Title)})
		}
	}
	return list
}

// cityLanguages are those in which the city's council gives its reasons.
func (s *Server) cityLanguages(chain []*council.Enacted) (list []string) {
	last := workspace.Last(workspace.InForce(chain, s.o.Now()))
	if last == nil {
		return nil
	}
	for _, code := range last.Policy.Charter.City.Languages {
		if slices.Contains(explain.Languages, code) {
			list = append(list, code)
		}
	}
	return list
}

// voteFault is a refusal of the council's rules as a sentence of the page's language.
func voteFault(err error) error {
	var r *council.Refusal
	if errors.As(err, &r) {
		key := "vote.code." + string(r.Code)
		if _, ok := textOf(0, key); ok {
			return &fault{http.StatusConflict, key}
		}
	}
	return err
}
