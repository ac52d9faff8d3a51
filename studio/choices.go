package studio

import (
	"slices"

	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/explain"
	"sluice/register"
)

// choices are what a decision can choose from, as far as the files that say it can be read.
type choices struct {
	l       explain.Lang
	charter *decision.Charter
	kinds   map[string]register.Kind
	zones   *register.Zones
}

func choicesOf(files bundle.Files, l explain.Lang) choices {
	c := choices{l: l}
	// What cannot be read offers nothing, and check says why.
	c.charter, _ = decision.ParseCharter("charter.yaml", files["charter.yaml"])
	c.kinds, _ = register.ParseKinds("kinds.yaml", files["kinds.yaml"])
	c.zones, _ = register.ParseZones("zones.geojson", files["zones.geojson"])
	if c.charter == nil {
		c.charter = &decision.Charter{City: decision.City{Languages: []string{l.String()}}}
	}
	return c
}

// tongues are the city's languages, in its order.
func (c choices) tongues() (list []string) {
	for _, code := range c.charter.City.Languages {
		if _, ours := explain.Understand(code); ours {
			list = append(list, code)
		}
	}
	return list
}

// named is an id with what it is called.
func (c choices) named(id string, names map[string]string) option {
	if title := c.l.Title(names); title != "" && title != id {
		return option{Value: id, Label: title + " (" + id + ")"}
	}
	return option{Value: id, Label: id}
}

func (c choices) purposes() (list []option) {
	for _, id := range c.charter.Purposes {
		list = append(list, c.named(id, c.charter.Names.Purposes[id]))
	}
	return list
}

func (c choices) ofKinds() (list []option) {
	for id, k := range c.kinds {
		list = append(list, c.named(id, k.Names))
	}
	return byLabel(list)
}

func (c choices) ofZones() (list []option) {
	if c.zones == nil {
		return nil
	}
	for _, id := range c.zones.IDs() {
		list = append(list, c.named(id, map[string]string{c.l.String(): c.zones.NameIn(id, c.l.String())}))
	}
	return byLabel(list)
}

func byLabel(list []option) []option {
	slices.SortFunc(list, func(a, b option) int {
		if a.Label < b.Label {
			return -1
		} else if a.Label > b.Label {
			return 1
		}
		return 0
	})
	return list
}

// fieldsOf are what sensors of some kinds send, each once.
func (c choices) fieldsOf(kinds []string) (list []register.Field) {
	for _, id := range kinds {
		for _, f := range c.kinds[id].Fields {
			if !slices.ContainsFunc(list, func(x register.Field) bool { return x.Name == f.Name }) {
				list = append(list, f)
			}
		}
	}
	return list
}

func (c choices) fields(kinds []string) (list []option) {
	for _, f := range c.fieldsOf(kinds) {
		list = append(list, c.named(f.Name, f.Names))
	}
	return list
}

// units are whom sensors of some kinds can be about, as the form says them.
func (c choices) units(kinds []string) (list []option) {
	add := func(value, label string) {
		if !slices.ContainsFunc(list, func(o option) bool { return o.Value == value }) {
			list = append(list, option{Value: value, Label: label})
		}
	}
	for _, id := range kinds {
		for _, u := range c.kinds[id].Units {
			if u.Sensor {
				add("sensor "+u.StandsFor, say(c.l, "draft.unit.sensor", c.l.One(u.StandsFor)))
				continue
			}
			add(u.Field+" "+u.StandsFor, say(c.l, "draft.unit.field", c.l.One(u.StandsFor), u.Field))
		}
	}
	return append(list, option{Value: "none", Label: say(c.l, "draft.unit.none")})
}

// functions are what can be published of the fields of some kinds.
func (c choices) functions(kinds []string) []option {
	list := []option{
		{Value: "distinct(unit)", Label: say(c.l, "draft.of.distinct")},
		{Value: "count()", Label: say(c.l, "draft.of.count")},
	}
	for _, f := range c.fieldsOf(kinds) {
		name := c.l.Title(f.Names)
		if name == "" {
			name = f.Name
		}
		add := func(function, rest string) {
			list = append(list, option{Value: function + "(" + f.Name + rest + ")",
				Label: say(c.l, "draft.of."+function, name)})
		}
		switch {
		case f.Type == "bool":
			add("share", "")
		case f.Type != "int" && f.Type != "float":
		case len(f.Unit) >= 2 && f.Unit[:2] == "dB" && f.Unit != "dBm":
			for _, function := range []string{"leq", "lday", "levening", "lnight", "lden"} {
				add(function, "")
			}
		default:
			for _, function := range []string{"mean", "sum", "histogram"} {
				add(function, "")
			}
			add("quantile", ", 0.5")
		}
	}
	return list
}

// floors are the charter's, besides saying none.
func (c choices) floors() []option {
	list := []option{{Value: "", Label: say(c.l, "draft.floor.exact")}}
	for _, f := range c.charter.Allowed() {
		if f != plan.Exact {
			list = append(list, option{Value: string(f), Label: say(c.l, "draft.floor."+string(f))})
		}
	}
	return list
}
