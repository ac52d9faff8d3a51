package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/decision"
	"sluice/policy/desk"
)

func motionShow(dir *string) *cobra.Command {
	var at string
	c := &cobra.Command{
		Use: "show", Short: "Say what is in force, since when, by whose votes, and until when", Args: cobra.NoArgs,
		Long: "What is in force now, what waits for its time, and what becomes of each decision. With --at it is said of the end of\n" +
			"another day, as far as it is voted already.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := speak(cmd)
			if err != nil {
				return err
			}
			d := desk.Desk(*dir)
			chain, err := d.Chain()
			if err != nil {
				return wrong(err)
			}
			now := time.Now()
			if at != "" {
				var of civil.Date
				if err := of.UnmarshalText([]byte(at)); err != nil {
					return &usageError{v.Say("--at is a day, e.g. 2026-12-10")}
				}
				loc := time.Local
				if last := desk.Last(chain); last != nil {
					loc = last.Policy.Location
				}
				of.Day++
				now = of.Start(loc).Add(-time.Second)
			}
			if len(chain) == 0 {
				return showNothing(cmd.OutOrStdout(), v, d)
			}
			show(cmd.OutOrStdout(), v, chain, now)
			return nil
		},
	}
	c.Flags().StringVar(&at, "at", "", "a day, e.g. 2026-12-10; by default now")
	return c
}

func showNothing(w io.Writer, v voice, d desk.Desk) error {
	files, err := compile.ReadDir(string(d))
	if err != nil {
		return wrong(err)
	}
	roster, ok := files["council.yaml"]
	if !ok {
		return wrong(errors.New("there is no council.yaml here; say where the policy directory is with --dir"))
	}
	fmt.Fprintf(w, "%s\n%s\n%s\n", v.Say("No motion has been enacted yet: nothing flows."),
		v.Say("The roster in council.yaml, as gateways pin it: %s", fmt.Sprintf("roster: \"sha256:%s\"", council.Sum(roster))),
		v.Say("Next: sluice motion create ID")+elsewhere(d))
	return nil
}

// show says what holds at an instant: which version, which wait, and the state of
// every decision that was ever voted.
func show(w io.Writer, v voice, chain []*council.Enacted, now time.Time) {
	current := desk.InForce(chain, now)
	waiting := chain[len(current):]
	if last := desk.Last(current); last != nil {
		fmt.Fprintln(w, v.Say("Version %d, motion %s, is in force since %s, signed by %s.", last.Version, last.ID,
			v.moment(last.From, last.Policy.Location), v.List(last.Members())))
	} else {
		fmt.Fprintln(w, v.Say("Nothing is in force yet, so nothing flows."))
	}
	for _, e := range waiting {
		fmt.Fprintln(w, v.Say("Version %d, motion %s, is in force from %s on, signed by %s.", e.Version, e.ID,
			v.moment(e.From, e.Policy.Location), v.List(e.Members())))
	}
	fmt.Fprintf(w, "%s\n\n", v.Say("First roster: %s", "sha256:"+chain[0].Roster))
	states := statesOf(chain, now)
	for _, s := range states {
		s.show(w, v, now)
	}
	if len(states) == 0 {
		fmt.Fprintln(w, v.Say("There is no decision, so nothing flows."))
	}
}

// standingOf is how one decision stands at an instant.
type standingOf struct {
	doc   *bundle.Decision // as it is in force, or the newest
	by    *council.Enacted // the motion that gave it its text
	state state
	// since is when a suspension or an end began, or from when it is in force; zero
	// where that is not said.
	since time.Time
	// reason is of a suspension.
	reason decision.Words
	// next is the first motion that waits and changes it, and how the sentence of it.
	next *council.Enacted
	how  string
}

type state string

// The states, as they are said.
const (
	inForce   state = "in force"
	coming    state = "coming"
	suspended state = "suspended"
	ended     state = "ended"
)

// statesOf are all decisions of a chain, by id, as they stand at an instant.
func statesOf(chain []*council.Enacted, now time.Time) []*standingOf {
	var ids []string
	for _, e := range chain {
		for i := range e.Policy.Decisions {
			ids = append(ids, e.Policy.Decisions[i].Decision)
		}
	}
	slices.Sort(ids)
	var out []*standingOf
	for _, id := range slices.Compact(ids) {
		out = append(out, stateOf(id, chain, now))
	}
	return out
}

// stateOf is one of them.
func stateOf(id string, chain []*council.Enacted, now time.Time) *standingOf {
	current := desk.InForce(chain, now)
	last := desk.Last(current)
	s := &standingOf{}
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
			if s.doc == nil || string(s.doc.YAML) != string(doc.YAML) || s.state == ended {
				s.by = e
			}
			s.doc, s.state, s.since = doc, "", e.From
		case string(s.doc.YAML) != string(doc.YAML):
			s.waits(e, "motion %s changes it on %s")
		case last != nil && last.Policy.Suspension(id) == nil && e.Policy.Suspension(id) != nil:
			s.waits(e, "motion %s suspends it on %s")
		case last != nil && last.Policy.Suspension(id) != nil && e.Policy.Suspension(id) == nil:
			s.waits(e, "motion %s lifts the suspension on %s")
		}
	}
	if s.state == ended {
		return s
	}
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
	return s
}

// waits notes the first motion that changes a decision in time to come.
func (s *standingOf) waits(e *council.Enacted, how string) {
	if s.next == nil {
		s.next, s.how = e, how
	}
}

// remindBefore is how many days before a decision's last day show speaks of it.
const remindBefore = 60

func (s *standingOf) show(w io.Writer, v voice, now time.Time) {
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
	fmt.Fprintf(w, "    %s\n", v.Say("from %s until %s, by motion %s with %s", v.Lang.Date(s.doc.From), v.Lang.Date(s.doc.Until), s.by.ID, v.List(s.by.Members())))
	if s.next != nil {
		fmt.Fprintf(w, "    %s\n", v.Say(s.how, s.next.ID, v.moment(s.next.From, loc)))
	}
	if s.state != inForce {
		return
	}
	if days := int(s.doc.Stream.Until.Sub(now).Hours() / 24); days < remindBefore {
		fmt.Fprintf(w, "    %s\n", v.Say("REMINDER: it ends %s; nothing of it is published after its last day", v.days(days)))
	}
	if r := s.doc.Review; r != (civil.Date{}) && now.AddDate(0, 0, remindBefore/2).After(r.Start(loc)) {
		fmt.Fprintf(w, "    %s\n", v.Say("REMINDER: the council wanted to look at it again by %s", v.Lang.Date(r)))
	}
}

// days says how soon a last day is.
func (v voice) days(n int) string {
	switch n {
	case 0:
		return v.Say("today")
	case 1:
		return v.Say("tomorrow")
	}
	return v.Say("in %d days", n)
}

// lastChanged finds the motion that gave each decision its present text.
func lastChanged(chain []*council.Enacted) map[string]*council.Enacted {
	out, texts := make(map[string]*council.Enacted), make(map[string]string)
	for _, e := range chain {
		for _, d := range e.Policy.Decisions {
			if texts[d.Decision] != string(d.YAML) {
				out[d.Decision], texts[d.Decision] = e, string(d.YAML)
			}
		}
	}
	return out
}
