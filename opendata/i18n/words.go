package i18n

import (
	"strings"

	"sluice/books"
)

// Words say in one language what a city's policy names by an id. Where the council has no
// words for one, the id itself is said.
type Words struct {
	l *Localizer
	v books.Vocabulary
}

// Words are those of a city.
func (l *Localizer) Words(v books.Vocabulary) Words { return Words{l, v} }

// Purpose is what a decision is for.
func (w Words) Purpose(id string) string { return w.pick(w.v.Purposes[id], id) }

// Kind is a kind of sensors.
func (w Words) Kind(id string) string { return w.pick(w.v.Kinds[id], id) }

// Field is something that sensors of a kind send.
func (w Words) Field(kind, name string) string { return w.pick(w.v.Fields[kind+"/"+name], name) }

// Category is a value by which a series is told apart. Books of before do not say of which
// field it is; then it is that of any field that has such a value.
func (w Words) Category(field, value string) string {
	if value == "" {
		return ""
	}
	if field != "" {
		return w.pick(w.v.Categories[field+"/"+value], value)
	}
	at := ""
	for id := range w.v.Categories {
		if strings.HasSuffix(id, "/"+value) && (at == "" || id < at) {
			at = id
		}
	}
	return w.pick(w.v.Categories[at], value)
}

// Unit is a unit in words that fit a number of it.
func (w Words) Unit(unit string, v float64) string {
	if by := w.v.Units[unit]; by[w.l.Code] != "" {
		return by[w.l.Code]
	}
	return w.l.Unit(unit, v)
}

// Measure names a number and, where that says more, its unit; of a histogram's class the
// class, too.
func (w Words) Measure(m books.Measure) string {
	name, unit := w.MeasureName(m), w.Unit(m.Unit, 2)
	_, counts := w.l.local.Sentences("pages")["unit "+m.Unit]
	if unit == "" || unit == name || counts && m.Names[w.l.Code] != "" {
		return name
	}
	return name + " (" + unit + ")"
}

// MeasureName is a number's name without its unit.
func (w Words) MeasureName(m books.Measure) string {
	name := m.Names[w.l.Code]
	switch {
	case name == "":
		return m.Name
	case len(m.Class) != 2:
		return name
	}
	return name + ", " + w.l.Number(m.Class[0]) + "–" + w.l.Number(m.Class[1])
}

// Limit is what a limit is called.
func (w Words) Limit(x books.Limit) string { return w.pick(x.Title, x.Source) }

// LimitSource is the law or guideline that a limit is from.
func (w Words) LimitSource(x books.Limit) string { return w.pick(x.Sources, x.Source) }

func (w Words) pick(by map[string]string, id string) string {
	if text, _ := w.l.Title(by); text != "" {
		return text
	}
	return id
}
