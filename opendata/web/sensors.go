package web

import (
	"errors"
	"fmt"
	"html/template"
	stdcolor "image/color"
	"net/http"
	"net/url"
	"strings"

	"github.com/boombuler/barcode/qr"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// sensorPage is a sensor with the name of its place.
type sensorPage struct {
	books.Sensor
	Place string
	// Titles are those of the decisions that its fields name, by id; Standings their states.
	Titles    map[string]map[string]string
	Standings map[string]books.Standing
	// Idle says that it measures nothing, although there are decisions about it; empty where
	// that is not so.
	Idle string
}

// idle says why a sensor of which something was decided measures nothing: the council
// stopped it, it begins later, or it has ended.
func idle(s *i18n.Localizer, fields []books.Field) string {
	states := map[string]bool{}
	for _, f := range fields {
		if f.Fate != "dropped" {
			return ""
		}
		states[f.State] = true
	}
	switch {
	case states[books.Suspended]:
		return s.Say("It measures nothing at present.")
	case states[books.Coming]:
		return s.Say("It measures nothing yet.")
	case states[books.Past]:
		return s.Say("It measures nothing any more.")
	}
	return ""
}

func (w *Web) sensor(r *http.Request, s *i18n.Localizer) (any, error) {
	return w.theSensor(r, s)
}

func (w *Web) theSensor(r *http.Request, speak *i18n.Localizer) (p sensorPage, err error) {
	reg, err := w.source.Books.Register()
	if err != nil {
		return p, err
	}
	zoneMap, err := w.zoneMap()
	if err != nil {
		return p, err
	}
	decisions, err := w.source.Books.Decisions()
	if err != nil {
		return p, err
	}
	for _, s := range reg.Sensors {
		if s.ID != r.PathValue("id") {
			continue
		}
		p = sensorPage{s, zoneName(zoneMap, s.Zone), map[string]map[string]string{}, map[string]books.Standing{},
			idle(speak, s.Fields)}
		for _, d := range decisions {
			p.Titles[d.ID], p.Standings[d.ID] = d.Title, d.Standing()
		}
		return p, nil
	}
	return p, query.ErrUnknown
}

// noticePage is what hangs at the lamp post.
type noticePage struct {
	sensorPage
	URL  string // of the sensor's page; empty where the public cannot reach any
	Code template.HTML
	// Used and Dropped are the fields by what becomes of them; Decisions those that use any.
	Used, Dropped []books.Field
	Decisions     []string
	// Waiting are decisions about it that are not in force.
	Waiting []waiting
}

// waiting is a decision that is not in force, and the fields that it uses while it is.
type waiting struct {
	ID       string
	Standing books.Standing
	Fields   string
}

// wait gathers the decisions that are not in force. Of a sensor that measures something,
// those that have ended are not worth a line.
func (n *noticePage) wait(words i18n.Words) {
	names := map[string][]string{}
	for _, f := range n.Fields {
		if f.State == "" || f.State == books.Past && n.Idle == "" {
			continue
		}
		if names[f.Decision] == nil {
			n.Waiting = append(n.Waiting, waiting{ID: f.Decision, Standing: n.Standings[f.Decision]})
		}
		names[f.Decision] = append(names[f.Decision], words.Field(n.Kind, f.Name))
	}
	for i := range n.Waiting {
		w := &n.Waiting[i]
		w.Fields = strings.Join(names[w.ID], ", ")
	}
}

func (w *Web) notice(r *http.Request, s *i18n.Localizer) (any, error) {
	p, err := w.theSensor(r, s)
	n := noticePage{sensorPage: p}
	if err != nil {
		return n, err
	}
	n.wait(w.words(s))
	for _, f := range p.Fields {
		if f.Fate == "dropped" {
			n.Dropped = append(n.Dropped, f)
			continue
		}
		n.Used = append(n.Used, f)
		if f.Decision != "" && (len(n.Decisions) == 0 || n.Decisions[len(n.Decisions)-1] != f.Decision) {
			n.Decisions = append(n.Decisions, f.Decision)
		}
	}
	base := w.place.Public
	if base == "" {
		base = w.place.Here
	}
	if base == "" {
		return n, nil
	}
	n.URL = base + "/sensors/" + url.PathEscape(p.ID)
	n.Code, err = code(n.URL, s.Say("QR code of this sensor's page"))
	return n, err
}

// code is a QR code (ISO/IEC 18004) of level M as an SVG picture, with the quiet
// zone of four modules that the standard asks for.
func code(text, name string) (template.HTML, error) {
	c, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", errors.New("the address does not fit into a QR code")
	}
	const quiet = 4
	size := c.Bounds().Dx()
	var b strings.Builder
	fmt.Fprintf(&b,
		`<svg class="qr" viewBox="0 0 %[1]d %[1]d" role="img" aria-label="%[2]s" shape-rendering="crispEdges">`+
			`<path class="paper" d="M0 0h%[1]dv%[1]dH0z"/><path class="module" d="`,
		size+2*quiet, template.HTMLEscapeString(name))
	for y := range size {
		for x := range size {
			if gray, ok := stdcolor.GrayModel.Convert(c.At(x, y)).(stdcolor.Gray); ok && gray.Y < 128 {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()), nil //nolint:gosec // numbers, and a name that is escaped
}
