package studio

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/simulate"
)

// seen is the page on which a draft is tried: the form as it was filled in, and what comes of it.
type seen struct {
	ID, File, Title, Sum string
	Form                 wanted
	About                bool // it is about people: there is something to protect
	Asks                 string
	Sources              []choice
	Columns              string // of a file of readings
	Unread               string // why a file cannot be used
	Limits               limits
	Windows              []choice
	Cells, Numbers       []choice
	Besides              []choice
	Wrong                []string // what in the form cannot be used
	Notes                []string
	Sides                []side
	Proposal             *proposal
	Written              string // saved, unsaved, or none
	Fixed                bool   // by_owner: the contributions are parts of a sum
}

// choice is an entry of a list to choose from.
type choice struct {
	Value, Words string
	Chosen       bool
}

// limits are between what the sliders move.
type limits struct {
	LeastUnits, MostUnits, MostTimes int64
	MostEpsilon                      float64
}

// side is one of the drafts beside each other.
type side struct {
	Heading   string
	Picture   template.HTML
	Caption   string // the place and the number
	Sentences []string
	Breaks    []string // what the charter does not allow
	Rows      []tried
	Counts    bool // some of what passed was not counted
}

// tried is one window in the table.
type tried struct{ When, Passed, Counted, Value, Band, Status string }

// proposal is what would serve best.
type proposal struct {
	Text, Link string
	Why        []string
	Same       bool // it is what the form says
}

// tries lists the drafts that can be tried, also those that check finds much wrong with.
func (s *Server) tries(w http.ResponseWriter, r *http.Request) error {
	files, err := s.desk.Files()
	if err != nil {
		return err
	}
	var list []beginning
	for _, name := range (&look{files: files}).decisionFiles() {
		one := beginning{ID: idOf(name), Title: langOf(r).Title(headOf(files[name]).title), About: name}
		if one.Title == "" {
			one.Title = one.ID
		}
		list = append(list, one)
	}
	return s.show(w, r, "tries", list)
}

// see shows what a draft would publish of a street.
func (s *Server) see(w http.ResponseWriter, r *http.Request) error {
	page, err := s.seen(r, true)
	if err != nil {
		return err
	}
	if how := r.URL.Query().Get("written"); how == "saved" || how == "unsaved" {
		page.Written = how
	}
	return s.show(w, r, "see", page)
}

// seeResult is the part of that page that a slider changes, for its script.
func (s *Server) seeResult(w http.ResponseWriter, r *http.Request) error {
	page, err := s.seen(r, false)
	if err != nil {
		return err
	}
	return s.part(w, r, "see", "result", page)
}

// seeProposal is the part that takes longer.
func (s *Server) seeProposal(w http.ResponseWriter, r *http.Request) error {
	page, err := s.seen(r, true)
	if err != nil {
		return err
	}
	return s.part(w, r, "see", "proposal", page)
}

// seeProgress is how far the street of a form is made, in percent.
func (s *Server) seeProgress(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := w.Write([]byte(strconv.Itoa(s.streets.percent())))
	return err
}

// seen computes the page. Without the proposal it takes milliseconds, once the street is made.
func (s *Server) seen(r *http.Request, propose bool) (*seen, error) {
	d, err := s.drafted(r)
	if err != nil {
		return nil, err
	}
	l := langOf(r)
	page := &seen{ID: r.PathValue("id"), File: d.file, Sum: d.sum, Title: l.Title(d.decision.Title),
		About: !d.decision.Stream.Unit.None(), Asks: asks(d.decision), Columns: columns(d.decision),
		Fixed: len(d.decision.Stream.OwnerParts()) > 0}
	page.Form = readForm(r.URL.Query(), d.decision)
	page.Sources = s.sources(l, d.decision, &page.Form)
	page.Limits = limitsOf(d)
	page.Windows = windows(l, d.decision, page.Form.values)
	for _, key := range page.Form.wrong {
		page.Wrong = append(page.Wrong, say(l, "see.wrong."+key))
	}
	if len(page.Wrong) > 0 {
		return page, nil
	}
	return page, s.try(r, d, page, propose)
}

// asks is what the first answer is about: who passes, homes, or readings.
func asks(d *bundle.Decision) string {
	switch u := d.Stream.Unit; {
	case u.None():
		return "readings"
	case u.Sensor:
		return "homes"
	}
	return "passes"
}

// windows are those that a day, or what is forgotten, divides into.
func windows(l explain.Lang, d *bundle.Decision, now simulate.Values) (list []choice) {
	for _, w := range simulate.Windows(d) {
		list = append(list, choice{w.String(), l.Period(w), w.Nominal() == now.Every.Nominal()})
	}
	return list
}

// limitsOf are the charter's, and wide enough for what the draft says.
func limitsOf(d *drafted) limits {
	p, c := d.decision.Stream.Protect, d.policy.Charter
	most := c.EpsilonPerDay[d.decision.Stream.Unit.StandsFor] / float64(d.decision.EpochsPerDay())
	return limits{LeastUnits: max(1, min(c.MinUnits, p.MinUnits)), MostUnits: max(60, 2*p.MinUnits),
		MostTimes: max(1, c.MaxContributions, p.MaxContributions), MostEpsilon: max(.1, most, p.Epsilon)}
}

// seeWrite makes the form's values the draft's newest state, which the Draft page can undo, and saves
// it unless there was something unsaved already. The file's comments stay.
func (s *Server) seeWrite(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	d, err := s.drafted(r)
	if err != nil {
		return err
	}
	f := readForm(r.PostForm, d.decision)
	if len(f.wrong) > 0 {
		return &fault{http.StatusBadRequest, "see.wrong." + f.wrong[0]}
	}
	unsaved := s.drafts.unsaved(d.file)
	_, err = s.drafts.with(d.file, func(h *history) error {
		if stateOf(h.text()) != r.PostForm.Get("sum") {
			return errChanged
		}
		raw, err := withValues([]byte(h.text()), d.decision, f.values)
		if err == nil {
			h.add(string(raw))
		}
		return err
	})
	q := f.Query()
	q.Set("written", "unsaved")
	if err == nil && !unsaved {
		err = s.drafts.save(d.file, false)
		q.Set("written", "saved")
	}
	if err != nil {
		return err
	}
	return s.goTo(w, r, "/see/"+url.PathEscape(r.PathValue("id"))+"?"+q.Encode())
}

// withValues is a decision's file with these values.
func withValues(raw []byte, d *bundle.Decision, v simulate.Values) ([]byte, error) {
	type put struct {
		value any
		path  []string
	}
	now, list := simulate.ValuesOf(d), []put(nil)
	if v.Every.Nominal() != now.Every.Nominal() {
		list = append(list, put{v.Every.String(), []string{"publish", "every"}})
	}
	if !d.Stream.Unit.None() {
		if v.MinUnits != now.MinUnits {
			list = append(list, put{v.MinUnits, []string{"protect", "min_units"}})
		}
		if v.Epsilon != now.Epsilon {
			list = append(list, put{v.Epsilon, []string{"protect", "epsilon"}})
		}
		if v.MaxContributions != now.MaxContributions && len(d.Stream.OwnerParts()) == 0 {
			list = append(list, put{v.MaxContributions, []string{"protect", "max_contributions"}})
		}
	}
	for _, p := range list {
		var err error
		if raw, err = yamldoc.Set(raw, p.value, p.path...); err != nil {
			return nil, err
		}
	}
	return slices.Clone(raw), nil
}
