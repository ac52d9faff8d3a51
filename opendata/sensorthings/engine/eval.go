package engine

import (
	"context"
	"fmt"
	"math"
	"time"

	"sluice/opendata/sensorthings/odata"
)

// many are the values of a path that leads over a link to many: what is asked of it holds if
// it holds of any.
type many []any

// maxMany bounds them.
const maxMany = 10_000

// scope is where expressions are evaluated.
type scope struct {
	ctx   context.Context
	store Store
	work  *Work
	now   time.Time
}

// holds reports whether a filter holds of an entity; nil holds of all. What is unknown does
// not hold.
func (s *scope) holds(f odata.Expr, e *Entity) (bool, error) {
	if f == nil {
		return true, nil
	}
	if err := s.ctx.Err(); err != nil {
		return false, err // nobody waits any more
	}
	v, err := s.eval(f, e)
	return anyTrue(v), err
}

func anyTrue(v any) bool {
	if list, ok := v.(many); ok {
		for _, x := range list {
			if x == true {
				return true
			}
		}
	}
	return v == true
}

// eval is the value of an expression for an entity; nil is null, and unknown.
func (s *scope) eval(x odata.Expr, e *Entity) (any, error) {
	if err := s.work.Take(cost(x)); err != nil {
		return nil, err
	}
	switch x := x.(type) {
	case *odata.Literal:
		return x.Value, nil
	case *odata.Path:
		return s.path(x.Names, e)
	case *odata.Unary:
		v, err := s.eval(x.X, e)
		if err != nil {
			return nil, err
		}
		return each(v, func(v any) any { return unary(x.Op, v) }), nil
	case *odata.Binary:
		return s.binary(x, e)
	case *odata.Call:
		return s.call(x, e)
	}
	return nil, fmt.Errorf("an expression of type %T", x)
}

// bytesOfRow are as many bytes of texts as cost a function about what reading a row does.
const bytesOfRow = 128

// cost is what evaluating is beside reading: literals and properties nothing.
func cost(x odata.Expr) int {
	if c, ok := x.(*odata.Call); ok && len(c.Args) > 1 && functions[c.Name].heavy {
		return 5
	}
	return 0
}

func each(v any, f func(any) any) any {
	list, ok := v.(many)
	if !ok {
		return f(v)
	}
	out := make(many, len(list))
	for n, x := range list {
		out[n] = f(x)
	}
	return out
}

func unary(op string, v any) any {
	switch v := v.(type) {
	case bool:
		if op == "not" {
			return !v
		}
	case float64:
		if op == "-" {
			return -v
		}
	case time.Duration:
		if op == "-" {
			return -v
		}
	}
	return nil
}

// path follows a path from an entity.
func (s *scope) path(names []string, e *Entity) (any, error) {
	for n, name := range names {
		link := e.Type.Link(name)
		if link == nil {
			return value(names[n:], e), nil
		}
		var list many
		for next, err := range s.store.Many(s.ctx, Ask{Type: TypeOf(link.To), From: e, Link: link, Work: s.work}) {
			if err != nil {
				return nil, err
			}
			if !link.Many {
				return s.path(names[n+1:], next)
			}
			v, err := s.path(names[n+1:], next)
			if err != nil {
				return nil, err
			}
			if more, ok := v.(many); ok {
				list = append(list, more...)
			} else {
				list = append(list, v)
			}
			if len(list) > maxMany {
				return nil, errWork
			}
		}
		if !link.Many {
			return nil, nil
		}
		return list, nil
	}
	return nil, nil
}

// value is a property of an entity, or what is in it.
func value(names []string, e *Entity) any {
	if isID(names[0]) {
		return idValue(e.ID)
	}
	if names[0] == "@iot.selfLink" {
		return nil
	}
	return part(e.Values[names[0]], names[1:])
}

// part is what a path leads to inside of a value.
func part(v any, names []string) any {
	if shape, ok := v.(*Shape); ok && len(names) > 0 {
		v = shape.JSON
	}
	for _, name := range names {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

func idValue(id odata.ID) any {
	if !id.Number {
		return id.Text
	}
	var n float64
	_, _ = fmt.Sscanf(id.Text, "%g", &n) // it is a number
	return n
}

func (s *scope) binary(x *odata.Binary, e *Entity) (any, error) {
	a, err := s.eval(x.X, e)
	if err != nil {
		return nil, err
	}
	if x.Op == "and" || x.Op == "or" {
		if decided := x.Op == "or"; anyTrue(a) == decided && (decided || known(a)) {
			return decided, nil
		}
	}
	b, err := s.eval(x.Y, e)
	if err != nil {
		return nil, err
	}
	if err := s.work.Take(size(a) * size(b) / 16); err != nil {
		return nil, err
	}
	switch x.Op {
	case "and", "or":
		return logic(x.Op, a, b), nil
	case "add", "sub", "mul", "div", "mod":
		return pairs(a, b, func(a, b any) any { return arithmetic(x.Op, a, b) }), nil
	}
	return pairs(a, b, func(a, b any) any { return compare(x.Op, a, b) }), nil
}

// known reports whether a truth is known; one of many is.
func known(v any) bool {
	_, some := v.(many)
	return some || v != nil
}

// logic is of three values: unknown and false is false, unknown or true is true.
func logic(op string, a, b any) any {
	x, y := anyTrue(a), anyTrue(b)
	switch {
	case op == "or" && (x || y):
		return true
	case op == "and" && (!x && known(a) || !y && known(b)):
		return false
	case !known(a) || !known(b):
		return nil
	}
	return x && y
}

func size(v any) int {
	if list, ok := v.(many); ok {
		return len(list)
	}
	return 1
}

func pairs(a, b any, f func(a, b any) any) any {
	if list, ok := b.(many); ok {
		return each(a, func(a any) any {
			for _, b := range list {
				if v := f(a, b); v == true {
					return v
				}
			}
			return false
		})
	}
	return each(a, func(a any) any { return f(a, b) })
}

func arithmetic(op string, a, b any) any {
	switch x := a.(type) {
	case float64:
		if y, ok := b.(float64); ok {
			return number(op, x, y)
		}
	case time.Duration:
		switch y := b.(type) {
		case time.Duration:
			return spanOf(op, float64(x), float64(y))
		case float64:
			if op == "mul" || op == "div" {
				return spanOf(op, float64(x), y)
			}
		}
	case odata.Time:
		return momentOf(op, x, b)
	}
	return nil
}

func number(op string, x, y float64) any {
	var v float64
	switch op {
	case "add":
		v = x + y
	case "sub":
		v = x - y
	case "mul":
		v = x * y
	case "div":
		v = x / y
	case "mod":
		v = math.Mod(x, y)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}

// maxLength is the longest duration that is computed with: a century.
const maxLength = 100 * 366 * 24 * time.Hour

func spanOf(op string, x, y float64) any {
	v, ok := number(op, x, y).(float64)
	if !ok || math.Abs(v) > float64(maxLength) {
		return nil
	}
	return time.Duration(v)
}

func momentOf(op string, x odata.Time, b any) any {
	switch y := b.(type) {
	case time.Duration:
		if op == "sub" {
			y = -y
		} else if op != "add" {
			return nil
		}
		return odata.Time{Start: x.Start.Add(y), End: x.End.Add(y)}
	case odata.Time:
		if op == "sub" {
			return x.Start.Sub(y.Start)
		}
	}
	return nil
}
