package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"sluice/opendata/sensorthings/odata"
)

// checker looks whether an option can be meant of a type's entities, before any is read.
type checker struct{ option string }

func (c checker) wrong(at int, form string, parts ...any) error {
	return &odata.Error{Option: c.option, At: at, Hint: fmt.Sprintf(form, parts...)}
}

// check looks at all options, and at those of expansions.
func check(t *Type, q *odata.Query, option string) error {
	at := func(o string) checker {
		if option != "" {
			o = option // positions are those in the option that holds it
		}
		return checker{o}
	}
	if q.Filter != nil {
		c := at("$filter")
		s, err := c.sort(t, q.Filter)
		if err != nil {
			return err
		}
		if s != Bool && s != Any {
			return c.wrong(q.Filter.Pos(), "a filter is true or false: compare it with something")
		}
	}
	for _, o := range q.OrderBy {
		c := at("$orderby")
		if s, err := c.sort(t, o.By); err != nil {
			return err
		} else if s == Shaped || s == JSON {
			return c.wrong(o.By.Pos(), "shapes and objects have no order")
		} else if !ofProperty(o.By) {
			return c.wrong(o.By.Pos(), "orders by a property or by what is made of one, such as phenomenonTime desc")
		}
	}
	for _, path := range q.Select {
		if _, has := t.Property(path[0]); len(path) > 1 || !has && !isID(path[0]) && path[0] != "@iot.selfLink" &&
			t.Link(path[0]) == nil {
			return at("$select").wrong(0, "names no property or link of %s; it has %s", t.Set,
				strings.Join(t.names(), ", "))
		}
	}
	for _, e := range q.Expand {
		l := t.Link(e.Link)
		if l == nil {
			return at("$expand").wrong(e.At, "%s have no such link; they have %s", t.Set,
				strings.Join(t.linkNames(), ", "))
		}
		if err := check(TypeOf(l.To), e.Query, "$expand"); err != nil {
			return err
		}
	}
	return nil
}

// ofProperty reports whether an expression looks at what it is of. One that does not is the
// same for all, which is no order.
func ofProperty(e odata.Expr) (found bool) {
	odata.Walk(e, func(x odata.Expr) bool {
		_, is := x.(*odata.Path)
		found = found || is
		return !found
	})
	return found
}

func (t *Type) linkNames() (list []string) {
	for _, l := range t.Links {
		list = append(list, l.Name)
	}
	return list
}

// sort is what an expression is, as far as it can be known.
func (c checker) sort(t *Type, e odata.Expr) (Sort, error) {
	switch e := e.(type) {
	case *odata.Literal:
		return sortOf(e.Value), nil
	case *odata.Path:
		return c.path(t, e)
	case *odata.Unary:
		s, err := c.sort(t, e.X)
		want := Bool
		if e.Op == "-" {
			want = Number
		}
		if err == nil && s != want && s != Any && (s != Length || want != Number) {
			err = c.wrong(e.At, "%s is for another kind of value", e.Op)
		}
		return s, err
	case *odata.Binary:
		return c.binary(t, e)
	case *odata.Call:
		return c.call(t, e)
	}
	return Any, c.wrong(0, "is empty")
}

func sortOf(v any) Sort {
	switch v.(type) {
	case string:
		return Text
	case float64:
		return Number
	case bool:
		return Bool
	case odata.Time:
		return Moment
	case time.Duration:
		return Length
	case odata.Date:
		return Day
	case odata.Clock:
		return Clock
	case orb.Geometry, *Shape:
		return Shaped
	}
	return Any
}

// path follows a path from a type.
func (c checker) path(t *Type, p *odata.Path) (Sort, error) {
	for n, name := range p.Names {
		last := n == len(p.Names)-1
		if l := t.Link(name); l != nil && !last {
			t = TypeOf(l.To)
			continue
		}
		if isID(name) && last {
			return Any, nil
		}
		prop, ok := t.Property(name)
		switch {
		case !ok && t.Link(name) != nil:
			return Any, c.wrong(p.At, "ends with a link; after it comes a property, such as %s/id", name)
		case !ok:
			return Any, c.wrong(p.At, "%s have no such property; they have %s", t.Set,
				strings.Join(t.names(), ", "))
		case last:
			return prop.Sort, nil
		case prop.Sort == JSON || prop.Sort == Shaped || prop.Sort == Any:
			return Any, nil
		}
		return Any, c.wrong(p.At, "%s has no parts", prop.Name)
	}
	return Any, nil
}

func (c checker) binary(t *Type, e *odata.Binary) (Sort, error) {
	x, err := c.sort(t, e.X)
	if err != nil {
		return Any, err
	}
	y, err := c.sort(t, e.Y)
	if err != nil {
		return Any, err
	}
	switch e.Op {
	case "and", "or":
		if x != Bool && x != Any || y != Bool && y != Any {
			return Any, c.wrong(e.At, "what is on both sides of %s is true or false", e.Op)
		}
		return Bool, nil
	case "add", "sub", "mul", "div", "mod":
		return c.arithmetic(e, x, y)
	}
	if !comparable(x, y) {
		return Any, c.wrong(e.At, "what is on both sides of %s is of two kinds; a text has single quotes, a number "+
			"and a time have none", e.Op)
	}
	if ordered := e.Op != "eq" && e.Op != "ne"; ordered && (x == Shaped || x == JSON || y == Shaped || y == JSON) {
		return Any, c.wrong(e.At, "shapes and objects have no order")
	}
	return Bool, nil
}

func comparable(x, y Sort) bool {
	return x == y || x == Any || y == Any || x == JSON || y == JSON || x == Moment && y == Day ||
		x == Day && y == Moment
}

// arithmetic is what two sorts add up to.
func (c checker) arithmetic(e *odata.Binary, x, y Sort) (Sort, error) {
	plus := e.Op == "add" || e.Op == "sub"
	switch {
	case x == Any || y == Any || x == JSON || y == JSON:
		return Any, nil
	case x == Number && y == Number:
		return Number, nil
	case plus && x == Length && y == Length, plus && x == Moment && y == Length:
		return x, nil
	case e.Op == "sub" && x == Moment && y == Moment:
		return Length, nil
	case (e.Op == "mul" || e.Op == "div") && x == Length && y == Number:
		return Length, nil
	}
	return Any, c.wrong(e.At, "%s is for numbers, times and durations", e.Op)
}

// call looks at a function's name and arguments.
func (c checker) call(t *Type, e *odata.Call) (Sort, error) {
	f, ok := functions[e.Name]
	if !ok {
		names := make([]string, 0, len(functions))
		for name := range functions {
			names = append(names, name)
		}
		slices.Sort(names)
		return Any, c.wrong(e.At, "there is no such function; there are %s", strings.Join(names, ", "))
	}
	if len(e.Args) < f.least || f.most >= 0 && len(e.Args) > f.most {
		return Any, c.wrong(e.At, "%s takes %s", e.Name, f.arity())
	}
	for n, x := range e.Args {
		s, err := c.sort(t, x)
		if err != nil {
			return Any, err
		}
		want := f.args[min(n, len(f.args)-1)]
		if !fits(s, want) {
			return Any, c.wrong(x.Pos(), "%s takes %s here", e.Name, sortNames[want])
		}
		if lit, ok := x.(*odata.Literal); ok && want == Shaped {
			if text, ok := lit.Value.(string); ok {
				if _, ok := odata.Geometry(text); !ok {
					return Any, c.wrong(x.Pos(), "%s takes a shape here, such as geography'POINT(2.1 41.3)'", e.Name)
				}
			}
		}
	}
	return f.gives, nil
}

// fits reports whether a value of a sort can be an argument. Well-known text may come without
// geography before it.
func fits(s, want Sort) bool {
	return s == want || s == Any || want == Any || s == JSON || want == Shaped && s == Text ||
		want == Text && s == Number || want == Moment && s == Day
}

var sortNames = map[Sort]string{
	Any: "a value", Text: "a text", Number: "a number", Bool: "true or false", Moment: "a time", Length: "a duration",
	Day: "a day", Clock: "a time of day", Shaped: "a shape", JSON: "an object",
}
