package simulate

import (
	"fmt"
	"html"
	"strings"
	"time"

	"sluice/store"
)

// The chart's size, in pixels.
const (
	width, height = 860, 256
	left, bottom  = 56, 28
	head          = 40 // two lines of text
)

// SVG draws each side's busiest cell: published numbers with their intervals, withheld ones, and what
// passed; nil is English.
func (r *Report) SVG(loc *time.Location, sp Speech) string {
	sp = orEnglish(sp)
	sides := []*Side{r.Draft}
	if r.InForce != nil {
		sides = append(sides, r.InForce)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" `+
		`font-family="system-ui, sans-serif" font-size="12" role="img">`+"\n", width, (height+30)*len(sides))
	b.WriteString("<style>.t{fill:none;stroke:#8a4b00;stroke-width:1.5;stroke-dasharray:4 3}" +
		".v{fill:none;stroke:#0b5d7a;stroke-width:2}.b{fill:#0b5d7a;opacity:.18}" +
		".w{fill:none;stroke:#55606f}.a{stroke:#d8d5cc}text{fill:#1b2330}" +
		"@media(prefers-color-scheme:dark){text{fill:#e8ebef}}</style>\n")
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(sp.Say("Decision %s, simulated", r.Draft.Decision)))
	for i, s := range sides {
		fmt.Fprintf(&b, `<g transform="translate(0 %d)">`+"\n", i*(height+30))
		s.draw(&b, loc, sp)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (s *Side) draw(b *strings.Builder, loc *time.Location, sp Speech) {
	first := sp.Say("nothing")
	if len(s.Measures) > 0 {
		first = s.Measures[0].Name
	}
	legend := sp.Say("%s: decision %s, %s in %s. Solid with band: published. Dashed: what passed. Circles: withheld.",
		s.Title(sp), s.Decision, first, s.Cell)
	fmt.Fprintf(b, `<text x="%d" y="14">%s</text>`+"\n", left, html.EscapeString(legend))
	fmt.Fprintf(b, `<text x="%d" y="30">%s</text>`+"\n", left, html.EscapeString(s.Sentence(sp)))
	if len(s.Series) == 0 {
		fmt.Fprintf(b, `<text x="%d" y="60">%s</text>`+"\n", left, html.EscapeString(sp.Say("Nothing was released.")))
		return
	}
	top := 1.0
	for _, p := range s.Series {
		top = max(top, p.Truth, p.High)
	}
	x := func(i int) float64 {
		return left + float64(i)*(width-left-10)/float64(max(1, len(s.Series)-1))
	}
	y := func(v float64) float64 { return head + (height-head-bottom)*(1-max(0, v)/top) }
	for _, share := range []float64{0, .5, 1} {
		fmt.Fprintf(b, `<line class="a" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="4" y="%.1f">%.0f</text>`+"\n",
			left, width-10, y(share*top), y(share*top), y(share*top)+4, share*top)
	}
	var truth, value, upper, lower []string
	flush := func() {
		if len(value) > 0 {
			fmt.Fprintf(b, `<polygon class="b" points="%s %s"/><polyline class="v" points="%s"/>`+"\n",
				strings.Join(upper, " "), reversed(lower), strings.Join(value, " "))
		}
		value, upper, lower = nil, nil, nil
	}
	for i, p := range s.Series {
		truth = append(truth, fmt.Sprintf("%.1f,%.1f", x(i), y(p.Truth)))
		if p.Status != store.Published {
			flush()
			fmt.Fprintf(b, `<circle class="w" cx="%.1f" cy="%.1f" r="3"/>`, x(i), y(0))
		} else {
			value = append(value, fmt.Sprintf("%.1f,%.1f", x(i), y(p.Value)))
			upper = append(upper, fmt.Sprintf("%.1f,%.1f", x(i), y(p.High)))
			lower = append(lower, fmt.Sprintf("%.1f,%.1f", x(i), y(p.Low)))
		}
		if every := max(1, len(s.Series)/8); i%every == 0 {
			fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(i), height-8,
				p.Start.In(loc).Format("15:04"))
		}
	}
	flush()
	fmt.Fprintf(b, `<polyline class="t" points="%s"/>`+"\n", strings.Join(truth, " "))
}

func reversed(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[len(list)-1-i] = s
	}
	return strings.Join(out, " ")
}
