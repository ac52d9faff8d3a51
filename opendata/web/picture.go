package web

import (
	"net/http"
	"strings"

	"sluice/opendata/chart"
	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/picture"
	"sluice/opendata/query"
)

// pngScale is how many pixels a unit of a picture has.
const pngScale = 2

// pictureSVG and picturePNG answer with the chart of a view as a file of its own.
func (w *Web) pictureSVG(r *http.Request) (*httpcache.Reply, error) {
	sheet, lang, err := w.sheet(r)
	if err != nil {
		return nil, err
	}
	return &httpcache.Reply{Type: "image/svg+xml", Body: sheet.SVG(), Lang: lang}, nil
}

func (w *Web) picturePNG(r *http.Request) (*httpcache.Reply, error) {
	sheet, lang, err := w.sheet(r)
	if err != nil {
		return nil, err
	}
	raw, err := sheet.PNG(pngScale)
	return &httpcache.Reply{Type: "image/png", Body: raw, Lang: lang}, err
}

// sheet draws a view with all that must travel with it: what it is, how to read it, who
// decided it and where it is from.
func (w *Web) sheet(r *http.Request) (*picture.Sheet, string, error) {
	v := ask(r)
	s := w.speak[v.lang]
	p, err := w.look(r, s)
	if err != nil {
		return nil, "", err
	}
	if p.Nothing {
		return nil, "", query.ErrUnknown
	}
	city, err := w.source.Books.City()
	if err != nil {
		return nil, "", err
	}
	reached, err := w.reached(s, p.Stream, p.Reached)
	if err != nil {
		return nil, "", err
	}
	title, _ := s.Title(p.Title)
	f := chart.Frame{Title: title, Below: w.words(s).Measure(p.Measure) + ", " + during(s, &p.view)}
	for _, note := range []string{reading(s, p), banded(s, &p.view), behind(s, &p.view), reached} {
		if note != "" {
			f.Notes = append(f.Notes, note)
		}
	}
	if city.Simulation {
		f.Notes = append(f.Notes, s.Say("This is a simulation: numbers, people and places may be made up."))
	}
	source := []string{city.Name, s.Say("decision %s", p.Decision)}
	if p.Licence != "" {
		source = append(source, p.Licence)
	}
	if w.place.Public != "" {
		source = append(source, w.place.Public+"/streams/"+p.ID)
	}
	f.Source = strings.Join(source, " · ")
	return p.drawing(w.words(s), s).File(f), v.lang, nil
}

// during is the view's span of time in words.
func during(s *i18n.Localizer, p *view) string {
	from, to := local(p.From, p.Timezone), local(p.To, p.Timezone)
	text := s.ShortDay(from) + " " + s.Clock(from) + " – " + s.ShortDay(to) + " " + s.Clock(to)
	if p.Span == "year" || p.Span == "month" {
		text = s.Day(from) + " – " + s.Day(to)
	}
	return text
}

// reading says how to read a number of the chart.
func reading(s *i18n.Localizer, p *streamPage) string {
	switch {
	case p.Width() != "":
		return ""
	case p.Unit == "none":
		return sentence(s.Say("exact: this stream is about nobody."))
	}
	return s.Say("The bands: %s.", s.Say("where what was counted lies in 95 of 100 windows"))
}

// banded says what the bands of a long view are.
func banded(s *i18n.Localizer, p *view) string {
	switch p.Width() {
	case query.Hourly:
		return s.Say("A band goes from the lowest to the highest number published in an hour; the line is their " +
			"mean, where nothing of the hour was withheld.")
	case query.Daily:
		return s.Say("A band goes from the lowest to the highest number published in a day; the line is their " +
			"mean, where nothing of the day was withheld.")
	}
	return ""
}

// behind says what lies behind the lines.
func behind(s *i18n.Localizer, p *view) string {
	switch p.ago() {
	case 1:
		return s.Say("The faint lines are the day before.")
	case 7:
		return s.Say("The faint lines are the week before.")
	}
	return ""
}
