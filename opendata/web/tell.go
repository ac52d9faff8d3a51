package web

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// tongue is a notice in one language.
type tongue struct {
	Lang, Heading, More string
	// About is what is measured; Purpose what this sensor is for, as its register says.
	About   string
	Purpose template.HTML
	// First are the sentences that everybody should read.
	First []string
	Icons []icon
	// Rows are the second layer, for who stays.
	Rows []matter
}

// icon is what a hexagon stands for, and what is the case here.
type icon struct{ Name, Label, Text string }

// matter is a title and what there is to say of it.
type matter struct {
	Title string
	Lines []template.HTML
}

// teller says what a notice has to say, in one language and as long as its sheet allows.
type teller struct {
	*facts
	s     *i18n.Localizer
	words i18n.Words
	much  much
}

func (t *teller) tell() tongue {
	s := t.s
	out := tongue{
		Lang: s.Code, Heading: s.Say("A sensor measures here"), More: s.Say("Everything about this sensor"),
		About: t.cut(t.about()), Purpose: inLanguage(s, t.cutAll(t.Purpose)),
	}
	if t.people == untold {
		out.Heading = s.Say("A sensor stands here")
	}
	out.First = t.first()
	if t.city.Simulation {
		out.First = append(out.First, s.Say("This is a simulation: it may be that nothing stands here."))
	}
	out.Icons = t.icons()
	switch t.much {
	case all:
		out.Rows = append([]matter{t.uses(), t.throws()}, t.answers()...)
		out.Rows = append(out.Rows, t.feedback(), t.whose())
	case fates:
		out.Rows = append([]matter{t.uses(), t.throws()}, t.answers()...)
	case answers:
		out.Rows = append(t.answers(), t.feedback())
	case short:
		out.Rows = t.answers()
	case less, least:
		out.Purpose = ""
	}
	return out
}

// most is how many characters of one text have room, and how many of a list's texts.
func (t *teller) most() (runes, items int) {
	switch t.much {
	case all:
		return 200, 6
	case fates, answers:
		return 120, 3
	case least:
		return 30, 1
	}
	return 70, 2
}

// cut shortens what councils and owners wrote to what has room; all of it is on the sensor's page.
func (t *teller) cut(text string) string {
	most, _ := t.most()
	if runes := []rune(text); len(runes) > most {
		return strings.TrimRight(string(runes[:most-1]), " ,.-·") + "…"
	}
	return text
}

func (t *teller) cutAll(by map[string]string) map[string]string {
	out := make(map[string]string, len(by))
	for code, text := range by {
		out[code] = t.cut(text)
	}
	return out
}

// some joins as many texts as have room.
func (t *teller) some(texts []string) string {
	_, most := t.most()
	left := len(texts) - most
	if left > 0 {
		texts = append(slices.Clone(texts[:most]), t.s.Say("and %d more", left))
	}
	return t.cut(strings.Join(texts, ", "))
}

// about is what is measured, by the titles of the decisions, else by the kind.
func (t *teller) about() string {
	var titles []string
	for _, d := range slices.Concat(t.running, t.waiting) {
		if title, _ := t.s.Title(d.Title); title != "" && !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
	}
	if titles == nil {
		return t.words.Kind(t.Kind)
	}
	return t.some(titles)
}

// first says whether anybody is recognised, and what is published.
func (t *teller) first() (out []string) {
	s := t.s
	if t.people == untold {
		if t.Idle != "" {
			return append(t.halted(), idle(s, t.Fields)+" "+s.Say("All that it sends is thrown away."))
		}
		return []string{s.Say("All that it sends is thrown away: no decision needs it.")}
	}
	out = []string{t.telling()}
	if t.much >= less {
		return out
	}
	var measures []string
	every, about := "", false
	for _, st := range t.streams {
		about = about || st.Unit != "none"
		every = cmp.Or(every, st.Every)
		for _, m := range st.Measures {
			if name := t.words.MeasureName(m); !slices.Contains(measures, name) {
				measures = append(measures, name)
			}
		}
	}
	text := s.Say("What it sends is not kept.")
	if len(measures) > 0 {
		text += " " + s.Say("Published as open data %s: %s.", s.Every(every, query.Length(every)), t.some(measures))
	}
	if about {
		text += " " + s.Say("The numbers are made a little inexact on purpose; those of too few are not shown.")
	}
	return append(out, text)
}

// telling says of whom anything can be told.
func (t *teller) telling() string {
	s, unit := t.s, ""
	for _, st := range t.streams {
		if st.Unit != "none" {
			unit = st.Unit
		}
	}
	switch {
	case t.people == nobody:
		text := s.Say("It measures nothing about people.")
		if slices.ContainsFunc(t.dropped, personal) {
			text += " " + s.Say("What else it sends could say something of somebody; it is thrown away at once.")
		}
		return text
	case t.people == forgotten:
		return s.Say("The code of each %s becomes a number that nobody can turn back. "+
			"Nobody is recognised the next day.", s.Each(unit))
	case t.people == apart && unit != "":
		return s.Say("The code of each %s becomes a number that nobody can turn back.", s.Each(unit))
	}
	return s.Say("What it sends may be about people. Only numbers of many together are published.")
}

// icons are the four things that a sign has to say at a glance: what for, what stands here,
// who answers for it, and whether anybody can be told from it.
func (t *teller) icons() []icon {
	s := t.s
	var purposes []string
	for _, st := range slices.Concat(t.streams, t.asleep) {
		if text := t.words.Purpose(st.Purpose); st.Purpose != "" && !slices.Contains(purposes, text) {
			purposes = append(purposes, text)
		}
	}
	purpose := t.some(purposes)
	if purpose == "" {
		purpose = t.about()
	}
	data := map[people]string{
		untold: s.Say("no data"), nobody: s.Say("no data about people"), forgotten: s.Say("no codes are kept"),
		apart: s.Say("no codes are kept"), together: s.Say("numbers of many together"),
	}[t.people]
	return []icon{
		{"purpose", s.Say("Purpose"), t.cut(purpose)}, {"sensor", s.Say("Kind"), t.cut(t.words.Kind(t.Kind))},
		{"answers", s.Say("Who is responsible"), t.cut(cmp.Or(t.city.Responsible.Name, t.city.Name))},
		{string(t.people), s.Say("Data about people"), data},
	}
}

// uses says what becomes of each field that is used.
func (t *teller) uses() matter {
	s, out := t.s, matter{Title: t.s.Say("What it uses")}
	_, most := t.most()
	for i, f := range t.used {
		if i == most {
			out.Lines = append(out.Lines, plain(s.Say("and %d more", len(t.used)-most)))
			break
		}
		how := s.Say("used to add up or to leave out, then forgotten")
		switch f.Fate {
		case "counted":
			how = s.Say("only to tell one from another; never stored")
		case "generalised":
			how = s.Say("made coarser first")
		}
		out.Lines = append(out.Lines, plain(t.cut(t.words.Field(t.Kind, f.Name))+": "+how))
	}
	switch {
	case len(t.used) > 0:
	case t.Idle != "":
		out.Lines = append(out.Lines, plain(s.Say("nothing at present: all that it sends is thrown away")))
	default:
		out.Lines = append(out.Lines,
			plain(s.Say("nothing: no decision needs it, so all that it sends is thrown away")))
	}
	return out
}

func (t *teller) throws() matter {
	var names []string
	for _, f := range t.dropped {
		names = append(names, t.words.Field(t.Kind, f.Name))
	}
	out := matter{Title: t.s.Say("What is thrown away at once")}
	if names != nil {
		out.Lines = append(out.Lines, plain(t.some(names)))
	}
	out.Lines = append(out.Lines, plain(t.s.Say("everything else that it may send")))
	return out
}

// answers are who decided it, on which grounds, for how long, who answers for it and what
// residents can do: what GDPR, articles 12 to 14, ask of a notice.
func (t *teller) answers() []matter {
	s := t.s
	out := []matter{t.decided(), {Title: s.Say("Legal basis"), Lines: t.grounds()}, t.howLong()}
	responsible := matter{Title: s.Say("Who is responsible"), Lines: t.party(t.city.Responsible)}
	if responsible.Lines == nil {
		responsible.Lines = []template.HTML{plain(s.Say("%s has not said it yet.", t.cut(t.city.Name)))}
	}
	return append(out, responsible, t.rights())
}

func (t *teller) decided() matter {
	s, out := t.s, matter{Title: t.s.Say("Who decided this")}
	_, most := t.most()
	for i, d := range slices.Concat(t.running, t.waiting) {
		if i == most {
			out.Lines = append(out.Lines, plain(s.Say("and %d more", len(t.running)+len(t.waiting)-most)))
			break
		}
		text := plain(s.Say("The council") + ": " + s.Say("decision %s", d.ID))
		if title := inLanguage(s, t.cutAll(d.Title)); title != "" && !t.brief() {
			text += " (" + title + ")"
		}
		text += "."
		if i >= len(t.running) {
			text += t.standing(d)
		}
		out.Lines = append(out.Lines, text)
	}
	if out.Lines == nil {
		out.Lines = []template.HTML{plain(s.Say("nobody has decided anything about it"))}
	}
	return out
}

// standing says why a decision does not run, and what it uses while it does.
func (t *teller) standing(d books.Decision) (out template.HTML) {
	st := d.Standing()
	out = " " + plain(t.s.Standing(st))
	st.Reason = t.cutAll(st.Reason)
	if why := stateReason(t.s, st); why != "" {
		out += " " + why + "."
	}
	if st.State == books.Past {
		return out
	}
	var names []string
	for _, f := range t.Fields {
		if f.Decision == d.ID && f.State != "" {
			names = append(names, t.words.Field(t.Kind, f.Name))
		}
	}
	return out + " " + plain(t.s.Say("While it is in force it uses: %s.", t.some(names)))
}

// grounds are the laws that the decisions name.
func (t *teller) grounds() (out []template.HTML) {
	for _, d := range slices.Concat(t.running, t.waiting) {
		if text := plain(t.cut(d.LegalBasis)); text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	if _, most := t.most(); len(out) > most {
		out = out[:most]
	}
	if out == nil {
		out = append(out, plain(t.s.Say("not said")))
	}
	return out
}

func (t *teller) howLong() matter {
	s, out := t.s, matter{Title: t.s.Say("How long")}
	for _, d := range slices.Concat(t.running, t.waiting) {
		text := s.Say("From %s until %s.", s.Date(d.From), s.Date(d.Until))
		text += t.kept(d.Retain)
		if line := plain(text); !slices.Contains(out.Lines, line) {
			out.Lines = append(out.Lines, line)
		}
	}
	if _, most := t.most(); len(out.Lines) > most {
		out.Lines = out.Lines[:most]
	}
	if t.people != untold && !t.brief() {
		out.Lines = append(out.Lines, plain(s.Say("What the sensor sends is forgotten when the time that it "+
			"counts in is over, a day at most.")))
	}
	return out
}

// rights are what residents can ask for, and of whom.
func (t *teller) rights() matter {
	s, out := t.s, matter{Title: t.s.Say("Your rights")}
	switch t.people {
	case untold, nobody:
		out.Lines = append(out.Lines, plain(s.Say("No data about people are used here. You can ask all the same.")))
	default:
		out.Lines = append(out.Lines, plain(s.Say("You can ask what there is of you, have it corrected or erased, and "+
			"object (GDPR, articles 15 to 21).")))
	}
	add := func(label string, p books.Party) {
		for i, line := range t.party(p) {
			if i == 0 {
				line = plain(label+": ") + line
			}
			out.Lines = append(out.Lines, line)
		}
	}
	add(s.Say("Data protection officer"), t.city.DPO)
	add(s.Say("Complaints"), t.city.Authority)
	return out
}

func (t *teller) feedback() matter {
	s, out := t.s, matter{Title: t.s.Say("Tell us what you think")}
	to := t.reach()
	if to == "" {
		to = s.Say("%s has not said whom to write to.", t.cut(t.city.Name))
	}
	out.Lines = []template.HTML{plain(t.cut(to))}
	return out
}

// reach is where residents can say something about the sensor; empty where nobody has said it.
func (f *facts) reach() string {
	return cmp.Or(f.Contact, f.city.Responsible.Email, f.city.Responsible.Phone, f.city.Responsible.Web)
}

func (t *teller) whose() matter {
	s := t.s
	return matter{Title: s.Say("Whose it is"), Lines: []template.HTML{
		plain(t.cut(t.Owner) + ". " + s.Say("Sensor %s", t.ID) + ", " + t.cut(t.Place) + ".")}}
}

// plain is a text as HTML.
func plain(text string) template.HTML {
	return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // escaped
}
