package news

import (
	"net/url"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// Names are what ids are called in one language.
type Names struct {
	Words      *i18n.Localizer
	Vocabulary books.Vocabulary
	// Place is the name of a zone.
	Place func(zone string) string
}

// called are the city's words in the language.
func (n Names) called() i18n.Words { return n.Words.Words(n.Vocabulary) }

// where is the place of a number and, where it has one, its category, which is a value of the
// field.
func (n Names) where(zone, field, category string) string {
	name := n.Place(zone)
	if category != "" {
		name += " · " + n.called().Category(field, category)
	}
	return name
}

// titled is a stream's title with, where it has several measures, the one that is meant.
func (n Names) titled(st query.Stream, measure string) string {
	title, _ := n.Words.Title(st.Title)
	if m := st.Among(measure); m != nil {
		title += ", " + n.called().MeasureName(*m)
	}
	return title
}

// whole is a decision's title with, where its stream has several measures, all of them.
func (n Names) whole(e Event) string {
	title, _ := n.Words.Title(e.decision.Title)
	if len(e.stream.Measures) < 2 {
		return title
	}
	var names []string
	for _, m := range e.stream.Measures[:min(len(e.stream.Measures), mostNamed)] {
		names = append(names, n.called().MeasureName(m))
	}
	if len(e.stream.Measures) > mostNamed {
		names = append(names, "…")
	}
	return title + " (" + strings.Join(names, ", ") + ")"
}

// mostNamed bounds the measures that a title names.
const mostNamed = 4

// Told is an event in words.
type Told struct {
	Event
	Title string
	// Text is one or two sentences.
	Text string
	// Path leads to the page that has more.
	Path string
}

// Tell puts an event into words.
func (e Event) Tell(n Names) Told {
	t, l := Told{Event: e}, n.Words
	title := n.whole(e)
	switch e.Kind {
	case Decided:
		t.Title = l.Say("Decided: %s", title)
		switch begun := e.decision.From <= e.At.In(query.Place(e.Timezone)).Format(time.DateOnly); {
		case e.decision.Motion == "" && begun:
			t.Title = l.Say("In force, not voted (simulation): %s", title)
		case e.decision.Motion == "":
			t.Title = l.Say("To come, not voted (simulation): %s", title)
		}
		t.Text = l.Say("Decision %s holds from %s to %s.", e.Decision, l.Date(e.decision.From),
			l.Date(e.decision.Until))
	case Changes:
		next := e.decision.Next
		t.Title = l.Say("A change was voted: %s", title)
		t.Text = l.Say("From %s on: %s", l.Day(next.From.In(query.Place(e.Timezone))),
			strings.Join(inWords(l, next.Changes), " "))
	case Changed:
		t.Title, t.Text = l.Say("Changed: %s", title), e.whatChanged(l)
	case Lifted:
		t.Title = l.Say("Runs again: %s", title)
		if e.decision.By == books.ByCouncil {
			t.Title = l.Say("No longer suspended: %s", title)
		}
		t.Text = l.Say("Since %s it is measured and published again.", l.Day(e.At.In(query.Place(e.Timezone))))
	case Suspended:
		t.Title = l.Say("Stopped: %s", title)
		if e.decision.By == books.ByCouncil {
			t.Title = l.Say("Suspended: %s", title)
		}
		t.Text = l.Standing(e.decision.Standing())
		if why, _ := l.Title(e.decision.Reason); why != "" {
			t.Text += " " + l.Say("Reason") + ": " + why
		}
	case Ended:
		t.Title, t.Text = l.Say("Ended: %s", title), l.Standing(e.decision.Standing())
	case Sensors:
		t.Title, t.Text = e.newSensors(n)
	case Withdrawn:
		t.Title, t.Text = e.takenBack(n)
	case Limit:
		t.Title, t.Text = e.aboveLimit(n)
	}
	t.Path = e.path()
	return t
}

// mostTold is how many changes are told; the decision's page has all of them.
const mostTold = 2

// whatChanged says what is different in the words of a decision, and whether that was voted.
func (e Event) whatChanged(l *i18n.Localizer) string {
	lines := inWords(l, e.changes)
	text := strings.TrimSuffix(strings.Join(lines[:min(len(lines), mostTold)], "; "), ".") + "."
	switch more := len(lines) - mostTold; {
	case len(lines) == 0:
		text = l.Say("Its text is another one; what it does is the same.")
	case more > 0:
		text += " " + l.Say("And %d more.", more)
	}
	if e.decision.Motion == "" {
		text += " " + l.Say("Nobody has voted it: this is a simulation.")
	}
	return text
}

// inWords are sentences by language, in the reader's where there are any.
func inWords(l *i18n.Localizer, by map[string][]string) []string {
	for _, code := range []string{l.Code, "en"} {
		if len(by[code]) > 0 {
			return by[code]
		}
	}
	return nil
}

func (e Event) newSensors(n Names) (title, text string) {
	l, s := n.Words, e.sensors[0]
	where, kind := n.Place(s.Zone), n.called().Kind(s.Kind)
	title = l.Say("%d new sensors", len(e.sensors)) + " " + l.At(where) + ": " + kind
	why, _ := l.Title(s.Purpose)
	if why == "" {
		return title, l.Say("Registered on %s.", l.Date(s.Registered))
	}
	return title, l.Say("Registered on %s.", l.Date(s.Registered)) + " " + l.Say("Purpose") + ": " + why
}

func (e Event) takenBack(n Names) (title, text string) {
	l := n.Words
	stream := n.titled(e.stream, e.number.Measure)
	start, end := e.number.Start.In(query.Place(e.Timezone)), e.number.End.In(query.Place(e.Timezone))
	title = l.Say("Numbers were taken back: %s", stream)
	text = l.Say("Those of %s between %s and %s.", l.Day(start), l.Clock(start), l.Clock(end))
	if e.reason != "" {
		text += " " + l.Say("Reason") + ": " + e.reason
	}
	return title, text
}

func (e Event) aboveLimit(n Names) (title, text string) {
	l, o, p := n.Words, &e.number, e.passed
	stream := n.titled(e.stream, o.Measure)
	where := n.where(o.Zone, e.stream.CategoryField, o.Category)
	start, end := o.Start.In(query.Place(e.Timezone)), o.End.In(query.Place(e.Timezone))
	title = l.Say("%s, %s: a limit was exceeded", stream, where)
	if limit, _ := l.Title(p.limit.Title); limit != "" {
		title = l.Say("%s, %s: a limit was exceeded (%s)", stream, where, limit)
	}
	span := l.Say("on %s between %s and %s", l.Day(start), l.Clock(start), l.Clock(end))
	if end.Sub(start) >= 23*time.Hour {
		span = l.Say("of %s", l.Day(start))
	}
	unit := n.called().Unit(o.Unit, *o.Value)
	value := strings.TrimSpace(l.Amount(*o.Value, o.Unit) + " " + unit)
	if p.over {
		text = l.Say("The mean of the published numbers %s was %s.", span, value)
	} else {
		text = l.Say("The number %s was %s.", span, value)
	}
	bound := strings.TrimSpace(l.Amount(p.limit.Value, o.Unit) + " " + unit)
	if p.limit.Source == "" {
		return title, text + " " + l.Say("The limit is %s.", bound)
	}
	return title, text + " " + l.Say("The limit is %s: %s.", bound, n.called().LimitSource(p.limit))
}

// path is that of the page about it.
func (e Event) path() string {
	switch e.Kind {
	case Sensors:
		if len(e.sensors) == 1 {
			return "/sensors/" + url.PathEscape(e.sensors[0].ID)
		}
		return "/sensors"
	case Withdrawn:
		return "/streams/" + url.PathEscape(e.Stream)
	case Limit:
		q := url.Values{"measure": {e.passed.measure.Name}, "cell": {e.number.Cell},
			"day": {e.number.Start.In(query.Place(e.Timezone)).Format(time.DateOnly)}}
		return "/streams/" + url.PathEscape(e.Stream) + "?" + q.Encode()
	}
	return "/decisions/" + url.PathEscape(e.Decision)
}
