package studio

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"sluice/internal/civil"
	"sluice/internal/yamldoc"
)

// group is a part of the form under a heading.
type group struct {
	Key     string // of its heading
	N       int    // which of several it is, from 1; 0 for the only one
	Legend  string
	Help    string
	Fields  []field
	Buttons []button
}

// ID is the group's id in the page; of one of several it says which: g-publish-measures-0.
func (g group) ID() string {
	if g.N == 0 || len(g.Fields) == 0 {
		return "g-" + g.Key
	}
	steps, last := g.Fields[0].Path(), 0
	for i, step := range steps {
		if _, err := strconv.Atoi(step); err == nil {
			last = i + 1
		}
	}
	return "g-" + strings.Join(steps[:last], "-")
}

// button changes a list: add PATH, or drop PATH.
type button struct{ Do, Label string }

// form is a form over what a file says.
type form struct {
	choices
	room   string // where its words are: draft.field.title
	v      any
	groups []group
}

// formOf is the form of a decision.
func formOf(c choices, v any) *form {
	f := &form{choices: c, room: "draft", v: v}
	f.about()
	f.sensors()
	f.used()
	f.published()
	f.measures()
	f.protected()
	f.times()
	f.blackouts()
	f.consultation()
	return f.filledIn()
}

// filledIn is the form with what the file says in its fields.
func (f *form) filledIn() *form {
	for i := range f.groups {
		for j := range f.groups[i].Fields {
			f.groups[i].Fields[j] = f.groups[i].Fields[j].filled(f.v)
		}
	}
	return f
}

// add puts fields under a heading; those without words of their own are called as their key is.
func (f *form) add(g group) {
	for i := range g.Fields {
		x := &g.Fields[i]
		if x.Sort == "" {
			x.Sort = "text"
		}
		key := keyOf(x.Name)
		if x.Label == "" {
			x.Label = say(f.l, f.room+".field."+key)
		}
		if x.Lang != "" {
			x.Label += " – " + languages[x.Lang]
		}
		if help, ok := textOf(f.l, f.room+".help."+key); ok && x.Help == "" {
			x.Help = help
		}
	}
	g.Legend = say(f.l, f.room+".group."+g.Key)
	if help, ok := textOf(f.l, f.room+".about."+g.Key); ok && g.Help == "" {
		g.Help = help
	}
	f.groups = append(f.groups, g)
}

// keyOf is a way without its numbers and language, and with hyphens: publish-measures-limits-value.
func keyOf(name string) string {
	var out []string
	for _, step := range strings.Split(name, ".") {
		if _, err := strconv.Atoi(step); err != nil && languages[step] == "" {
			out = append(out, step)
		}
	}
	return strings.Join(out, "-")
}

// inTongues is a text in each language of the city; one that is a single text stays so.
func (f *form) inTongues(name, sort string) (list []field) {
	if _, single := yamldoc.In(f.v, strings.Split(name, ".")...).(string); single {
		return []field{{Name: name, Sort: sort}}
	}
	for _, code := range f.tongues() {
		list = append(list, field{Name: name + "." + code, Sort: sort, Lang: code})
	}
	return list
}

func (f *form) about() {
	fields := []field{{Name: "decision"}}
	fields = append(fields, f.inTongues("title", "text")...)
	fields = append(fields, field{Name: "stream"}, field{Name: "purpose", Sort: "select", Options: f.purposes()},
		field{Name: "legal_basis"})
	f.add(group{Key: "about", Fields: fields})
}

// chosen are the kinds that the decision is about.
func (f *form) chosen() []string { return listed(f.v, "applies_to", "kinds") }

func (f *form) sensors() {
	f.add(group{Key: "sensors", Fields: []field{
		checks(field{Name: "applies_to.kinds", Options: f.ofKinds()}),
		checks(field{Name: "applies_to.zones", Options: f.ofZones()}),
	}})
	fields := []field{f.unit()}
	if yamldoc.In(f.v, "unit", "none") != nil {
		fields = append(fields, f.inTongues("unit.none", "area")...)
	}
	f.add(group{Key: "unit", Fields: fields})
}

// unit chooses whom the decision protects: FIELD UNIT, sensor UNIT, or none.
func (f *form) unit() field {
	return field{Name: "unit", Sort: "select", Options: f.units(f.chosen()),
		read: func(v any) []string {
			unit, _ := yamldoc.In(v, "unit").(yamldoc.Pairs)
			switch {
			case unit.Get("none") != nil:
				return []string{"none"}
			case unit.Get("sensor") != nil:
				return []string{"sensor " + spelled(unit.Get("sensor"))}
			case unit.Get("field") != nil:
				return []string{spelled(unit.Get("field")) + " " + spelled(unit.Get("stands_for"))}
			}
			return nil
		},
		write: func(v any, said []string) (any, error) {
			what, of, _ := strings.Cut(strings.Join(said, ""), " ")
			put := yamldoc.Pairs{{Key: "field", Value: what}, {Key: "stands_for", Value: of}}
			switch what {
			case "":
				return v, nil
			case "none":
				why := yamldoc.Pairs{}
				for _, code := range f.tongues() {
					why = append(why, yamldoc.Pair{Key: code, Value: say(tongue(code), "draft.why-nobody")})
				}
				put = yamldoc.Pairs{{Key: "none", Value: why}}
			case "sensor":
				put = yamldoc.Pairs{{Key: "sensor", Value: of}}
			}
			return yamldoc.With(v, put, "unit")
		}}
}

func (f *form) used() {
	fields := f.fields(f.chosen())
	f.add(group{Key: "used", Fields: []field{checks(field{Name: "keep", Options: fields}), f.place(fields)}})
	for i := range entries(f.v, "where") {
		at := "where." + strconv.Itoa(i)
		f.add(group{Key: "where", N: i + 1, Fields: []field{
			{Name: at + ".field", Sort: "select", Options: fields},
			{Name: at + ".op", Sort: "select", Options: plain("==", "!=", "<", "<=", ">", ">=")},
			f.compared(at + ".value"),
		}, Buttons: []button{f.drop(at, "where")}})
	}
	for i := range entries(f.v, "generalise") {
		at := "generalise." + strconv.Itoa(i)
		f.add(group{Key: "generalise", N: i + 1, Fields: []field{
			{Name: at + ".field", Sort: "select", Options: fields},
			{Name: at + ".step", Sort: "number"}, numbers(field{Name: at + ".to"}),
		}, Buttons: []button{f.drop(at, "generalise")}})
	}
	last := &f.groups[len(f.groups)-1]
	last.Buttons = append(last.Buttons, f.more("where"), f.more("generalise"))
}

// compared is what a condition compares with: a number or yes and no where the field is one.
func (f *form) compared(name string) field {
	x := field{Name: name}
	x.write = func(v any, said []string) (any, error) {
		text := strings.Join(said, " ")
		switch was := yamldoc.In(v, x.Path()...).(type) {
		case string:
			if was != "" {
				return yamldoc.With(v, orNothing(text), x.Path()...)
			}
		}
		if text == "true" || text == "false" {
			return yamldoc.With(v, text == "true", x.Path()...)
		}
		return yamldoc.With(v, numeral(text), x.Path()...)
	}
	return x
}

// place is where a reading counts: at its sensor, or where two of its fields say.
func (f *form) place(fields []option) field {
	options := []option{{Value: "sensor", Label: say(f.l, "draft.place.sensor")}}
	for _, lat := range fields {
		for _, lon := range fields {
			if strings.HasPrefix(lat.Value, "lat") && strings.HasPrefix(lon.Value, "lon") {
				options = append(options, option{Value: lat.Value + " " + lon.Value,
					Label: say(f.l, "draft.place.point", lat.Label, lon.Label)})
			}
		}
	}
	return field{Name: "place", Sort: "select", Options: options,
		read: func(v any) []string {
			switch place := yamldoc.In(v, "place").(type) {
			case string:
				return one(place)
			case yamldoc.Pairs:
				return []string{spelled(place.Get("lat")) + " " + spelled(place.Get("lon"))}
			}
			return nil
		},
		write: func(v any, said []string) (any, error) {
			lat, lon, point := strings.Cut(strings.Join(said, ""), " ")
			if point {
				return yamldoc.With(v, yamldoc.Pairs{{Key: "lat", Value: lat}, {Key: "lon", Value: lon}}, "place")
			}
			return yamldoc.With(v, orNothing(lat), "place")
		}}
}

// entries are those of a list.
func entries(v any, path ...string) []any {
	list, _ := yamldoc.In(v, path...).([]any)
	return list
}

func plain(values ...string) (list []option) {
	for _, v := range values {
		list = append(list, option{Value: v, Label: v})
	}
	return list
}

// periods are lengths of time to choose from, in words.
func (f *form) periods(values ...string) (list []option) {
	for _, v := range values {
		if p, err := civil.ParsePeriod(v); err == nil {
			list = append(list, option{Value: v, Label: f.l.Period(p)})
			continue
		}
		list = append(list, option{Value: v, Label: say(f.l, "draft."+v)})
	}
	return list
}

func (f *form) drop(at, key string) button {
	return button{"drop " + at, say(f.l, f.room+".drop."+key)}
}

func (f *form) more(at string) button {
	return button{"add " + at, say(f.l, f.room+".more."+keyOf(at))}
}

// fill puts what was sent into what a file says, field by field. Only what differs from what the
// form shows is taken, and what no field shows stays.
func (f *form) fill(v any, sent url.Values) (any, error) {
	for _, g := range f.groups {
		for _, x := range g.Fields {
			said, there := sent[x.Name]
			if !there {
				continue
			}
			next, err := x.put(v, f.v, said)
			if known := (*fault)(nil); errors.As(err, &known) {
				return nil, err
			} else if err != nil {
				return nil, errElsewhere
			}
			v = next
		}
	}
	return v, nil
}
