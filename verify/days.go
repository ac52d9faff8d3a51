package verify

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"sluice/books"
)

// Day is the budget of one local day and one kind of unit. Spent is the epsilon per unit
// that is reserved, Coming the epsilon that decisions in force will need. Cap is the
// charter's; 0 if unknown.
type Day struct {
	Day     string  `json:"day"`
	Unit    string  `json:"unit"`
	Spent   float64 `json:"spent"`
	Coming  float64 `json:"coming"`
	Left    float64 `json:"left"`
	Cap     float64 `json:"cap"`
	Refused int     `json:"refused"` // plans that got nothing that day
	// Decisions are those that have reserved or will reserve.
	Decisions []string `json:"decisions"`
}

// Days adds up the ledgers of a city's gateways by day, and forecasts, for some days after
// the last one in the books, what the streams in force will cost.
func Days(gateways []books.Reader, ahead int) ([]Day, error) {
	c := calendar{days: make(map[[2]string]*Day), caps: make(map[string]float64), paid: make(map[string]bool)}
	for _, r := range gateways {
		entries, err := r.Ledger()
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			c.enter(e)
		}
	}
	for _, r := range gateways { // each gateway pays for itself
		if err := c.foresee(r, ahead); err != nil {
			return nil, err
		}
	}
	var out []Day
	for _, d := range c.days {
		d.Left = max(0, d.Cap-d.Spent-d.Coming)
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Day) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Unit, b.Unit)) })
	return out, nil
}

// calendar adds up days by name and unit.
type calendar struct {
	days map[[2]string]*Day
	caps map[string]float64 // the latest, by unit
	paid map[string]bool    // day and plan
	last string             // day of the ledger
}

func (c *calendar) at(day, unit string) *Day {
	k := [2]string{day, unit}
	if c.days[k] == nil {
		c.days[k] = &Day{Day: day, Unit: unit, Cap: c.caps[unit]}
	}
	return c.days[k]
}

func (c *calendar) enter(e books.Entry) {
	d := c.at(e.Day, e.Unit)
	d.Cap, c.caps[e.Unit] = e.Cap, e.Cap
	c.paid[e.Day+" "+e.Plan] = true
	c.last = max(c.last, e.Day)
	if e.Kind != "reserve" {
		d.Refused++
		return
	}
	d.Spent += e.Epsilon
	d.decide(e.Decision)
}

// foresee adds what streams in force will cost from the ledger's last day on; suspended
// ones cost nothing.
func (c *calendar) foresee(r books.Reader, ahead int) error {
	streams, err := r.Streams()
	if err != nil || c.last == "" {
		return err
	}
	decisions, err := r.Decisions()
	if err != nil {
		return err
	}
	halted := make(map[string]bool) // they spend nothing until that is lifted, and nobody knows when
	for _, d := range decisions {
		halted[d.ID] = d.State == books.Suspended
	}
	known := &checker{books: r, plans: planCache{}}
	for _, b := range streams {
		s := known.plan(b.Plan)
		if s == nil || s.Unit.None() || b.Stopped || halted[b.Decision] {
			continue
		}
		loc, err := time.LoadLocation(s.Timezone)
		if err != nil {
			return err
		}
		first, err := time.ParseInLocation(time.DateOnly, c.last, loc)
		if err != nil {
			return err
		}
		for n := range ahead + 1 {
			noon := first.AddDate(0, 0, n).Add(12 * time.Hour)
			if name := noon.Format(time.DateOnly); s.InForce(noon) && !c.paid[name+" "+b.Plan] {
				d := c.at(name, s.Unit.StandsFor)
				d.Coming += s.Protect.Epsilon * float64(s.EpochsOfDay(noon))
				d.decide(s.Decision)
			}
		}
	}
	return nil
}

func (d *Day) decide(id string) {
	if !slices.Contains(d.Decisions, id) {
		d.Decisions = append(d.Decisions, id)
	}
}

// Chart draws the last days of each kind of unit as bars under the charter's cap:
// solid spent, hatched foreseen.
func Chart(days []Day) string {
	const maxColumns, bar, height, left, top = 31, 22, 150, 56, 40
	units := make(map[string][]Day)
	for _, d := range days {
		units[d.Unit] = append(units[d.Unit], d)
	}
	var b strings.Builder
	names, row, columns := make([]string, 0, len(units)), height+top+48, 22 // room for the heading
	for name, list := range units {
		names = append(names, name)
		columns = min(maxColumns, max(columns, len(list)))
	}
	slices.Sort(names)
	fmt.Fprintf(&b,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" `+
			`font-size="12" role="img">`+"\n", left+columns*bar+12, max(1, len(names))*row)
	b.WriteString("<title>Privacy budget by " +
		"day</title>\n<style>.s{fill:#0b5d7a}.c{fill:url(#h)}.k{stroke:#8a4b00;stroke-width:1.5;stroke-dasharray:5 " +
		"3}.a{stroke:#d8d5cc}text{fill:#1b2330}@media(prefers-color-scheme:dark){text{fill:#e8ebef}.s{fill:#58b0d0}}" +
		"</style>\n")
	b.WriteString(
		`<defs><pattern id="h" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
			`<rect width="3" height="6" fill="#0b5d7a"/></pattern></defs>` + "\n")
	for i, name := range names {
		list := units[name]
		list = list[max(0, len(list)-maxColumns):]
		high := 1e-9
		for _, d := range list {
			high = max(high, d.Cap, d.Spent+d.Coming)
		}
		y := func(v float64) float64 { return top + height*(1-v/high) }
		fmt.Fprintf(&b,
			`<g transform="translate(0 %d)"><text x="%d" y="18">Epsilon per %s and day. Solid: spent. Hatched: `+
				`foreseen. Dashed: the charter's cap.</text>`+"\n", i*row, left, html.EscapeString(name))
		for _, share := range []float64{0, .5, 1} {
			fmt.Fprintf(&b, `<line class="a" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="8" y="%.1f">%.3g</text>`+
				"\n", left, left+columns*bar, y(share*high), y(share*high), y(share*high)+4, share*high)
		}
		for n, d := range list {
			x := left + n*bar
			fmt.Fprintf(&b,
				`<g><title>%s: %.4g spent, %.4g foreseen, %.4g left of %.4g</title><rect class="s" x="%d" `+
					`width="%d" y="%.1f" height="%.1f"/><rect class="c" x="%d" width="%d" y="%.1f" height="%.1f"/>`,
				d.Day, d.Spent, d.Coming, d.Left, d.Cap, x+3, bar-6, y(d.Spent), height+top-y(d.Spent), x+3, bar-6,
				y(d.Spent+d.Coming), y(d.Spent)-y(d.Spent+d.Coming))
			if d.Cap > 0 {
				fmt.Fprintf(&b, `<line class="k" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, x, x+bar, y(d.Cap), y(d.Cap))
			}
			if n%7 == 0 {
				fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text>`, x, top+height+18, d.Day)
			}
			b.WriteString("</g>\n")
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}
