package web

import (
	"fmt"
	"html"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/verify"
)

// Days of the budget that the page shows, and looks ahead.
const (
	daysShown = 30
	daysAhead = 7
)

type privacyPage struct {
	Days  []verify.Day // the newest first
	Chart template.HTML
	Units []string
	// Missing are the gateways whose ledger cannot be read; or empty.
	Missing string
}

func (w *Web) privacy(_ *http.Request, s *i18n.Localizer) (any, error) {
	ledgers, missing, err := w.source.Ledgers()
	if err != nil {
		return nil, err
	}
	readable := make([]books.Reader, len(ledgers))
	for i, l := range ledgers {
		readable[i] = l.Books
	}
	days, err := verify.Days(readable, daysAhead)
	if err != nil {
		return nil, err
	}
	p := privacyPage{Missing: strings.Join(missing, ", ")}
	by := map[string][]verify.Day{}
	for _, d := range days {
		if by[d.Unit] == nil {
			p.Units = append(p.Units, d.Unit)
		}
		by[d.Unit] = append(by[d.Unit], d)
	}
	slices.Sort(p.Units)
	for _, unit := range p.Units {
		list := by[unit]
		list = list[max(0, len(list)-daysShown):]
		p.Chart += bars(s, unit, list)
		slices.Reverse(list)
		p.Days = append(p.Days, list...)
	}
	return p, nil
}

// The size of a chart of days in SVG units.
const (
	width            = 720.0
	left, right, top = 62.0, 14.0, 14.0
)

// alternate marks every second label, which a narrow screen leaves out.
func alternate(n int) string {
	if n%2 == 1 {
		return " second"
	}
	return ""
}

// bars draws the budget of each day: spent, foreseen, and the charter's cap.
func bars(s *i18n.Localizer, unit string, days []verify.Day) template.HTML {
	const high, foot = 180.0, 34.0
	highest := 0.0
	for _, d := range days {
		highest = max(highest, d.Cap, d.Spent+d.Coming)
	}
	if highest == 0 {
		return ""
	}
	step := min(60, (width-left-right)/float64(len(days)))
	y := func(v float64) float64 { return top + (high-top-foot)*(1-v/highest) }
	var b strings.Builder
	title := html.EscapeString(s.Say("Privacy budget by day, for each %s. The table below says the same.",
		s.Each(unit)))
	fmt.Fprintf(&b,
		`<figure><figcaption>%s</figcaption><svg class="bars" viewBox="0 0 %g %g" role="img" aria-label="%s">`,
		html.EscapeString(s.Say("Epsilon for each %s, by day", s.Each(unit))), width, high, title)
	fmt.Fprintf(&b,
		`<defs><pattern id="hatch-%[1]s" width="6" height="6" patternUnits="userSpaceOnUse" `+
			`patternTransform="rotate(45)"><path class="coming" d="M0 0V6"/></pattern></defs>`, html.EscapeString(unit))
	for n := range 3 {
		v := highest * float64(n) / 2
		fmt.Fprintf(&b,
			`<path class="grid" d="M%g %.1fH%g"/><text class="tick" x="%g" y="%.1f" text-anchor="end">%s</text>`,
			left, y(v), width-right, left-8, y(v)+4, html.EscapeString(s.Number(v)))
	}
	for i, d := range days {
		x := left + step*float64(i)
		wide := max(2, step-4)
		fmt.Fprintf(&b, `<rect class="spent" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x+2, y(d.Spent), wide,
			y(0)-y(d.Spent))
		if d.Coming > 0 {
			fmt.Fprintf(&b,
				`<rect class="foreseen" fill="url(#hatch-%s)" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`,
				html.EscapeString(unit), x+2, y(d.Spent+d.Coming), wide, y(d.Spent)-y(d.Spent+d.Coming))
		}
		if d.Cap > 0 {
			fmt.Fprintf(&b, `<path class="cap" d="M%.1f %.1fh%.1f"/>`, x, y(d.Cap), step)
		}
		if every := max(1, len(days)/6); i%every == 0 {
			fmt.Fprintf(&b, `<text class="tick%s" x="%.1f" y="%g">%s</text>`, alternate(i/every), x+2, high-12,
				html.EscapeString(d.Day[5:]))
		}
	}
	b.WriteString("</svg></figure>")
	return template.HTML(b.String()) //nolint:gosec // numbers, constants and what html.EscapeString made
}
