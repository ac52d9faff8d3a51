package engine

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/opendata/sensorthings/odata"
)

// function is one of 18-088's, section 9.3.3.5.2, or of its extensions that are in use.
type function struct {
	least, most int // arguments; most is -1 for any number
	args        []Sort
	gives       Sort
	heavy       bool // it costs more than reading a row
	do          func(s *scope, args []any) any
}

func (f function) arity() string {
	switch {
	case f.most < 0:
		return fmt.Sprintf("%d arguments or more", f.least)
	case f.least == f.most && f.least == 1:
		return "one argument"
	case f.least == f.most:
		return fmt.Sprintf("%d arguments", f.least)
	}
	return fmt.Sprintf("%d to %d arguments", f.least, f.most)
}

// call evaluates a function. What it is not defined for is null.
func (s *scope) call(x *odata.Call, e *Entity) (any, error) {
	f := functions[x.Name]
	args := make([]any, len(x.Args))
	for n, a := range x.Args {
		v, err := s.eval(a, e)
		if err != nil {
			return nil, err
		}
		args[n] = v
	}
	return s.spread(f, args, 0)
}

// spread applies a function to each value of arguments that are many.
func (s *scope) spread(f function, args []any, from int) (any, error) {
	for n := from; n < len(args); n++ {
		list, ok := args[n].(many)
		if !ok {
			continue
		}
		if err := s.work.Take(len(list)); err != nil {
			return nil, err
		}
		var out many
		for _, v := range list {
			one := append([]any{}, args...)
			one[n] = v
			got, err := s.spread(f, one, n+1)
			if err != nil {
				return nil, err
			}
			if more, ok := got.(many); ok {
				out = append(out, more...)
			} else {
				out = append(out, got)
			}
		}
		return out, nil
	}
	bytes := 0
	for _, v := range args {
		if text, ok := v.(string); ok {
			bytes += len(text)
		}
	}
	if err := s.work.Take(bytes / bytesOfRow); err != nil {
		return nil, err
	}
	if f.heavy {
		if err := s.work.Take(weight(args)); err != nil {
			return nil, err
		}
	}
	return f.do(s, args), nil
}

func two(gives Sort, do func(a, b string) any) function {
	return function{2, 2, []Sort{Text}, gives, false, func(_ *scope, v []any) any {
		a, ok := words(v[0])
		b, ok2 := words(v[1])
		if !ok || !ok2 {
			return nil
		}
		return do(a, b)
	}}
}

func one(gives Sort, do func(a string) any) function {
	return function{1, 1, []Sort{Text}, gives, false, func(_ *scope, v []any) any {
		if a, ok := words(v[0]); ok {
			return do(a)
		}
		return nil
	}}
}

// words is a value as a text: numbers are, as they are written.
func words(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case odata.Date:
		return string(v), true
	}
	return "", false
}

func math1(do func(float64) float64) function {
	return function{1, 1, []Sort{Number}, Number, false, func(_ *scope, v []any) any {
		if x, ok := v[0].(float64); ok {
			return do(x)
		}
		return nil
	}}
}

func ofTime(gives Sort, do func(t time.Time) any) function {
	return function{1, 1, []Sort{Moment}, gives, false, func(_ *scope, v []any) any {
		switch t := v[0].(type) {
		case odata.Time:
			return do(t.Start)
		case odata.Date:
			return do(wholeDay(t).Start)
		}
		return nil
	}}
}

func whole(do func(t time.Time) int) function {
	return ofTime(Number, func(t time.Time) any { return float64(do(t)) })
}

// related is a relation of intervals (Allen 1983); an instant is one without length.
func related(do func(a, b odata.Time) bool) function {
	return function{2, 2, []Sort{Moment}, Bool, false, func(_ *scope, v []any) any {
		a, ok := moment(v[0])
		b, ok2 := moment(v[1])
		if !ok || !ok2 {
			return nil
		}
		return do(a, b)
	}}
}

func moment(v any) (odata.Time, bool) {
	switch v := v.(type) {
	case odata.Time:
		return v, true
	case odata.Date:
		return wholeDay(v), true
	}
	return odata.Time{}, false
}

func constant(gives Sort, do func(s *scope) any) function {
	return function{0, 0, []Sort{Any}, gives, false, func(s *scope, _ []any) any { return do(s) }}
}

// functions by name, in small letters. An interval's date is that of its start.
var functions = func() map[string]function {
	all := map[string]function{
		"substringof": two(Bool, func(a, b string) any { return strings.Contains(b, a) }),
		"contains":    two(Bool, func(a, b string) any { return strings.Contains(a, b) }),
		"startswith":  two(Bool, func(a, b string) any { return strings.HasPrefix(a, b) }),
		"endswith":    two(Bool, func(a, b string) any { return strings.HasSuffix(a, b) }),
		"concat":      two(Text, func(a, b string) any { return a + b }),
		"indexof": two(Number, func(a, b string) any {
			n := strings.Index(a, b)
			if n > 0 {
				n = utf8.RuneCountInString(a[:n])
			}
			return float64(n)
		}),
		"length":    one(Number, func(a string) any { return float64(utf8.RuneCountInString(a)) }),
		"tolower":   one(Text, func(a string) any { return strings.ToLower(a) }),
		"toupper":   one(Text, func(a string) any { return strings.ToUpper(a) }),
		"trim":      one(Text, func(a string) any { return strings.TrimSpace(a) }),
		"substring": {2, 3, []Sort{Text, Number, Number}, Text, false, substring},

		"round": math1(math.Round), "floor": math1(math.Floor), "ceiling": math1(math.Ceil),

		"year": whole(time.Time.Year), "day": whole(time.Time.Day), "hour": whole(time.Time.Hour),
		"minute": whole(time.Time.Minute), "second": whole(time.Time.Second),
		"month":              whole(func(t time.Time) int { return int(t.Month()) }),
		"fractionalseconds":  ofTime(Number, func(t time.Time) any { return float64(t.Nanosecond()) / 1e9 }),
		"date":               ofTime(Day, func(t time.Time) any { return odata.Date(t.Format(time.DateOnly)) }),
		"time":               ofTime(Clock, clockOf),
		"totaloffsetminutes": ofTime(Number, func(time.Time) any { return 0.0 }), // all is in UTC
		"now":                constant(Moment, func(s *scope) any { return odata.At(s.now) }),
		"mindatetime":        constant(Moment, func(*scope) any { return odata.At(time.Time{}) }),
		"maxdatetime": constant(Moment, func(*scope) any {
			return odata.At(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
		}),

		"before":   related(before),
		"after":    related(func(a, b odata.Time) bool { return before(b, a) }),
		"meets":    related(func(a, b odata.Time) bool { return a.End.Equal(b.Start) || b.End.Equal(a.Start) }),
		"during":   related(during),
		"overlaps": related(overlaps),
		"starts":   related(func(a, b odata.Time) bool { return a.Start.Equal(b.Start) && !a.End.After(b.End) }),
		"finishes": related(func(a, b odata.Time) bool { return a.End.Equal(b.End) && !a.Start.Before(b.Start) }),

		"in": {1, -1, []Sort{Any}, Bool, false, func(_ *scope, v []any) any {
			for _, x := range v[1:] {
				if compare("eq", v[0], x) == true {
					return true
				}
			}
			return false
		}},
	}
	maps.Copy(all, shapes)
	return all
}()

// during: an interval that ends where the other does is inside it; an instant there is not.
func during(a, b odata.Time) bool {
	if a.Instant() {
		return !a.Start.Before(b.Start) && (a.Start.Before(b.End) || b.Instant() && a.Start.Equal(b.Start))
	}
	return !a.Start.Before(b.Start) && !a.End.After(b.End)
}

func overlaps(a, b odata.Time) bool {
	return during(odata.At(a.Start), b) || during(odata.At(b.Start), a)
}

func clockOf(t time.Time) any {
	h, m, s := t.Clock()
	return odata.Clock(time.Duration(h*3600+m*60+s)*time.Second + time.Duration(t.Nanosecond()))
}

// substring is of characters, and stops at the text's ends.
func substring(_ *scope, v []any) any {
	a, ok := words(v[0])
	from, ok2 := v[1].(float64)
	if !ok || !ok2 {
		return nil
	}
	text := []rune(a)
	length := float64(len(text))
	if len(v) > 2 {
		if length, ok = v[2].(float64); !ok {
			return nil
		}
	}
	from = min(max(from, 0), float64(len(text)))
	to := min(max(from+length, from), float64(len(text)))
	return string(text[int(from):int(to)])
}
