package studio

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/simulate"
	"sluice/studio/picture"
)

// drafted is a decision of the directory, read.
type drafted struct {
	file, sum string // sum is of the state that is read
	policy    *bundle.Policy
	decision  *bundle.Decision
}

// errMistakes: the draft cannot be read, so nothing can be tried.
var errMistakes = &fault{http.StatusUnprocessableEntity, "see.mistakes"}

// drafted reads a decision as the Draft page has it, saved or not. Where another decision has
// mistakes, it is read alone.
func (s *Server) drafted(r *http.Request) (*drafted, error) {
	file, err := fileOf(r)
	if err != nil {
		return nil, err
	}
	sheet, err := s.drafts.look(file)
	if err != nil {
		return nil, err
	}
	files, err := s.desk.Files()
	if err != nil {
		return nil, err
	}
	d := &drafted{file: file, sum: stateOf(sheet.Text)}
	files[file] = []byte(sheet.Text)
	if d.policy, err = bundle.Read(files); err != nil {
		for name := range files {
			if strings.HasPrefix(name, "decisions/") && name != file {
				delete(files, name)
			}
		}
		if d.policy, err = bundle.Read(files); err != nil {
			return nil, errMistakes
		}
	}
	at := slices.IndexFunc(d.policy.Decisions, func(x bundle.Decision) bool { return x.File == file })
	if at < 0 {
		return nil, errMistakes
	}
	d.decision = &d.policy.Decisions[at]
	return d, nil
}

// speech is what simulate says its sentences in.
func (s *Server) speech(l explain.Lang) simulate.Speech {
	if s.o.Speech == nil {
		return nil
	}
	return s.o.Speech(l)
}

// rehearsal is the form's street, under a policy's decision.
func (s *Server) rehearsal(
	r *http.Request, f wanted, p *bundle.Policy, d *bundle.Decision,
) (*simulate.Rehearsal, error) {
	l := langOf(r)
	key := l.String() + " " + f.answers.String()
	var tr simulate.Traffic
	switch one := s.recordings.get(f.Street); {
	case one != nil:
		key = l.String() + " " + one.id
		var err error
		if tr, err = one.r.InZones(p, d); err != nil {
			return nil, &simulate.Lacks{Decision: d.Decision, Sentences: []string{s.retell(r, err.Error())}}
		}
		tr.Name = one.name
	case f.Street == "city":
		key = l.String() + " city"
		tr = simulate.City(p, d, 1, 1)
		tr.Name = say(l, "see.city")
	default:
		tr = f.answers.Traffic(p, d, 1, 1)
		tr.Name = say(l, "see.street")
	}
	return s.streets.get(r.Context(), p, d, key, s.speech(l), tr)
}

// sources are what a draft can be tried on.
func (s *Server) sources(l explain.Lang, d *bundle.Decision, f *wanted) []choice {
	list := []choice{{"answers", say(l, "see.answers"), false}}
	if simulate.InCity(d) {
		list = append(list, choice{"city", say(l, "see.city"), false})
	}
	for _, x := range s.recordings.all() {
		list = append(list, choice{x.id, x.name, false})
	}
	at := max(0, slices.IndexFunc(list, func(c choice) bool { return c.Value == f.Street }))
	list[at].Chosen, f.Street = true, list[at].Value
	return list
}

// try fills in what comes of the form.
func (s *Server) try(r *http.Request, d *drafted, page *seen, propose bool) error {
	l, f := langOf(r), &page.Form
	own, err := s.rehearsal(r, *f, d.policy, d.decision)
	if lack := (*simulate.Lacks)(nil); errors.As(err, &lack) {
		page.Wrong = append(page.Wrong, lack.Sentences...)
		return nil
	} else if err != nil {
		return err
	}
	page.Notes = own.Notes
	first, err := own.Try(f.values, f.Seed)
	if err != nil {
		page.Wrong = append(page.Wrong, say(l, "see.wrong.together"))
		return nil
	}
	page.choose(l, d, first)
	second, heading, err := s.beside(r, d, own, f)
	if err != nil {
		return err
	}
	page.Besides = s.besides(l, f)
	sides := []*simulate.Trial{first}
	if second != nil && second.Values != first.Values || second != nil && f.Beside == "force" {
		sides = append(sides, second)
	}
	number := slices.IndexFunc(page.Numbers, func(c choice) bool { return c.Chosen })
	var series [][]simulate.Point
	for _, t := range sides {
		number = min(number, len(t.Shown)-1) // what is in force may have fewer
		series = append(series, t.Of(f.Cell, number))
	}
	top := picture.Top(series...)
	for i, t := range sides {
		about := teller{l, d.policy, d.decision, t, number}
		one := side{Heading: heading, Caption: page.caption(), Sentences: about.sentences(), Breaks: about.breaks(),
			Rows: about.rows(series[i])}
		if i == 0 {
			one.Heading = say(l, "see.these")
		}
		one.Counts = slices.ContainsFunc(series[i], func(p simulate.Point) bool { return p.Counted != p.Truth })
		one.Picture = picture.Picture{
			ID: fmt.Sprintf("picture-%d", i+1), Title: one.Heading, About: strings.Join(one.Sentences, " "),
			Points: series[i], Every: t.Values.Every.Nominal(), Top: top, Loc: d.policy.Location, Number: l.Number,
		}.SVG()
		page.Sides = append(page.Sides, one)
	}
	if propose && page.About {
		p, err := own.Propose(f.values, nil)
		if err != nil {
			return err
		}
		page.Proposal = proposed(l, page, p)
	}
	return nil
}

// caption is the place and the number that are drawn.
func (page *seen) caption() string {
	chosen := func(list []choice) string {
		return list[max(0, slices.IndexFunc(list, func(c choice) bool { return c.Chosen }))].Words
	}
	return chosen(page.Cells) + ": " + chosen(page.Numbers)
}

// choose fills in what can be looked at, and takes the busiest place where none is chosen.
func (page *seen) choose(l explain.Lang, d *drafted, t *simulate.Trial) {
	f := &page.Form
	if !slices.Contains(t.Cells, f.Cell) {
		f.Cell = t.Cell
	}
	if f.Cell == "" {
		f.Cell = t.Cells[0]
	}
	for _, c := range t.Cells {
		page.Cells = append(page.Cells, choice{c, cellWords(l, d.policy, d.decision, c), c == f.Cell})
	}
	if !slices.Contains(t.Shown, f.Number) {
		f.Number = t.Shown[0]
	}
	for _, n := range t.Shown {
		page.Numbers = append(page.Numbers, choice{n, numberWords(l, d.decision, n), n == f.Number})
	}
}

// beside is what the draft is compared with, and what that is called.
func (s *Server) beside(
	r *http.Request, d *drafted, own *simulate.Rehearsal, f *wanted,
) (t *simulate.Trial, heading string, err error) {
	l := langOf(r)
	switch parts := strings.Split(f.Beside, ","); {
	case f.Beside == "none":
		return nil, "", nil
	case f.Beside == "force":
		p, err := s.desk.inForce()
		if err != nil || p == nil {
			return nil, "", err
		}
		old := simulate.Matching(p, d.decision)
		if old == nil {
			return nil, "", nil
		}
		rehearsal, err := s.rehearsal(r, *f, p, old)
		if err != nil { // its kinds or zones are others: there is nothing to compare
			return nil, "", nil
		}
		t, err = rehearsal.Try(simulate.ValuesOf(old), f.Seed)
		return t, say(l, "see.beside.force"), err
	case len(parts) == 4:
		other := wanted{}
		v := other.read(parts[0], parts[1], parts[2], parts[3])
		if len(other.wrong) > 0 {
			return nil, "", nil
		}
		if t, err = own.Try(v, f.Seed); err != nil {
			return nil, "", nil // kept before the draft changed
		}
		return t, say(l, "see.kept", l.Period(v.Every), v.MinUnits, l.Number(v.Epsilon), v.MaxContributions), nil
	}
	t, err = own.Try(simulate.ValuesOf(d.decision), f.Seed)
	return t, say(l, "see.beside.file"), err
}

// besides are what a draft can be compared with.
func (s *Server) besides(l explain.Lang, f *wanted) (list []choice) {
	keys := []string{"file", "none"}
	if p, err := s.desk.inForce(); err == nil && p != nil {
		keys = []string{"file", "force", "none"}
	}
	for _, key := range keys {
		list = append(list, choice{key, say(l, "see.beside."+key), f.Beside == key})
	}
	if strings.Contains(f.Beside, ",") {
		parts := strings.Split(f.Beside+",,,", ",")
		list = append(list, choice{f.Beside, say(l, "see.beside.kept", parts[0], parts[1], parts[2], parts[3]), true})
	}
	return list
}

// proposed is the proposal in words, with the form as it would be.
func proposed(l explain.Lang, page *seen, p *simulate.Proposal) *proposal {
	if p == nil {
		return nil
	}
	f := page.Form
	same := p.Every == f.values.Every.String() && p.MaxContributions == f.values.MaxContributions
	f.Every, f.Times = p.Every, fmt.Sprint(p.MaxContributions)
	q := f.Query()
	text := say(l, "see.proposed.one", l.Each(mustPeriod(p.Every)))
	if p.MaxContributions > 1 {
		text = say(l, "see.proposed.other", l.Each(mustPeriod(p.Every)), p.MaxContributions)
	}
	return &proposal{Why: why(l, p, same), Link: "/see/" + url.PathEscape(page.ID) + "?" + q.Encode(), Same: same,
		Text: text}
}

// why explains a proposal beside what the form says.
func why(l explain.Lang, p *simulate.Proposal, same bool) (out []string) {
	w := teller{l: l}
	off, now := w.figure(p.Error), w.figure(p.Draft.Error)
	hold, held := w.percent(p.Inside), w.percent(p.Draft.Inside)
	switch {
	case same:
		out = append(out, say(l, "see.why.same", off, hold))
	case p.Error > p.Draft.Error: // it says more often what is true, and less exactly
		out = append(out, say(l, "see.why.dearer", hold, held, off, now))
	default:
		out = append(out, say(l, "see.why.better", off, now, hold, held))
	}
	switch b := p.Beyond; {
	case b != nil:
		out = append(out, say(l, "see.why.beyond", b.MaxContributions, l.Each(mustPeriod(b.Every)),
			w.percent(b.Inside)))
	case !p.Holds():
		out = append(out, say(l, "see.why.none"))
	}
	return append(out, say(l, "see.why.rule"))
}

// when is a window's time in the table.
func when(t time.Time, every time.Duration, loc *time.Location) string {
	return t.In(loc).Format("15:04") + "–" + t.Add(every).In(loc).Format("15:04")
}
