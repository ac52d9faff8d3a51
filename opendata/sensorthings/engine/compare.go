package engine

import (
	"cmp"
	"reflect"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"sluice/opendata/sensorthings/odata"
)

// compare is what an operator says of two values: true, false, or nil where that is unknown.
// Null equals null alone; values of different kinds are not equal, and have no order.
func compare(op string, a, b any) any {
	if a == nil || b == nil {
		switch op {
		case "eq":
			return a == nil && b == nil
		case "ne":
			return a != nil || b != nil
		}
		return nil
	}
	a, b = alike(a, b)
	if x, ok := a.(odata.Time); ok {
		y, ok := b.(odata.Time)
		if !ok {
			return different(op)
		}
		return compareTimes(op, x, y)
	}
	n, ordered := order(a, b)
	if !ordered {
		if equal := same(a, b); op == "eq" || op == "ne" {
			return equal == (op == "eq")
		}
		return nil
	}
	switch op {
	case "eq":
		return n == 0
	case "ne":
		return n != 0
	case "gt":
		return n > 0
	case "ge":
		return n >= 0
	case "lt":
		return n < 0
	}
	return n <= 0
}

func different(op string) any {
	switch op {
	case "eq":
		return false
	case "ne":
		return true
	}
	return nil
}

// alike makes a day a time where the other is one.
func alike(a, b any) (any, any) {
	if d, ok := a.(odata.Date); ok {
		if _, ok := b.(odata.Time); ok {
			return wholeDay(d), b
		}
	}
	if d, ok := b.(odata.Date); ok {
		if _, ok := a.(odata.Time); ok {
			return a, wholeDay(d)
		}
	}
	return a, b
}

func wholeDay(d odata.Date) odata.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return odata.Time{}
	}
	return odata.Time{Start: t, End: t.AddDate(0, 0, 1)}
}

// compareTimes: an interval [start, end) is the instants in it. It is less, or greater, where all
// of them are; with an instant also where it begins or ends there and equality is allowed. An
// instant equals an interval that it is in or at the end of; two intervals are equal where both
// ends are.
func compareTimes(op string, x, y odata.Time) bool {
	switch op {
	case "eq", "ne":
		return equalTimes(x, y) == (op == "eq")
	case "lt":
		return before(x, y)
	case "gt":
		return before(y, x)
	case "le":
		return notAfter(x, y)
	}
	return notAfter(y, x)
}

// before: an interval's end is not in it.
func before(x, y odata.Time) bool {
	if x.Instant() {
		return x.Start.Before(y.Start)
	}
	return !x.End.After(y.Start)
}

func notAfter(x, y odata.Time) bool {
	return before(x, y) || x.Instant() && x.Start.Equal(y.Start) || x.Start.Equal(y.Start) && x.End.Equal(y.End)
}

func equalTimes(x, y odata.Time) bool {
	if x.Instant() == y.Instant() {
		return x.Start.Equal(y.Start) && x.End.Equal(y.End)
	}
	if y.Instant() {
		x, y = y, x
	}
	return !x.Start.Before(y.Start) && !x.Start.After(y.End)
}

// order is how two values of one kind are in order.
func order(a, b any) (n int, ordered bool) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), true
		}
		y, ok := b.(odata.Date)
		return strings.Compare(x, string(y)), ok
	case odata.Date:
		if y, ok := b.(string); ok {
			return strings.Compare(string(x), y), true
		}
		y, ok := b.(odata.Date)
		return cmp.Compare(x, y), ok
	case float64:
		y, ok := b.(float64)
		return cmp.Compare(x, y), ok
	case bool:
		y, ok := b.(bool)
		return cmp.Compare(truth(x), truth(y)), ok
	case time.Duration:
		y, ok := b.(time.Duration)
		return cmp.Compare(x, y), ok
	case odata.Clock:
		y, ok := b.(odata.Clock)
		return cmp.Compare(x, y), ok
	}
	return 0, false
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// same reports whether two objects, lists or shapes are equal.
func same(a, b any) bool {
	x, isShape := a.(*Shape)
	if isShape {
		g, ok := geometry(b)
		return ok && x.Geometry != nil && orb.Equal(x.Geometry, g)
	}
	return reflect.DeepEqual(a, b)
}

// sorted is the order of two values for $orderby: what has none comes first, then truths,
// numbers, texts, times.
func sorted(a, b any) int {
	if n := cmp.Compare(rank(a), rank(b)); n != 0 {
		return n
	}
	if x, ok := a.(odata.Time); ok {
		if y, ok := b.(odata.Time); ok {
			return cmp.Or(x.Start.Compare(y.Start), x.End.Compare(y.End))
		}
	}
	n, _ := order(a, b)
	return n
}

func rank(v any) int {
	switch v.(type) {
	case bool:
		return 1
	case float64:
		return 2
	case string:
		return 3
	case odata.Time:
		return 4
	case nil:
		return 0
	}
	return 5
}
