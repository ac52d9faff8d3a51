package studio

import (
	"math"
	"strings"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/simulate"
	"sluice/store"
)

// teller says in words what a trial gives.
type teller struct {
	l explain.Lang
	p *bundle.Policy
	d *bundle.Decision
	t *simulate.Trial
	// number is which of its numbers is told of.
	number int
}

func (w teller) say(key string, parts ...any) string { return say(w.l, "see."+key, parts...) }

// figure is a number with three digits at most where it is no whole one.
func (w teller) figure(f float64) string {
	if f != math.Trunc(f) && math.Abs(f) < 100 {
		scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(f))))
		return w.l.Number(math.Round(f*scale) / scale)
	}
	return w.l.Number(math.Round(f))
}

// percent is a share of 100, with one digit behind the mark where it is small.
func (w teller) percent(share float64) string {
	if share = 100 * share; share < 10 {
		return w.l.Number(math.Round(10*share) / 10)
	}
	return w.l.Number(math.Round(share))
}

// sentences are what the picture shows, and what it costs.
func (w teller) sentences() (out []string) {
	all := w.t.Published + w.t.Withheld
	if w.d.Stream.Unit.None() {
		return []string{w.say("exact", w.t.Published)}
	}
	many, one := w.l.Many(w.t.Unit), w.l.One(w.t.Unit)
	out = append(out, w.say("shown", w.t.Published, all, w.t.Withheld), w.say("from", w.t.PublicFrom, many))
	if half := w.t.Halves[w.number]; half > 0 {
		out = append(out, w.say("half", w.figure(half)))
	}
	if w.t.Inside != nil {
		out = append(out, w.say("inside", w.percent(*w.t.Inside)))
	}
	out = append(out, w.missed(one, many))
	if w.t.BiasShare != nil {
		switch b := *w.t.BiasShare; {
		case b <= -.0005:
			out = append(out, w.say("low", w.percent(-b)))
		case b >= .0005:
			out = append(out, w.say("high", w.percent(b)))
		default:
			out = append(out, w.say("right"))
		}
	}
	out = append(out, w.say("hidden", w.percent(w.t.Missed.Hidden())))
	return append(out, w.say("spent", one, w.figure(w.t.Budget.AllDecisions), w.figure(w.t.Budget.Cap)))
}

// missed is who is not counted, and what that does to the numbers.
func (w teller) missed(one, many string) string {
	m, times := w.t.Missed, w.t.Values.MaxContributions
	switch {
	case m.TurnedAway == 0 && times == 1:
		return w.say("nobody.one", one)
	case m.TurnedAway == 0:
		return w.say("nobody.other", one, times)
	case times == 1:
		return w.say("missed.one", m.TurnedAway, m.Units, many, w.percent(m.Bend()))
	}
	return w.say("missed.other", m.TurnedAway, m.Units, many, times, w.percent(m.Bend()))
}

// breaks are what the charter does not allow of these values.
func (w teller) breaks() (out []string) {
	if w.d.Stream.Unit.None() {
		return nil
	}
	c, v := w.p.Charter, w.t.Values
	if v.MinUnits < c.MinUnits {
		out = append(out, w.say("breaks.min", c.MinUnits))
	}
	if v.MaxContributions > c.MaxContributions {
		out = append(out, sayN(w.l, "see.breaks.times", int(c.MaxContributions)))
	}
	if b := w.t.Budget; b.AllDecisions > b.Cap*(1+1e-9) {
		out = append(out, w.say("breaks.epsilon", w.figure(b.AllDecisions), w.figure(b.Cap)))
	}
	return out
}

// rows are the table.
func (w teller) rows(points []simulate.Point) (out []tried) {
	for _, p := range points {
		row := tried{When: when(p.Start, w.t.Values.Every.Nominal(), w.p.Location), Passed: w.figure(p.Truth),
			Counted: w.figure(p.Counted)}
		switch p.Status {
		case store.Published:
			row.Value, row.Status = w.figure(p.Value), w.say("status.published")
			if p.Low != p.High {
				row.Band = w.say("band", w.figure(p.Low), w.figure(p.High))
			}
		case store.Withheld:
			row.Status = w.say("status.withheld")
		default:
			row.Status = w.say("status.none")
		}
		out = append(out, row)
	}
	return out
}

// cellWords is what a place is called, with its category.
func cellWords(l explain.Lang, p *bundle.Policy, d *bundle.Decision, cell string) string {
	zone, category, split := strings.Cut(cell, "/")
	name := p.Zones.NameIn(zone, l.String())
	if !split {
		return name
	}
	words := p.Names().Values[d.Stream.Category.Field+"/"+category]
	if in := l.Title(words); in != "" {
		category = in
	}
	return name + ", " + category
}

// numberIn is numberWords of a policy's decision; the id where either cannot be read.
func numberIn(l explain.Lang, p *bundle.Policy, id, measure string) string {
	if p == nil || p.Decision(id) == nil {
		return measure
	}
	return numberWords(l, p.Decision(id), measure)
}

// numberWords is what one published number is called.
func numberWords(l explain.Lang, d *bundle.Decision, name string) string {
	for _, m := range d.Publish.Measures {
		if words := l.Title(m.Names); m.Name == name && words != "" {
			return words
		}
	}
	return name
}

func mustPeriod(text string) civil.Period {
	p, err := civil.ParsePeriod(text)
	must(err)
	return p
}
