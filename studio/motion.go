package studio

import (
	"net/http"
	"path"

	"sluice/brief"
	"sluice/policy/ballot"
	"sluice/policy/council"
	"sluice/policy/explain"
	"sluice/policy/papers"
	"sluice/policy/papers/pdf"
)

// motionView is what a motion's page shows.
type motionView struct {
	motionRow
	City, Sum, Namespace, StatementNamespace string
	Until                                    string
	Left                                     int
	Open, Enactable, Enacted                 bool
	People                                   []person
	Lead                                     string
	Sections                                 []papers.Section
	Text                                     string
	Problems                                 []trouble
	// Assess is what the impact assessment says of what is new or protects less.
	Assess []papers.Assessment
	// Wrong is why what was handed in is not taken.
	Wrong string
	// Prints says whether a browser of this machine prints PDF.
	Prints bool
	// Inboxes are where a copy goes when it is enacted.
	Inboxes string
	// Gateway is the line of gateway.yaml that a first motion is taken by.
	Gateway string
}

// person is a member of the roster that votes.
type person struct{ Name, ID, State, Reason, Key string }

// trouble is a file among the ballots that does not count as it is called.
type trouble struct{ Sentence, Detail string }

// motion is the page of one motion.
func (s *Server) motion(w http.ResponseWriter, r *http.Request) error {
	p, err := s.open(r)
	if err != nil {
		return err
	}
	return s.motionWith(w, r, p, http.StatusOK, "")
}

// motionWith is that page, with why what was handed in is not taken.
func (s *Server) motionWith(w http.ResponseWriter, r *http.Request, p *papers.Papers, status int, wrong string) error {
	l := langOf(r)
	v := motionView{Wrong: wrong, City: p.City, Sum: council.Sum(p.Text), Namespace: council.NamespaceOf(p.City),
		StatementNamespace: ballot.StatementNamespace(p.City), Left: p.Left(), Text: string(p.Text),
		Until: moment(l, p.Expires, p.Policy.Location), Enactable: p.Enactable() && p.Enacted == nil,
		Enacted: p.Enacted != nil}
	v.motionRow = motionRow{ID: p.ID, Version: p.Version, State: motionState(p, s.o.Now()), Signed: p.Standing.Signed,
		Needed: p.Standing.Needed, Against: p.Standing.Against, Abstained: p.Standing.Abstained, Missing: namesOf(l, p)}
	if p.Enacted != nil {
		v.When = moment(l, p.Enacted.From, p.Policy.Location)
	}
	v.Open = !v.Enacted && v.State != motionVoid
	v.Inboxes = l.List(s.o.Inboxes)
	if v.Enacted && p.Version == 1 {
		v.Gateway = s.gatewayLine(p.Roster)
	}
	v.Lead, v.Sections = p.Sections(l)
	v.Sections = papers.Decided(v.Sections) // how to sign is said above, as long as anybody can
	_, noBrowser := pdf.Browser()
	v.Prints = noBrowser == nil
	if v.Open {
		v.Assess = p.Assessments(l)
	}
	for _, m := range p.Standing.Members {
		v.People = append(v.People, personOf(m, p))
		for _, err := range []error{m.Problem, m.Misstated} {
			if err != nil {
				v.Problems = append(v.Problems, troubleOf(l, err))
			}
		}
	}
	for _, err := range p.Problems {
		v.Problems = append(v.Problems, troubleOf(l, err))
	}
	return s.showWith(w, r, status, "motion", v)
}

func personOf(m council.Voter, p *papers.Papers) person {
	one := person{Name: m.Name, ID: m.ID, State: "missing"}
	switch {
	case m.Signed:
		if one.State, one.Key = "for", p.Fingerprints[m.ID]; m.Reason != nil {
			one.Reason = m.Reason.Reason
		}
	case m.Statement != nil:
		one.State, one.Reason, one.Key = string(m.Statement.Choice), m.Statement.Reason, m.Statement.Fingerprint
	case m.Problem != nil || m.Misstated != nil:
		one.State = "invalid"
	}
	return one
}

func troubleOf(l explain.Lang, err error) trouble {
	t := trouble{say(l, "vote.other"), brief.Report(err.Error())}
	if council.IsMisnamed(err) {
		t.Sentence = say(l, "vote.misnamed")
	} else if f, known := voteFault(err).(*fault); known {
		t.Sentence = say(l, f.key)
	}
	return t
}

// paper is a file of a motion, or one that is made of it.
func (s *Server) paper(w http.ResponseWriter, r *http.Request) error {
	p, err := s.open(r)
	if err != nil {
		return err
	}
	l, name := langOf(r), r.PathValue("paper")
	var raw []byte
	mime := "text/plain; charset=utf-8"
	switch name {
	case council.TextName:
		raw = p.Text
	case "page.html":
		mime = "text/html; charset=utf-8"
		raw, err = p.Page(l)
	case "minutes.html":
		mime = "text/html; charset=utf-8"
		raw, err = p.Minutes(l, brief.Text(r.URL.Query().Get("session")))
	case "page.pdf":
		mime = "application/pdf"
		if raw, err = p.Page(l); err == nil {
			raw, err = s.printed(r, raw)
		}
	case "minutes.pdf":
		mime = "application/pdf"
		if raw, err = p.Minutes(l, brief.Text(r.URL.Query().Get("session"))); err == nil {
			raw, err = s.printed(r, raw)
		}
	case "mail.txt":
		raw = p.Mail(l)
	case "days.ics":
		mime, raw = "text/calendar; charset=utf-8", p.Calendar(l)
	case council.SignersName, p.ID + ".sluice":
		mime = "application/octet-stream"
		if raw, err = s.kept(path.Join("motions", p.ID, name)); err == nil && raw == nil {
			return errMissing
		}
	default:
		return errMissing
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, err = w.Write(raw)
	return err
}
