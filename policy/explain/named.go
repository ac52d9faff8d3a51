package explain

import (
	"strings"

	"sluice/internal/locales"
	"sluice/plan"
)

// namesSince is the first format of motions whose texts say the council's words instead of
// ids, and draw Catalan articles and prepositions together.
const namesSince = 6

// named reports whether the text says the council's words.
func (t *text) named() bool { return t.format == 0 || t.format >= namesSince }

// pick is what an id is called; the id itself in texts of earlier formats, and where the
// council has no words for it.
func (t *text) pick(words map[string]string, id string) string {
	if name := words[t.l.String()]; name != "" && t.named() {
		return name
	}
	if name := t.l.Title(words); name != "" && t.named() {
		return name
	}
	return id
}

func (t *text) kind(id string) string { return t.pick(t.p.Kinds[id].Names, id) }

func (t *text) kinds(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = t.kind(id)
	}
	return t.l.List(names)
}

// field is what a field is called: by the first of the decision's kinds that has words.
func (t *text) field(name string) string {
	for _, kind := range t.d.AppliesTo.Kinds {
		for _, f := range t.p.Kinds[kind].Fields {
			if f.Name == name && len(f.Names) > 0 {
				return t.pick(f.Names, name)
			}
		}
	}
	return name
}

// dropped says which fields nobody uses.
func (t *text) dropped(fields []string) string {
	if !t.named() {
		return t.say("f-drop", t.l.List(fields))
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = t.field(f)
	}
	form := locales.In(int(t.l)).Form("explain.f-drops", len(names))
	return t.say(strings.TrimPrefix(form, "explain."), t.l.List(names))
}

func (t *text) withUnit(field string) string {
	for _, kind := range t.d.AppliesTo.Kinds {
		for _, f := range t.p.Kinds[kind].Fields {
			if f.Name == field && f.Unit != "" {
				return t.field(field) + " (" + t.unit(f.Unit) + ")"
			}
		}
	}
	return t.field(field)
}

// value is what a field's value is called.
func (t *text) value(field, value string) string {
	return t.pick(t.p.Names().Values[field+"/"+value], value)
}

func (t *text) measure(name string) string {
	for _, m := range t.d.Publish.Measures {
		if m.Name == name {
			return t.pick(m.Names, name)
		}
	}
	return name
}

func (t *text) unit(unit string) string { return t.pick(t.p.Charter.Names.Units[unit], unit) }

// zonesSince is the first format of motions whose texts call zones as each language does.
const zonesSince = 7

// zone is what a zone is called.
func (t *text) zone(id string) string {
	if t.format == 0 || t.format >= zonesSince {
		return t.p.Zones.NameIn(id, t.l.String())
	}
	return t.p.Zones.Name(id)
}

// places are zones with the preposition before them: in the Square, al Port i a la Rambla.
func (t *text) places(ids []string) string {
	return t.prepositions(ids, func(place string) string { return locales.In(int(t.l)).At(place) })
}

// ofPlaces are zones as in "of the Square".
func (t *text) ofPlaces(ids []string) string {
	return t.prepositions(ids, func(place string) string { return locales.In(int(t.l)).Of(place) })
}

func (t *text) prepositions(ids []string, with func(place string) string) string {
	if t.l.String() != "ca" {
		return with(t.zones(ids))
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = strings.ReplaceAll(with(t.zone(id)), "’", "'")
	}
	return t.l.List(names)
}

// sayAt says a sentence with zones: by itself with their prepositions, or, in texts of
// earlier formats, behind one.
func (t *text) sayAt(key, old string, zones []string, args ...any) string {
	if !t.named() {
		return t.say(old, append(args, t.zones(zones))...)
	}
	return t.say(key, append(args, t.places(zones))...)
}

// calling is a measure with its field as it is called.
func (t *text) calling(m plan.Measure) plan.Measure {
	m.Field = t.field(m.Field)
	return m
}

// limits say what the numbers are compared with.
func (t *text) limits() (out []string) {
	if !t.named() {
		return nil
	}
	for i, m := range t.d.Publish.Measures {
		for _, l := range m.Limits {
			value := strings.TrimSpace(t.l.Number(*l.Value) + " " + t.unit(t.s.Measures[i].Unit))
			source, _ := l.Source.Best(t.l.String())
			if l.Over.IsZero() {
				out = append(out, t.say("limit", t.measure(m.Name), value, t.l.Title(l.Title), source))
				continue
			}
			out = append(out,
				t.say("limit-over", t.measure(m.Name), value, t.l.Title(l.Title), source, t.l.Period(l.Over)))
		}
	}
	return out
}
