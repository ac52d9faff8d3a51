package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/decision"
	"sluice/policy/workspace"
)

// decisionState is the state of one decision at an instant.
type decisionState struct {
	doc   *bundle.Decision // as it is in force, or the newest
	by    *council.Enacted // the motion that gave it its text
	state state
	// since is when it was suspended, ended or came into force; zero if that is not known.
	since time.Time
	// reason of a suspension.
	reason decision.Words
	// next is the first waiting motion that changes it; how is the sentence about that.
	next *council.Enacted
	how  string
}

type state string

// The states, by their English sentences.
const (
	inForce   state = "in force"
	coming    state = "coming"
	suspended state = "suspended"
	ended     state = "ended"
)

// statesOf returns the state of every decision of a chain at an instant, by id.
func statesOf(chain []*council.Enacted, now time.Time) []*decisionState {
	var ids []string
	for _, e := range chain {
		for i := range e.Policy.Decisions {
			ids = append(ids, e.Policy.Decisions[i].Decision)
		}
	}
	slices.Sort(ids)
	var out []*decisionState
	for _, id := range slices.Compact(ids) {
		out = append(out, stateOf(id, chain, now))
	}
	return out
}

// stateOf returns the state of one decision.
func stateOf(id string, chain []*council.Enacted, now time.Time) *decisionState {
	current := workspace.InForce(chain, now)
	last := workspace.Last(current)
	s := &decisionState{}
	stopped := func(e *council.Enacted) bool { return e.Policy.Suspension(id) != nil }
	for i, e := range chain {
		doc := e.Policy.Decision(id)
		started := i < len(current)
		switch {
		case doc == nil && s.doc == nil:
		case doc == nil && started: // it was taken away
			if s.state != ended {
				s.state, s.since = ended, e.From
			}
		case doc == nil:
			s.waits(e, "motion %s ends it on %s")
		case started || s.doc == nil || s.state == ended:
			s.takes(e, doc)
		case string(s.doc.YAML) != string(doc.YAML):
			s.waits(e, "motion %s changes it on %s")
		case last != nil && !stopped(last) && stopped(e):
			s.waits(e, "motion %s suspends it on %s")
		case last != nil && stopped(last) && !stopped(e):
			s.waits(e, "motion %s lifts the suspension on %s")
		}
	}
	if s.state != ended {
		s.stands(id, last, now)
	}
	return s
}

// takes records a decision of a motion; an unchanged one keeps the motion that decided it.
func (s *decisionState) takes(e *council.Enacted, doc *bundle.Decision) {
	if s.doc == nil || string(s.doc.YAML) != string(doc.YAML) || s.state == ended {
		s.by = e
	}
	s.doc, s.state, s.since = doc, "", e.From
}

// stands sets the state of a decision that no motion has ended: over, suspended, coming or in
// force. The last motion in force is nil if there is none.
func (s *decisionState) stands(id string, last *council.Enacted, now time.Time) {
	here := last != nil && last.Policy.Decision(id) != nil
	from, until := s.doc.Stream.From, s.doc.Stream.Until
	if s.by.From.After(from) && s.by.From.After(now) {
		from = s.by.From
	}
	switch {
	case !now.Before(until):
		s.state, s.since = ended, until
	case here && last.Policy.Suspension(id) != nil:
		x := last.Policy.Suspension(id)
		s.state, s.reason, s.since = suspended, x.Reason, time.Time{}
		if x.Since != (civil.Date{}) {
			s.since = x.Since.Start(last.Policy.Location)
		}
	case now.Before(from):
		s.state, s.since = coming, from
	default:
		s.state, s.since = inForce, time.Time{}
	}
}

// waits records the first waiting motion that changes the decision.
func (s *decisionState) waits(e *council.Enacted, how string) {
	if s.next == nil {
		s.next, s.how = e, how
	}
}

// remindBefore is how many days before a decision's last day motion show reminds of it.
const remindBefore = 60

func (s *decisionState) show(w io.Writer, v locale, now time.Time) {
	loc := s.by.Policy.Location
	on := func(t time.Time) string { return v.Lang.Date(day(t.In(loc))) }
	state := v.Say(string(s.state))
	why, _ := s.reason.Best(v.Lang.String())
	switch {
	case s.state == coming:
		state = v.Say("coming, from %s", on(s.since))
	case s.state == ended && s.since.Equal(s.doc.Stream.Until):
		state = v.Say("ended; its last day was %s", v.Lang.Date(s.doc.Until))
	case s.state == ended:
		state = v.Say("ended on %s", on(s.since))
	case s.state == suspended && s.since.IsZero():
		state = v.Say("suspended: %s", why)
	case s.state == suspended:
		state = v.Say("suspended since %s: %s", on(s.since), why)
	}
	fmt.Fprintf(w, "%s  %s  (%s)\n", s.doc.Decision, v.Lang.Title(s.doc.Title), state)
	fmt.Fprintf(w, "    %s\n", v.Say("from %s until %s, by motion %s with %s",
		v.Lang.Date(s.doc.From), v.Lang.Date(s.doc.Until), s.by.ID, v.List(s.by.Members())))
	if s.next != nil {
		fmt.Fprintf(w, "    %s\n", v.Say(s.how, s.next.ID, v.moment(s.next.From, loc)))
	}
	if s.state != inForce {
		return
	}
	if days := int(s.doc.Stream.Until.Sub(now).Hours() / 24); days < remindBefore {
		fmt.Fprintf(w, "    %s\n", v.Say("REMINDER: it ends %s; nothing of it is published after its last day",
			v.days(days)))
	}
	if r := s.doc.Review; r != (civil.Date{}) && now.AddDate(0, 0, remindBefore/2).After(r.Start(loc)) {
		fmt.Fprintf(w, "    %s\n", v.Say("REMINDER: the council wanted to look at it again by %s", v.Lang.Date(r)))
	}
}

// days is how soon a last day comes, in words.
func (v locale) days(n int) string {
	switch n {
	case 0:
		return v.Say("today")
	case 1:
		return v.Say("tomorrow")
	}
	return v.Say("in %d days", n)
}
