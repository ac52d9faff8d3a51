package web

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/picture"
	"sluice/opendata/query"
)

// embedPage is a stream's newest number and chart, to be framed by other sites.
type embedPage struct {
	*streamPage
	// Drawn says that the chart is shown, and not the number alone.
	Drawn bool
}

// Whole is the page that has the rest, which goes on with time as the frame does.
func (p embedPage) Whole() string { return p.address("") }

// embed answers with what other sites may frame. It takes the parameters of the stream's page, and
// show, which is chart or number.
func (w *Web) embed(r *http.Request) (*httpcache.Reply, error) {
	show := r.URL.Query().Get("show")
	if show != "" && show != "chart" && show != "number" {
		return nil, &query.Invalid{Parameter: "show", Hint: "is chart or number"}
	}
	return w.page(r, "embed", func(r *http.Request, s *i18n.Localizer) (any, error) {
		made, err := w.stream(r, s)
		p, ok := made.(*streamPage)
		if err != nil || !ok {
			return nil, err
		}
		return embedPage{p, show != "number"}, nil
	})
}

// Frame is the address that other sites frame, for the view's places and measure.
func (p *streamPage) Frame() string {
	return "/embed" + p.address("", "day", "", "to", "", "page", "")
}

// Share is what a page looks like where somebody has sent its address (ogp.me).
type share struct {
	Title, Text string
	Image       string // path of a picture
	Alt         string // what it shows
}

// shared describes a page: with the picture of its stream, of its decision, or of the city.
func (w *Web) shared(v locale, city books.City, page any) share {
	s := w.speak[v.lang]
	out := share{Title: s.Say("What %s measures", city.Name), Image: link("/card.png", "lang", v.lang),
		Text: w.promise(s)}
	switch p := page.(type) {
	case *streamPage:
		out.Title, _ = s.Title(p.Title)
		out.Text = s.Say("decision %s", p.Decision) + ", " + city.Name
		if a := p.Answer; a != nil && published(a.Observation) {
			where := a.Where
			if m := p.Among(p.Measure.Name); m != nil {
				where = w.words(s).MeasureName(*m) + ", " + where
			}
			out.Text = where + ": " + s.Amount(*a.Value, a.Unit) + " " + w.words(s).Unit(a.Unit, *a.Value) + ". " +
				between(s, p.Stream, a.Observation) + " " + sentence(out.Text) + "."
		}
		if !p.Nothing {
			out.Image = link(p.Picture("png"), "lang", v.lang)
		}
	case zonePage:
		out.Title = s.Say("What is measured at %s", p.There.Zone.Name)
	case decisionPage:
		title, _ := s.Title(p.Title)
		out.Title = s.Say("Decision %s", p.ID) + ": " + title
		out.Image = link("/decisions/"+url.PathEscape(p.ID)+"/card.png", "lang", v.lang)
	}
	out.Alt = out.Title + ". " + out.Text
	return out
}

// promise says under what every number was released: a vote of the council is claimed only
// where there is one.
func (w *Web) promise(s *i18n.Localizer) string {
	list, err := w.source.Books.Decisions()
	voted := func(d books.Decision) bool { return d.Motion != "" }
	if err == nil && len(list) > 0 && !slices.ContainsFunc(list, voted) {
		return s.Say("Every number here was released under a decision that is in force and that nobody has voted " +
			"(simulation). Raw readings are not kept.")
	}
	return s.Say("Every number here was released under a decision of the council. Raw readings are not kept.")
}

// The size of a card, in units of which each is two pixels: what most sites show whole.
const (
	cardWide, cardHigh = 600, 315
	cardMargin         = 36
)

// card is a picture of words: a kicker, a title and lines below it.
func card(kicker, title string, lines []string, foot string) ([]byte, error) {
	sheet := &picture.Sheet{Wide: cardWide, High: cardHigh, Title: title}
	const room = cardWide - 2*cardMargin
	bar := picture.Style{Fill: "#0b5d7a"}
	sheet.Rect(bar, 0, 0, 12, cardHigh)
	soft, ink := picture.Style{Fill: picture.Soft}, picture.Style{Fill: picture.Ink}
	bold := ink
	bold.Bold = true
	write := func(st picture.Style, y, size float64, text string) {
		sheet.Text(st, picture.Label{X: cardMargin, Y: y, Size: size, Text: picture.Fit(text, size, room, st.Bold)})
	}
	write(soft, 50, 16, kicker)
	y := 92.0
	for _, words := range picture.Wrap(title, 30, room, true, 2) {
		write(bold, y, 30, words)
		y += 38
	}
	for _, text := range lines {
		for _, words := range picture.Wrap(text, 17, room, false, 3) {
			if y > cardHigh-60 {
				break
			}
			write(ink, y+4, 17, words)
			y += 25
		}
	}
	write(soft, cardHigh-28, 15, foot)
	return sheet.PNG(pngScale)
}

// cityCard is the picture of pages about no stream and no decision.
func (w *Web) cityCard(r *http.Request) (*httpcache.Reply, error) {
	v := ask(r)
	s := w.speak[v.lang]
	city, err := w.source.Books.City()
	if err != nil {
		return nil, err
	}
	streams, err := w.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, st := range streams {
		if title, _ := s.Title(st.Title); !st.Standing.Idle() && len(lines) < 4 {
			lines = append(lines, "· "+title)
		}
	}
	raw, err := card(city.Name+" · "+s.Say("open data"), s.Say("What %s measures", city.Name), lines, w.place.Public)
	return &httpcache.Reply{Type: "image/png", Body: raw, Lang: v.lang}, err
}

// decisionCard is the picture of a decision: what it is called, and from when to when it holds.
func (w *Web) decisionCard(r *http.Request) (*httpcache.Reply, error) {
	v := ask(r)
	s := w.speak[v.lang]
	city, err := w.source.Books.City()
	if err != nil {
		return nil, err
	}
	list, err := w.source.Books.Decisions()
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(list, func(d books.Decision) bool { return d.ID == r.PathValue("id") })
	if at < 0 {
		return nil, query.ErrUnknown
	}
	d := list[at]
	title, _ := s.Title(d.Title)
	lines := []string{s.Say("Decision %s holds from %s to %s.", d.ID, s.Date(d.From), s.Date(d.Until))}
	if text := s.StateSince(d.Standing()); text != "" {
		lines = append(lines, sentence(text)+".")
	}
	if n := len(d.Votes); n > 0 {
		lines = append(lines, s.Say("%d members signed", n)+".")
	}
	raw, err := card(s.Say("Decision %s", d.ID), title, lines, city.Name+" · "+s.Say("open data"))
	return &httpcache.Reply{Type: "image/png", Body: raw, Lang: v.lang}, err
}

// snippet is the text with which another site frames the view.
func (w *Web) snippet(s *i18n.Localizer, base string, p *streamPage) string {
	title, _ := s.Title(p.Title)
	if m := p.Among(p.Measure.Name); m != nil {
		title += ", " + w.words(s).MeasureName(*m)
	}
	return `<iframe src="` + template.HTMLEscapeString(base+link(p.Frame(), "lang", s.Code)) + `" title="` +
		template.HTMLEscapeString(title) + `" width="600" height="640" loading="lazy" style="border:0"></iframe>`
}
