package studio

import (
	"net/http"
	"strconv"
	"strings"

	"sluice/internal/yamldoc"
	"sluice/policy/decision"
	"sluice/policy/explain"
)

// errElsewhere: a field's value has a form in the file that the form does not know.
var errElsewhere = &fault{http.StatusUnprocessableEntity, "draft.elsewhere"}

// tongue is the language of a code that is one of ours.
func tongue(code string) explain.Lang { return explain.ParseLang(code) }

func (f *form) published() {
	fields := []field{
		{Name: "publish.every", Sort: "select", Options: f.periods("PT15M", "PT30M", "PT1H", "P1D")},
		{Name: "publish.lateness", Sort: "select", Options: f.periods("PT2M", "PT10M", "PT1H", "P1D")},
	}
	f.add(group{Key: "published", Fields: append(fields, f.by()...)})
}

// by are what numbers are told apart by: by zone, and by one field's values.
func (f *form) by() []field {
	list := entries(f.v, "publish", "by")
	at := -1
	for i, x := range list {
		if _, mapping := x.(yamldoc.Pairs); mapping {
			at = i
		}
	}
	byZone := field{Name: "publish.by", Sort: "checks",
		Options: []option{{Value: "zone", Label: say(f.l, "draft.by-zone")}},
		read: func(v any) []string {
			for _, x := range entries(v, "publish", "by") {
				if x == "zone" {
					return []string{"zone"}
				}
			}
			return nil
		},
		write: func(v any, said []string) (any, error) {
			var out []any
			if len(said) > 0 {
				out = []any{"zone"}
			}
			for _, x := range entries(v, "publish", "by") {
				if x != "zone" {
					out = append(out, x)
				}
			}
			if out == nil {
				return yamldoc.With(v, nil, "publish", "by")
			}
			return yamldoc.With(v, out, "publish", "by")
		}}
	if at < 0 {
		return []field{byZone}
	}
	name := "publish.by." + strconv.Itoa(at)
	return []field{byZone, {Name: name + ".field", Sort: "select", Options: f.fields(f.chosen())},
		wordList(field{Name: name + ".values"})}
}

func (f *form) measures() {
	for i := range entries(f.v, "publish", "measures") {
		at := "publish.measures." + strconv.Itoa(i)
		fields := []field{{Name: at + ".name"},
			{Name: at + ".of", Sort: "select", Options: f.functions(f.chosen())}}
		fields = append(fields, f.inTongues(at+".names", "text")...)
		fields = append(fields, numbers(field{Name: at + ".between"}))
		if of := spelled(yamldoc.In(f.v, append(strings.Split(at, "."), "of")...)); strings.HasPrefix(of, "histogram") {
			fields = append(fields, numbers(field{Name: at + ".edges"}))
		}
		f.add(group{Key: "measure", N: i + 1, Fields: fields,
			Buttons: []button{f.more(at + ".limits"), f.drop(at, "measure")}})
		for j := range entries(f.v, "publish", "measures", strconv.Itoa(i), "limits") {
			f.limit(at+".limits."+strconv.Itoa(j), j)
		}
	}
	last := &f.groups[len(f.groups)-1]
	last.Buttons = append(last.Buttons, f.more("publish.measures"))
}

func (f *form) limit(at string, n int) {
	fields := []field{{Name: at + ".value", Sort: "number"}}
	fields = append(fields, f.inTongues(at+".title", "text")...)
	fields = append(fields, f.inTongues(at+".source", "text")...)
	fields = append(fields, field{Name: at + ".over", Sort: "select",
		Options: append([]option{{Value: "", Label: say(f.l, "draft.window")}}, f.periods("PT1H", "P1D", "P1Y")...)})
	f.add(group{Key: "limit", N: n + 1, Fields: fields, Buttons: []button{f.drop(at, "limit")}})
}

func (f *form) protected() {
	if yamldoc.In(f.v, "unit", "none") != nil && yamldoc.In(f.v, "protect") == nil {
		return // nobody is protected
	}
	f.add(group{Key: "protect", Fields: []field{
		{Name: "protect.min_units", Sort: "number"}, {Name: "protect.epsilon", Sort: "number"},
		{Name: "protect.delta", Sort: "number"}, {Name: "protect.max_contributions", Sort: "number"},
		{Name: "protect.floor", Sort: "select", Options: f.floors()},
		{Name: "protect.membership", Sort: "select", Options: []option{
			{Value: "", Label: say(f.l, "draft.membership.secret")},
			{Value: "public", Label: say(f.l, "draft.membership.public")}}},
		{Name: "forget_after", Sort: "select", Options: f.periods("PT1H", "P1D")},
	}})
}

func (f *form) times() {
	fields := []field{{Name: "from", Sort: "date"}, {Name: "until", Sort: "date"}, {Name: "review", Sort: "date"}}
	terms := f.periods("P1Y", "P2Y", "P5Y", "P10Y", "forever")
	if _, apart := yamldoc.In(f.v, "retain").(yamldoc.Pairs); apart {
		fields = append(fields, field{Name: "retain.hours", Sort: "select", Options: terms},
			field{Name: "retain.days", Sort: "select", Options: terms})
	} else {
		fields = append(fields, field{Name: "retain", Sort: "select", Options: terms})
	}
	f.add(group{Key: "times", Fields: fields, Buttons: []button{f.more("blackouts"), f.more("consultation")}})
}

func (f *form) blackouts() {
	for i := range entries(f.v, "blackouts") {
		at := "blackouts." + strconv.Itoa(i)
		f.add(group{Key: "blackout", N: i + 1, Fields: []field{checks(field{Name: at + ".zones", Options: f.ofZones()}),
			{Name: at + ".from"}, {Name: at + ".until"}, {Name: at + ".reason"}},
			Buttons: []button{f.drop(at, "blackout")}})
	}
}

// consultation are the pages elsewhere that the decision links to.
func (f *form) consultation() {
	for i := range entries(f.v, "consultation") {
		at := "consultation." + strconv.Itoa(i)
		var kinds []option
		for _, kind := range decision.ConsultationKinds {
			kinds = append(kinds, option{Value: kind, Label: say(f.l, "draft.asked."+kind)})
		}
		f.add(group{Key: "consultation", N: i + 1, Fields: []field{{Name: at + ".kind", Sort: "select", Options: kinds},
			{Name: at + ".link"}, {Name: at + ".from", Sort: "date"}, {Name: at + ".until", Sort: "date"}},
			Buttons: []button{f.drop(at, "consultation")}})
	}
}

// blank is a new entry of a list, for the form to fill in.
func (f *form) blank(at string) any {
	field := ""
	if kept := listed(f.v, "keep"); len(kept) > 0 {
		field = kept[0]
	}
	inAll := func() yamldoc.Pairs {
		out := yamldoc.Pairs{}
		for _, code := range f.tongues() {
			out = append(out, yamldoc.Pair{Key: code, Value: ""})
		}
		return out
	}
	switch keyOf(at) {
	case "where":
		return yamldoc.Pairs{{Key: "field", Value: field}, {Key: "op", Value: ">="},
			{Key: "value", Value: int64(0)}}
	case "generalise":
		return yamldoc.Pairs{{Key: "field", Value: field}, {Key: "step", Value: int64(10)}}
	case "publish-measures":
		return yamldoc.Pairs{{Key: "name", Value: ""}, {Key: "of", Value: "count()"}, {Key: "names", Value: inAll()}}
	case "publish-measures-limits":
		return yamldoc.Pairs{{Key: "value", Value: int64(0)}, {Key: "title", Value: inAll()},
			{Key: "source", Value: ""}}
	case "members":
		return yamldoc.Pairs{{Key: "id", Value: ""}, {Key: "name", Value: ""}, {Key: "keys", Value: []any{}}}
	case "zones":
		return yamldoc.Pairs{{Key: "name", Value: ""}, {Key: "lat", Value: ""}, {Key: "lon", Value: ""},
			{Key: "side", Value: strconv.Itoa(usualSide)}}
	case "blackouts":
		return yamldoc.Pairs{{Key: "zones", Value: []any{}}, {Key: "from", Value: ""}, {Key: "until", Value: ""},
			{Key: "reason", Value: ""}}
	case "consultation":
		return yamldoc.Pairs{{Key: "kind", Value: "decidim"}, {Key: "link", Value: ""}}
	}
	return nil
}

// change adds an entry to a list, or takes one out: what a button does.
func (f *form) change(v any, do string) (any, error) {
	what, at, _ := strings.Cut(do, " ")
	path := strings.Split(at, ".")
	switch what {
	case "add":
		if put := f.blank(at); put != nil {
			list := entries(v, path...)
			return yamldoc.With(v, append(append([]any{}, list...), put), path...)
		}
	case "drop":
		if len(path) < 2 || yamldoc.In(v, path...) == nil {
			break
		}
		v, err := yamldoc.With(v, nil, path...)
		list := path[:len(path)-1]
		if err == nil && len(entries(v, list...)) == 0 && list[len(list)-1] != "measures" && list[0] != "members" {
			return yamldoc.With(v, nil, list...)
		}
		return v, err
	}
	return v, nil
}
