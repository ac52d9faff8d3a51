package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/opendata/sensorthings/engine"
	"sluice/test/sta/memory"
)

// row is an Observation as the naive evaluation knows it.
type row struct {
	start, length int // hours since the first
	result        float64
	name          string // of its Thing
}

func (r row) String() string { return fmt.Sprint(r.result) }

// term is a filter in the query language, and what it says of a row.
type term struct {
	text  string
	holds func(r row) bool
}

func at(h int) string { return noon.Add(time.Duration(h) * time.Hour).Format(time.RFC3339) }

var operators = map[string]func(c int) bool{
	"eq": func(c int) bool { return c == 0 }, "ne": func(c int) bool { return c != 0 },
	"gt": func(c int) bool { return c > 0 }, "ge": func(c int) bool { return c >= 0 },
	"lt": func(c int) bool { return c < 0 }, "le": func(c int) bool { return c <= 0 },
}

func compared(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func drawOp(t *rapid.T) string {
	return rapid.SampledFrom([]string{"eq", "ne", "gt", "ge", "lt", "le"}).Draw(t, "op")
}

// drawTerm draws a filter of so many levels.
func drawTerm(t *rapid.T, deep int) term {
	sort := rapid.IntRange(0, 6).Draw(t, "sort")
	if deep == 0 {
		sort %= 4
	}
	switch sort {
	case 0:
		op, v, k := drawOp(t), rapid.IntRange(-5, 15).Draw(t, "v"), rapid.IntRange(1, 3).Draw(t, "k")
		return term{fmt.Sprintf("result mul %d add 1 %s %d", k, op, v), func(r row) bool {
			return operators[op](compared(r.result*float64(k)+1, float64(v)))
		}}
	case 1:
		op, h := drawOp(t), rapid.IntRange(0, 30).Draw(t, "h")
		return term{"phenomenonTime " + op + " " + at(h), func(r row) bool {
			end := r.start + r.length
			return map[string]bool{"eq": r.start <= h && h <= end, "ne": h < r.start || h > end, "gt": r.start > h,
				"ge": r.start >= h, "lt": end <= h, "le": end <= h}[op]
		}}
	case 2:
		name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
		return term{"Datastream/Thing/name eq '" + name + "'", func(r row) bool { return r.name == name }}
	case 3:
		from, length := rapid.IntRange(0, 30).Draw(t, "from"), rapid.IntRange(1, 10).Draw(t, "length")
		return term{fmt.Sprintf("during(phenomenonTime,%s/PT%dH)", at(from), length), func(r row) bool {
			return r.start >= from && r.start+r.length <= from+length
		}}
	case 4:
		x := drawTerm(t, deep-1)
		return term{"not (" + x.text + ")", func(r row) bool { return !x.holds(r) }}
	case 5:
		x, y := drawTerm(t, deep-1), drawTerm(t, deep-1)
		return term{"(" + x.text + ") and (" + y.text + ")", func(r row) bool { return x.holds(r) && y.holds(r) }}
	}
	x, y := drawTerm(t, deep-1), drawTerm(t, deep-1)
	return term{"(" + x.text + " or " + y.text + ")", func(r row) bool { return x.holds(r) || y.holds(r) }}
}

// TestFilterIsNaive: whatever is asked, what is found is what a walk over all finds, in
// time's order, in pages of any size, as is its number.
func TestFilterIsNaive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := memory.New(noon)
		var rows []row
		for n, name := range []string{"a", "b"} {
			count := rapid.IntRange(0, 12).Draw(rt, "rows")
			var list []any
			for i := range count {
				r := row{2*i + n, rapid.IntRange(1, 2).Draw(rt, "length"),
					float64(rapid.IntRange(-3, 5).Draw(rt, "result")), name}
				rows = append(rows, r)
				list = append(list, object{"result": r.result,
					"phenomenonTime": at(r.start) + "/" + at(r.start+r.length)})
			}
			if _, err := s.Create(engine.TypeOf("Thing"), thing(name, list), nil, ""); err != nil {
				rt.Fatal(err)
			}
		}
		x := drawTerm(rt, 3)
		var want []string
		for h := range 30 {
			for _, r := range rows {
				if r.start == h && x.holds(r) {
					want = append(want, r.String())
				}
			}
		}
		service := &engine.Service{Store: s, Base: "/v1.1"}
		var got []string
		top := rapid.IntRange(1, 30).Draw(rt, "top")
		address := fmt.Sprintf("Observations?$count=true&$top=%d&$filter=%s", top, x.text)
		for address != "" {
			o, body := get(t, service, address)
			if o == nil || o["@iot.count"] != float64(len(want)) {
				rt.Fatalf("%s: %s; want %d", x.text, body, len(want))
			}
			got = append(got, strings.Fields(results(o))...)
			next, _ := o["@iot.nextLink"].(string)
			address = strings.TrimPrefix(next, "/v1.1/")
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			rt.Fatalf("%s: %v; want %v", x.text, got, want)
		}
	})
}

func thing(name string, observations []any) object {
	return object{"name": name, "description": name,
		"Locations": []any{object{"name": name, "description": name, "encodingType": "application/geo+json",
			"location": object{"type": "Point", "coordinates": []any{2.0, 41.0}}}},
		"Datastreams": []any{object{"name": name, "description": "d", "observationType": "o",
			"unitOfMeasurement": object{"name": "n", "symbol": "n", "definition": "x:y"}, "Observations": observations,
			"Sensor":           object{"name": "s", "description": "s", "encodingType": "text/html", "metadata": "m"},
			"ObservedProperty": object{"name": "devices", "description": "p", "definition": "x:y"}}}}
}
