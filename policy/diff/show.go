package diff

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/internal/locales"
	"sluice/internal/retention"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/explain"

	"sluice/internal/pattern"
)

// plainWord is a name that stands for itself: letters and digits, and signs that
// no list or sentence of ours uses. A hyphen alone is how nothing is shown.
var plainWord = pattern.New(`^[\pL\pN_][\pL\pN_.@:/+-]*$`)

// word shows a name: as it is where it is plain, else in quotes. Two names never
// look the same, and none can be taken for anything but a name.
func word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return quote(s)
}

// Name is how a Change's About shows a decision's id or a file's name.
func Name(s string) string { return word(s) }

// quote shows text as it is between quotes, on one line. Whatever shows nothing,
// turns the writing around or would be lost where spaces are drawn together is
// written as an escape.
func quote(s string) string {
	return lost.Replace(strconv.Quote(s))
}

// lost is what explain.Plain would take away and strconv.Quote takes for text.
var lost = strings.NewReplacer("  ", ` \x20`, "\uFFFD", `\ufffd`)

func optional(s string) string {
	if s == "" {
		return ""
	}
	return word(s)
}

// words shows names in their order.
func words(names []string) string {
	if len(names) == 0 {
		return "-"
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = word(n)
	}
	return strings.Join(out, ", ")
}

// formatter shows values in one language, each so that another value looks different.
type formatter struct {
	l explain.Lang
	p *bundle.Policy
}

func (s *formatter) list(words []string) string {
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, ", ")
}

func (s *formatter) period(p civil.Period) string {
	if p.IsZero() {
		return "-"
	}
	return s.l.Period(p)
}

// term is for how long numbers are kept.
func (s *formatter) term(t retention.Term) string {
	if t.Forever {
		return say(s.l, "ever")
	}
	return s.period(t.Period)
}

func (s *formatter) retain(d *bundle.Decision) string {
	r := d.Retain
	if !r.Apart {
		return s.term(r.Hours)
	}
	var out []string
	if !r.Hours.IsZero() {
		out = append(out, locales.In(int(s.l)).Say("diff.of-hours", s.term(r.Hours)))
	}
	if !r.Days.IsZero() {
		out = append(out, locales.In(int(s.l)).Say("diff.of-days", s.term(r.Days)))
	}
	return strings.Join(out, "; ")
}

// zones shows each by its id, with the name that people know.
func (s *formatter) zones(ids []string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = word(id)
		if name := s.p.Zones.Name(id); name != id {
			out[i] += " " + quote(name)
		}
	}
	return s.list(out)
}

func (s *formatter) unit(d *bundle.Decision) string {
	switch u := d.Unit; {
	case len(u.None) > 0:
		return "none: " + showWords(u.None)
	case u.Sensor != "":
		return s.l.One(d.Stream.Unit.StandsFor) + " (sensor: " + word(u.Sensor) + ")"
	default:
		return s.l.One(d.Stream.Unit.StandsFor) + " (" + word(u.Field) + ": " + word(u.StandsFor) + ")"
	}
}

// showWords is one text, or one for each language.
func showWords(w decision.Words) string {
	if one, ok := w.One(); ok {
		return quote(one)
	}
	return showTitles(w)
}

func (s *formatter) where(d *bundle.Decision) string {
	var list []string
	for _, c := range d.Where {
		list = append(list, word(c.Field)+" "+c.Op+" "+showValue(c.Value))
	}
	return s.list(list)
}

func showValue(v any) string {
	switch v := v.(type) {
	case float64:
		return plan.Plain(v)
	case string:
		return quote(v)
	}
	return fmt.Sprint(v)
}

func (s *formatter) generalise(d *bundle.Decision) string {
	var list []string
	for _, g := range d.Generalise {
		if g.Step > 0 {
			list = append(list, word(g.Field)+" / "+plan.Plain(g.Step))
			continue
		}
		list = append(list, word(g.Field)+" "+showNumbers(g.To))
	}
	return s.list(list)
}

// showNumbers is a list of numbers as people write one.
func showNumbers(list []float64) string {
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = plan.Plain(f)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (s *formatter) by(d *bundle.Decision) string {
	var list []string
	for _, b := range d.Publish.By {
		if b.Field == "" {
			list = append(list, "zone")
			continue
		}
		list = append(list, word(b.Field)+": "+words(b.Values))
	}
	return strings.Join(list, "; ")
}

func (s *formatter) measures(d *bundle.Decision) string {
	var list []string
	for _, m := range d.Stream.Measures {
		line := word(m.Name) + ": " + m.Expression()
		if m.Bounded {
			line += " " + showNumbers([]float64{m.Low, m.High})
		}
		if len(m.Edges) > 0 {
			line += " " + showNumbers(m.Edges)
		}
		list = append(list, line)
	}
	return strings.Join(list, "; ")
}

func (s *formatter) blackouts(d *bundle.Decision) string {
	var list []string
	for _, b := range d.Blackouts {
		list = append(list,
			fmt.Sprintf("%s %s - %s (%s)", words(b.Zones), b.From.UTC().Format(time.RFC3339Nano),
				b.Until.UTC().Format(time.RFC3339Nano), quote(b.Reason)))
	}
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, "; ")
}

// perDay says what one unit pays a day, where the day has several epochs.
func (s *formatter) perDay(d *bundle.Decision, amount float64) string {
	if d.EpochsPerDay() == 1 {
		return ""
	}
	return " × " + fmt.Sprint(d.EpochsPerDay()) + " = " + s.l.Number(perDay(d, amount))
}
