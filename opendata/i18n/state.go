package i18n

import "sluice/books"

// State is a state in one word. What nobody has suspended and is not run is stopped.
func (l *Localizer) State(st books.Standing) string {
	switch st.State {
	case books.InForce:
		return l.Say("in force")
	case books.Coming:
		return l.Say("coming")
	case books.Past:
		return l.Say("ended")
	case books.Suspended:
		if st.By == books.ByCharter || st.By == books.ByPolicy {
			return l.Say("stopped")
		}
		return l.Say("suspended")
	}
	return st.State
}

// StateSince is a state with its day, where there is little room: ended on Saturday, 28
// November 2026. Of what is in force it is empty.
func (l *Localizer) StateSince(st books.Standing) string {
	if !st.Idle() {
		return ""
	}
	day := l.Date(dayOf(st))
	switch stopped := st.By == books.ByCharter || st.By == books.ByPolicy; {
	case day == "":
		return l.State(st)
	case st.State == books.Coming:
		return l.Say("begins on %s", day)
	case st.State == books.Past:
		return l.Say("ended on %s", day)
	case stopped:
		return l.Say("stopped since %s", day)
	}
	return l.Say("suspended since %s", day)
}

// Standing says of what is not in force in which state it is, and what that means;
// empty for what is in force, and where nothing is known.
func (l *Localizer) Standing(st books.Standing) string {
	day := l.Date(dayOf(st))
	switch {
	case !st.Idle():
		return ""
	case st.State == books.Coming:
		return l.Say("It begins on %s. Nothing of it is measured before that.", day)
	case st.State == books.Past && day == "":
		return l.Say(
			"It has ended. Nothing of it is measured any more; what was published stays as long as the decision says.")
	case st.Early():
		return l.Say("It ended on %s, before its last day. Nothing of it is measured any more; what was published "+
			"stays as long as the decision says.", day)
	case st.State == books.Past:
		return l.Say("It ended on %s, its last day. Nothing of it is measured any more; what was published stays as "+
			"long as the decision says.", day)
	}
	return l.stopped(st.By, day)
}

// stopped says what stops a decision, and since when where that is known.
func (l *Localizer) stopped(by, day string) string {
	switch {
	case by == books.ByCouncil && day != "":
		return l.Say("Suspended since %s: the council has stopped it. Nothing of it is measured or published until "+
			"the council lifts that.", day)
	case by == books.ByCouncil:
		return l.Say("Suspended: the council has stopped it. Nothing of it is measured or published until the " +
			"council lifts that.")
	case by == books.ByCharter && day != "":
		return l.Say("Stopped since %s: it goes below the city's charter, so it is not run. Nothing of it is "+
			"measured or published.", day)
	case by == books.ByCharter:
		return l.Say(
			"Stopped: it goes below the city's charter, so it is not run. Nothing of it is measured or published.")
	case by == books.ByPolicy && day != "":
		return l.Say("Stopped since %s: no policy is in force. Nothing is measured or published.", day)
	case by == books.ByPolicy:
		return l.Say("Stopped: no policy is in force. Nothing is measured or published.")
	}
	return l.Say("Stopped. Nothing of it is measured or published.")
}

// dayOf is the day that a state is named by: of what has ended the last one.
func dayOf(st books.Standing) string {
	if st.State == books.Past {
		return st.LastDay()
	}
	return st.Since
}
