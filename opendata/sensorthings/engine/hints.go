package engine

import (
	"slices"

	"sluice/opendata/sensorthings/odata"
)

// hints are what a filter's terms, which must all hold, say of time, of ids and of
// Datastreams. They exclude nothing that the filter does not.
func (s *scope) hints(ask *Ask, filter odata.Expr) {
	var of []odata.Expr
	for _, term := range odata.Terms(filter) {
		if name, span, ok := spanOfTerm(term); ok {
			if ask.Times == nil {
				ask.Times = make(map[string]Span)
			}
			ask.Times[name] = meet(ask.Times[name], span)
		}
		if id, ok := idOfTerm(term); ok {
			ask.ID = &id
		}
		if ask.Type.Name == "Observation" && onlyOf(term, "Datastream") {
			of = append(of, term)
		}
	}
	if len(of) == 0 {
		return
	}
	ask.Among = func(datastream *Entity) (bool, error) {
		for _, term := range of {
			if ok, err := s.holds(without(term), datastream); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	}
}

// meet is what two spans have in common.
func meet(a, b Span) Span {
	if a.From.IsZero() || b.From.After(a.From) {
		a.From = b.From
	}
	if a.To.IsZero() || !b.To.IsZero() && b.To.Before(a.To) {
		a.To = b.To
	}
	return a
}

// turned are comparisons as they are with their sides changed.
var turned = map[string]string{"gt": "lt", "ge": "le", "lt": "gt", "le": "ge", "eq": "eq"}

// spanOfTerm reads a comparison of a time with a value, and a relation of intervals.
func spanOfTerm(term odata.Expr) (string, Span, bool) {
	var op string
	var x, y odata.Expr
	switch term := term.(type) {
	case *odata.Binary:
		op, x, y = term.Op, term.X, term.Y
	case *odata.Call:
		if len(term.Args) != 2 {
			return "", Span{}, false
		}
		op, x, y = relations[term.Name], term.Args[0], term.Args[1]
	}
	if _, ok := x.(*odata.Literal); ok {
		op, x, y = turned[op], y, x
	}
	path, ok := x.(*odata.Path)
	value, ok2 := y.(*odata.Literal)
	if !ok || !ok2 || len(path.Names) != 1 {
		return "", Span{}, false
	}
	t, ok := moment(value.Value)
	if !ok {
		return "", Span{}, false
	}
	switch op {
	case "gt", "ge":
		return path.Names[0], Span{From: t.Start}, true
	case "lt", "le":
		return path.Names[0], Span{To: t.End}, true
	case "eq":
		return path.Names[0], Span{t.Start, t.End}, true
	}
	return "", Span{}, false
}

// relations are what functions of intervals say of time at least, their sides as they are.
var relations = map[string]string{"during": "eq", "overlaps": "eq", "meets": "eq", "starts": "eq", "finishes": "eq",
	"before": "lt", "after": "gt"}

func idOfTerm(term odata.Expr) (odata.ID, bool) {
	b, ok := term.(*odata.Binary)
	if !ok || b.Op != "eq" {
		return odata.ID{}, false
	}
	x, y := b.X, b.Y
	if _, ok := x.(*odata.Literal); ok {
		x, y = y, x
	}
	path, ok := x.(*odata.Path)
	value, ok2 := y.(*odata.Literal)
	if !ok || !ok2 || len(path.Names) != 1 || !isID(path.Names[0]) {
		return odata.ID{}, false
	}
	return odata.Key(value.Value)
}

// onlyOf reports whether all paths of an expression begin with a link, and there are some.
func onlyOf(e odata.Expr, link string) bool {
	some, only := false, true
	odata.Walk(e, func(e odata.Expr) bool {
		if p, ok := e.(*odata.Path); ok {
			some = true
			only = only && len(p.Names) > 1 && p.Names[0] == link
		}
		return true
	})
	return some && only
}

// without is an expression whose paths have lost their first name.
func without(e odata.Expr) odata.Expr {
	switch e := e.(type) {
	case *odata.Path:
		return &odata.Path{At: e.At, Names: e.Names[1:]}
	case *odata.Unary:
		return &odata.Unary{At: e.At, Op: e.Op, X: without(e.X)}
	case *odata.Binary:
		return &odata.Binary{At: e.At, Op: e.Op, X: without(e.X), Y: without(e.Y)}
	case *odata.Call:
		args := slices.Clone(e.Args)
		for n := range args {
			args[n] = without(args[n])
		}
		return &odata.Call{At: e.At, Name: e.Name, Args: args}
	}
	return e
}
