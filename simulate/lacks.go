package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/firmware-sim/street"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/register"
)

// Lacks is the error if the traffic lacks what a decision needs. To simulate only the rest would be
// to simulate another decision.
type Lacks struct {
	Decision string
	// Sentences name one missing thing each, and what there is instead.
	Sentences []string
}

func (e *Lacks) Error() string {
	return fmt.Sprintf("decision %s cannot be simulated: %s", e.Decision, strings.Join(e.Sentences, "; "))
}

// lacks compares what a decision needs with what the traffic has. A gap that does not affect the rest
// is a note.
func lacks(
	sp Speech, p *bundle.Policy, d *bundle.Decision, tr Traffic, v *survey, m *model,
) (notes []string, err error) {
	l := &lacking{speech: sp, p: p, d: d, s: d.Stream, tr: tr, v: v}
	l.period()
	l.unit()
	l.kinds()
	if len(l.out) == 0 {
		l.places()
		l.fields()
		l.categories()
		l.conditions()
	}
	l.owners()
	if len(l.out) == 0 && len(m.cells) == 0 {
		l.say("no reading of %s counts for it", tr.Name)
	}
	if len(l.out) > 0 {
		return nil, &Lacks{d.Decision, l.out}
	}
	return l.notes, nil
}

type lacking struct {
	speech     Speech
	p          *bundle.Policy
	d          *bundle.Decision
	s          *plan.Stream
	tr         Traffic
	v          *survey
	out, notes []string
}

func (l *lacking) say(english string, args ...any) {
	l.out = append(l.out, l.speech.Say(english, args...))
}

// note adds a note.
func (l *lacking) note(english string, args ...any) {
	l.notes = append(l.notes, l.speech.Say(english, args...))
}

// list joins names, or is "none of these" in words.
func (l *lacking) list(names []string) string {
	if len(names) == 0 {
		return l.speech.Say("none of these")
	}
	return l.speech.List(names)
}

// period checks for at least one whole window, with the decision in force throughout.
func (l *lacking) period() {
	end := l.tr.Start.Add(time.Duration(l.tr.Minutes) * time.Minute)
	switch _, next := l.s.Window(l.tr.Start); {
	case next.After(end):
		l.say("a window of %s does not fit into %s, which begins at %s and lasts %s", l.s.Every.String(), l.tr.Name,
			l.tr.Start.In(l.p.Location).Format("15:04"), end.Sub(l.tr.Start).String())
	case end.After(l.s.Until):
		whole := int(l.s.Until.Sub(l.tr.Start).Round(24*time.Hour) / (24 * time.Hour))
		l.say("%s lasts until %s, and the decision is in force for %s only: simulate at most so many", l.tr.Name,
			end.In(l.p.Location).Format(time.DateOnly), days(l.speech, whole))
	}
	for _, x := range l.p.Suspended {
		if x.Decision == l.d.Decision {
			l.say("it is suspended in this policy, so nothing would be published")
		}
	}
}

// unit checks that the decision's unit is one that the simulated sensors' fields stand for.
func (l *lacking) unit() {
	u := l.s.Unit
	if l.tr.StandsFor == nil || u.None() {
		return
	}
	var there []string
	for _, kind := range slices.Sorted(maps.Keys(l.tr.StandsFor)) {
		for _, field := range slices.Sorted(maps.Keys(l.tr.StandsFor[kind])) {
			there = append(there, l.speech.Say("%s (%s of %s)", l.speech.One(l.tr.StandsFor[kind][field]), field, kind))
		}
	}
	if u.Sensor {
		l.say("in %s no sensor stands for a %s: its units are %s", l.tr.Name, l.speech.One(u.StandsFor), l.list(there))
		return
	}
	for _, kind := range l.d.AppliesTo.Kinds {
		if l.v.kinds[kind] != nil && l.tr.StandsFor[street.Kind(kind)][u.Field] != u.StandsFor {
			l.say("in %s the field %s of %s does not stand for a %s: its units are %s", l.tr.Name, u.Field, kind,
				l.speech.One(u.StandsFor), l.list(there))
		}
	}
}

func (l *lacking) kinds() {
	for _, kind := range l.d.AppliesTo.Kinds {
		if l.v.kinds[kind] == nil {
			l.say("%s has no readings of the kind %s; it has %s", l.tr.Name, kind, l.list(l.v.names()))
		}
	}
}

// places checks for readings in the decision's zones. A zone without a sensor has no data, as in a real
// city; it is an error only if all zones are like that.
func (l *lacking) places() {
	if l.s.Place.ByPoint() {
		l.say(
			"its readings are placed by their coordinates, which simulate cannot do: the sensors of %s stand in zones",
			l.tr.Name)
		return
	}
	var there, empty []string
	for _, zone := range l.s.Zones {
		measured := false
		for _, kind := range l.d.AppliesTo.Kinds {
			measured = measured || l.v.kinds[kind].zones[zone]
		}
		if !measured {
			empty = append(empty, zone)
		}
	}
	for _, kind := range l.d.AppliesTo.Kinds {
		there = append(there, slices.Collect(maps.Keys(l.v.kinds[kind].zones))...)
	}
	slices.Sort(there)
	switch what := l.list(l.d.AppliesTo.Kinds); {
	case len(empty) == len(l.s.Zones):
		l.say("%s has no readings of %s in %s; it has them in %s", l.tr.Name, what, l.list(empty),
			l.list(slices.Compact(there)))
	case len(empty) > 0:
		l.note("In %s there is nothing to simulate: %s has no readings of %s there.", l.list(empty), l.tr.Name, what)
	}
}

// owners checks for readings of the owners that by_owner names.
func (l *lacking) owners() {
	for _, part := range l.s.OwnerParts() {
		there := slices.ContainsFunc(l.tr.Sensors, func(x street.Sensor) bool {
			return x.Owner == part.Owner && slices.Contains(l.d.AppliesTo.Kinds, string(x.Kind))
		})
		if !there {
			l.note("by_owner names %s, which has no %s in %s.", part.Owner, l.list(l.d.AppliesTo.Kinds), l.tr.Name)
		}
	}
}

// fields checks, for every kind, the fields that enter a number.
func (l *lacking) fields() {
	numeric := map[string]bool{} // and whether it is a number
	for _, x := range l.s.Measures {
		if x.Field != "" {
			numeric[x.Field] = numeric[x.Field] || !x.Share
		}
	}
	for _, g := range l.s.Generalise {
		numeric[g.Field] = true
	}
	used := slices.Collect(maps.Keys(numeric))
	for _, c := range l.s.Where {
		used = append(used, c.Field)
	}
	used = append(used, l.s.Unit.Field, l.s.Category.Field)
	slices.Sort(used)
	for _, kind := range l.d.AppliesTo.Kinds {
		k := l.v.kinds[kind]
		for _, field := range slices.Compact(slices.Clone(used)) {
			switch f := k.fields[field]; {
			case field == "" || f == nil && !l.declared(kind, field) && l.sent(field):
			case f == nil:
				l.say("in %s the kind %s sends no %s; it sends %s", l.tr.Name, kind, field,
					l.list(slices.Sorted(maps.Keys(k.fields))))
			case numeric[field] && f.numbers == 0:
				l.say("in %s the field %s of %s is no number", l.tr.Name, field, kind)
			}
		}
		for _, field := range l.d.Keep {
			if k.fields[field] == nil && !slices.Contains(used, field) {
				l.note("It keeps %s, which %s of %s does not send; no number depends on it.", field, kind, l.tr.Name)
			}
		}
	}
}

// declared reports whether a kind should have the field; another kind of the decision may lack it.
func (l *lacking) declared(kind, field string) bool {
	return slices.ContainsFunc(l.p.Kinds[kind].Fields, func(f register.Field) bool { return f.Name == field })
}

func (l *lacking) sent(field string) bool {
	return slices.ContainsFunc(l.d.AppliesTo.Kinds, func(kind string) bool {
		return l.v.kinds[kind].fields[field] != nil
	})
}

func (l *lacking) categories() {
	field := l.s.Category.Field
	if field == "" {
		return
	}
	there := map[string]bool{}
	for _, kind := range l.d.AppliesTo.Kinds {
		if f := l.v.kinds[kind].fields[field]; f != nil {
			maps.Copy(there, f.distinct)
		}
	}
	if len(there) == 0 {
		return // the field is missing, which was said
	}
	for _, value := range l.s.Category.Values {
		if !there[value] {
			instead := "" // of recorded readings, values are nobody's business
			if l.tr.StandsFor != nil {
				instead = "; " + l.speech.Say("there is %s", l.list(slices.Sorted(maps.Keys(there))))
			}
			l.out = append(l.out, l.speech.Say("in %s no reading has %s %s", l.tr.Name, field, value)+instead)
		}
	}
}

func (l *lacking) conditions() {
	for i, c := range l.s.Where {
		met, sent := 0, 0
		for _, kind := range l.d.AppliesTo.Kinds {
			met += l.v.kinds[kind].met[i]
			if l.v.kinds[kind].fields[c.Field] != nil {
				sent++
			}
		}
		if met == 0 && sent > 0 {
			l.say("in %s no reading has %s %s", l.tr.Name, c.Field, fmt.Sprint(c.Op, " ", c.Value))
		}
	}
}
