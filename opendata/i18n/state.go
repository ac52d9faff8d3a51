package i18n

import "sluice/books"

// State is a state in one word. What nobody has suspended and is not run is stopped.
func (s *Speaker) State(st books.Standing) string {
	switch st.State {
	case books.InForce:
		return s.Say("in force")
	case books.Coming:
		return s.Say("coming")
	case books.Past:
		return s.Say("ended")
	case books.Suspended:
		if st.By == books.ByCharter || st.By == books.ByPolicy {
			return s.Say("stopped")
		}
		return s.Say("suspended")
	}
	return st.State
}

// StateSince is a state with its day, where there is little room: ended on Saturday, 28
// November 2026. Of what is in force it is empty.
func (s *Speaker) StateSince(st books.Standing) string {
	if !st.Idle() {
		return ""
	}
	day := s.Date(dayOf(st))
	switch stopped := st.By == books.ByCharter || st.By == books.ByPolicy; {
	case day == "":
		return s.State(st)
	case st.State == books.Coming:
		return s.Say("begins on %s", day)
	case st.State == books.Past:
		return s.Say("ended on %s", day)
	case stopped:
		return s.Say("stopped since %s", day)
	}
	return s.Say("suspended since %s", day)
}

// Standing says of what is not in force in which state it is, and what that means;
// empty for what is in force, and where nothing is known.
func (s *Speaker) Standing(st books.Standing) string {
	day := s.Date(dayOf(st))
	switch {
	case !st.Idle():
		return ""
	case st.State == books.Coming:
		return s.Say("It begins on %s. Nothing of it is measured before that.", day)
	case st.State == books.Past && day == "":
		return s.Say(
			"It has ended. Nothing of it is measured any more; what was published stays as long as the decision says.")
	case st.Early():
		return s.Say("It ended on %s, before its last day. Nothing of it is measured any more; what was published "+
			"stays as long as the decision says.", day)
	case st.State == books.Past:
		return s.Say("It ended on %s, its last day. Nothing of it is measured any more; what was published stays as "+
			"long as the decision says.", day)
	}
	return s.stopped(st.By, day)
}

// stopped says what stops a decision, and since when where that is known.
func (s *Speaker) stopped(by, day string) string {
	switch {
	case by == books.ByCouncil && day != "":
		return s.Say("Suspended since %s: the council has stopped it. Nothing of it is measured or published until "+
			"the council lifts that.", day)
	case by == books.ByCouncil:
		return s.Say("Suspended: the council has stopped it. Nothing of it is measured or published until the " +
			"council lifts that.")
	case by == books.ByCharter && day != "":
		return s.Say("Stopped since %s: it goes below the city's charter, so it is not run. Nothing of it is "+
			"measured or published.", day)
	case by == books.ByCharter:
		return s.Say(
			"Stopped: it goes below the city's charter, so it is not run. Nothing of it is measured or published.")
	case by == books.ByPolicy && day != "":
		return s.Say("Stopped since %s: no policy is in force. Nothing is measured or published.", day)
	case by == books.ByPolicy:
		return s.Say("Stopped: no policy is in force. Nothing is measured or published.")
	}
	return s.Say("Stopped. Nothing of it is measured or published.")
}

// dayOf is the day that a state is named by: of what has ended the last one.
func dayOf(st books.Standing) string {
	if st.State == books.Past {
		return st.LastDay()
	}
	return st.Since
}
