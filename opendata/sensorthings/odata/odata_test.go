package odata

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// show writes an expression with all its parentheses.
func show(e Expr) string {
	switch e := e.(type) {
	case *Literal:
		if t, ok := e.Value.(string); ok {
			return "'" + t + "'"
		}
		return fmt.Sprint(e.Value)
	case *Path:
		return strings.Join(e.Names, "/")
	case *Unary:
		return "(" + e.Op + " " + show(e.X) + ")"
	case *Binary:
		return "(" + show(e.X) + " " + e.Op + " " + show(e.Y) + ")"
	case *Call:
		var args []string
		for _, x := range e.Args {
			args = append(args, show(x))
		}
		return e.Name + "(" + strings.Join(args, ", ") + ")"
	}
	return "nothing"
}

// TestPrecedence: what binds most comes first.
func TestPrecedence(t *testing.T) {
	for text, want := range map[string]string{
		"result gt 5":                          "(result gt 5)",
		"a eq 1 or b eq 2 and c eq 3":          "((a eq 1) or ((b eq 2) and (c eq 3)))",
		"not a gt 5 and b":                     "((not (a gt 5)) and b)",
		"not (a or b)":                         "(not (a or b))",
		"1 add 2 mul 3 eq 7":                   "((1 add (2 mul 3)) eq 7)",
		"8 sub 2 sub 1":                        "((8 sub 2) sub 1)",
		"-(2) mul 3 eq -6":                     "(((- 2) mul 3) eq -6)",
		"a lt 3 eq true":                       "((a lt 3) eq true)",
		"substringof('it''s', name)":           "substringof('it's', name)",
		"Datastream/Thing/properties/a-b eq 1": "(Datastream/Thing/properties/a-b eq 1)",
		"id in (1,2) and x":                    "(in(id, 1, 2) and x)",
		"@iot.id eq 'a:b'":                     "(@iot.id eq 'a:b')",
		"GEO.distance(a,b) le 1":               "(geo.distance(a, b) le 1)",
		"phenomenonTime ge 2026-01-01T00:00:00Z sub duration'PT1H'": "(phenomenonTime ge (2026-01-01T00:00:00Z sub " +
			"1h0m0s))",
		"during(t,2026-01-01T00:00:00Z/P1D)":     "during(t, 2026-01-01T00:00:00Z/2026-01-02T00:00:00Z)",
		"t eq 2026-01-01T01:00:00 01:00":         "(t eq 2026-01-01T00:00:00Z)",
		"t eq 2026-01-01T01:00:00.250-0100":      "(t eq 2026-01-01T02:00:00.25Z)",
		"date(t) eq 2026-01-01 or result eq 5e3": "((date(t) eq 2026-01-01) or (result eq 5000))",
		"now() gt null":                          "(now() gt <nil>)",
	} {
		p := newParser("$filter", text)
		e := p.expr(0)
		if p.failed() || p.tok.kind != end || show(e) != want {
			t.Errorf("%s is read as %s, %v; want %s", text, show(e), p.lexer.err, want)
		}
	}
}

// TestQueries: options and those of expansions, and clients' spellings of them.
func TestQueries(t *testing.T) {
	q, err := Parse("$expand=Datastreams($select=name,unitOfMeasurement;$expand=Observations($top=1;" +
		"$orderby=phenomenonTime%20desc;$filter=result%20eq%20'a;b)%26'),ObservedProperty)," +
		"Locations/HistoricalLocations&$top=10&%24skip=5&$count=true&$filter=name+eq+'x%2By'&" +
		"$resultFormat=dataArray&$orderby=name+desc,id&$select=*")
	if err != nil {
		t.Fatal(err)
	}
	d := q.Expand[0].Query
	o := d.Expand[0].Query
	if q.Top != 10 || q.Skip != 5 || !q.Count || q.Format != "dataArray" || len(q.OrderBy) != 2 || !q.OrderBy[0].Desc ||
		show(q.Filter) != "(name eq 'x+y')" || len(q.Select) != 0 || len(d.Select) != 2 || o.Top != 1 ||
		!o.OrderBy[0].Desc || show(o.Filter) != "(result eq 'a;b)&')" || d.Expand[1].Link != "ObservedProperty" ||
		q.Expand[1].Query.Expand[0].Link != "HistoricalLocations" {
		t.Errorf("it is read as %+v", q)
	}
	if o.Texts[1] != (Text{"$orderby", "phenomenonTime desc"}) || o.Texts[2].Value != "result eq 'a;b)&'" {
		t.Errorf("the expansion's options are %q", o.Texts)
	}
	q, err = Parse("$expand=Datastreams/Observations,Datastreams/Sensor,Datastreams($top=3)")
	if err != nil || len(q.Expand) != 1 || len(q.Expand[0].Query.Expand) != 2 || q.Expand[0].Query.Top != 3 {
		t.Errorf("paths that begin alike are %+v, %v", q, err)
	}
}

// TestErrors: each names the option and the character, says what is right, and repeats
// nothing of what was sent.
func TestErrors(t *testing.T) {
	for raw, want := range map[string]string{
		"$filter=name eq 'SECRET":                  "$filter, character 9: a text in single quotes",
		"$filter=name eq SECRET'x'":                "$filter, character 9: before a quote",
		"$filter=(SECRET":                          "$filter, character 8: a parenthesis",
		"$filter=SECRET SECRET":                    "$filter, character 8: here the option ends",
		"$filter=":                                 "$filter, character 1: here comes",
		"$filter=a eq 2026-13-01T00:00:00Z":        "$filter, character 6: a time is such as",
		"$filter=a eq 2026-01-01T00:00:00":         "$filter, character 6: a time is such as",
		"$filter=a eq 2026-02-30":                  "$filter, character 6: there is no such day",
		"$filter=a eq 1SECRET":                     "$filter, character 6: after a number",
		"$filter=a eq geography'POLYGON((SECRET'":  "$filter, character 6: a geometry is",
		"$filter=a eq duration'P1M'":               "$filter, character 6: a duration is",
		"$filter=a/(1)":                            "$filter, character 3: after a slash",
		"$filter=a eq 1&$filter=b":                 "$filter, character 1: this option is there more",
		"$top=-1":                                  "$top, character 1: is a whole number",
		"$top=1.5":                                 "$top, character 1: is a whole number",
		"$skip=SECRET":                             "$skip, character 1: is a whole number",
		"$count=SECRET":                            "$count, character 1: is true or false",
		"$resultFormat=SECRET":                     "$resultFormat, character 1: is CSV or dataArray",
		"$expand=A($top=SECRET)":                   "$expand, character 8: is a whole number",
		"$expand=A($top=1":                         "$expand, character 9: here comes ; or",
		"$expand=A(top=1)":                         "$expand, character 3: here comes an option",
		"$expand=A,A":                              "$expand, character 3: this link is expanded",
		"$expand=A/B/C/D/E/F":                      "$expand, character 11: expansions are at most 5",
		"$expand=A($resultFormat=CSV)":             "$expand, character 17: is for the whole answer",
		"$skiptoken=SECRET":                        "$skiptoken, character 1: is not one that this server",
		"$search=SECRET":                           "$search: is no option of SensorThings",
		"SECRET=SECRET":                            "query: holds an unknown option",
		"$filter=%zz":                              "query: is not well formed",
		"$filter=" + strings.Repeat("(", 100):      "$filter, character 33: parentheses",
		"$filter=a" + strings.Repeat(" or a", 500): "this expression is too long",
		"$filter=a in (1" + strings.Repeat(",1", 100) + ")":     "this list is too long",
		"$filter=a eq '" + strings.Repeat("SECRET", 2000) + "'": "query: is longer than 8 KiB",
		"$filter=a eq #": "$filter, character 6: this character begins nothing",
	} {
		_, err := Parse(strings.ReplaceAll(raw, " ", "+"))
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v; want %s", raw, err, want)
			continue
		}
		if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%.60s: its value is in %s", raw, err)
		}
	}
}

// TestPaths: ids are numbers or texts, and a slash in quotes is one of theirs.
func TestPaths(t *testing.T) {
	for path, want := range map[string]string{
		"Things":                       "Things",
		"Things(1)":                    "Things 1",
		"Things('a/b''(c)')/name":      "Things 'a/b''(c)' name",
		"Things(a:b-c)/Locations":      "Things 'a:b-c' Locations",
		"Things(01)/Locations(2)":      "Things '01' Locations 2",
		"Things(1)/name/$value":        "Things 1 name $value",
		"Things/$ref":                  "Things $ref",
		"Things(":                      "",
		"Things()":                     "",
		"Things('a)":                   "",
		"Things(1)x":                   "",
		"Things(1)/":                   "",
		"/Things":                      "",
		"(1)":                          "",
		"a" + strings.Repeat("/a", 20): "",
	} {
		list, err := ParsePath(path)
		var got []string
		for _, s := range list {
			got = append(got, s.Name)
			if s.Keyed {
				got = append(got, s.Key.String())
			}
		}
		if text := strings.Join(got, " "); err == nil && text != want || err != nil && want != "" {
			t.Errorf("%s is %s, %v; want %s", path, text, err, want)
		}
	}
}

// TestTimes: what is written is read back.
func TestTimes(t *testing.T) {
	for _, s := range []string{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z/2026-01-02T00:00:00Z"} {
		if v, ok := ParseTime(s); !ok || v.String() != s {
			t.Errorf("%s is %v, %v", s, v, ok)
		}
	}
	for _, s := range []string{"", "2026-01-01", "2026-01-01T00:00:00", "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z",
		"0000-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "9998-12-31T23:00:00Z/P1D", "x/P1D"} {
		if v, ok := ParseTime(s); ok {
			t.Errorf("%s is %v", s, v)
		}
	}
	for text, want := range map[string]time.Duration{"P1D": 24 * time.Hour, "PT1H30M": 90 * time.Minute,
		"P1DT0.5S": 24*time.Hour + 500*time.Millisecond, "-PT1S": -time.Second} {
		if d, ok := Duration(text); !ok || d != want {
			t.Errorf("%s is %v, %v", text, d, ok)
		}
	}
	for _, text := range []string{"", "P", "PT", "P1DT", "P1M", "P1Y", "1D", "PT1", "P999999999D", "P400000D"} {
		if d, ok := Duration(text); ok && text != "P400000D" {
			t.Errorf("%q is %v", text, d)
		}
	}
}

// FuzzQuery: no query string is a crash, what is wrong with it is said, and what is read is
// read again from what an expansion's link says.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"$filter=result gt 5 and during(phenomenonTime,2026-01-01T00:00:00Z/P1D)", "$filter=not (a/b-c in ('x''',2))",
		"$filter=st_within(location,geography'POLYGON((1 2,3 4,5 6))') eq true&$count=true&$top=3&$skip=4",
		"$expand=A($expand=B/C;$filter=x eq ';)';$top=1),D&$select=a,@iot.id&$orderby=a/b desc,c&$resultFormat=CSV",
		"$skiptoken='x'", "%24filter=-(1) add duration'PT1H' lt date'2026-01-01'",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := Parse(raw)
		if err != nil {
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Hint == "" || q != nil {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		again, err := Parse(raw)
		if err != nil || q.Filter != nil && show(q.Filter) != show(again.Filter) {
			t.Errorf("%q is read twice: %v", raw, err)
		}
		deepest(t, q, 0)
	})
}

func deepest(t *testing.T, q *Query, deep int) {
	if deep > maxNested || q.Skip < 0 || q.Skip > maxWhole || q.Top > maxWhole {
		t.Errorf("it is %d deep: %+v", deep, q)
	}
	for _, x := range q.Expand {
		deepest(t, x.Query, deep+1)
	}
}

// FuzzPath: a path that is read is one that is written.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"Things(1)/Locations('a''b')/$ref", "a(b)/c", "Things('')", "Things('/')"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		list, err := ParsePath(path)
		if err != nil {
			return
		}
		var parts []string
		for _, s := range list {
			text := s.Name
			if s.Keyed {
				text += "(" + s.Key.String() + ")"
			}
			parts = append(parts, text)
		}
		again, err := ParsePath(strings.Join(parts, "/"))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(list) {
			t.Errorf("%q is %v, and again %v, %v", path, list, again, err)
		}
	})
}

// TestGeometryIsBounded: a geometry has as many points, and as many parts, as it may.
func TestGeometryIsBounded(t *testing.T) {
	for about, x := range map[string]struct {
		text string
		want bool
	}{
		"points":          {"LINESTRING(0 0" + strings.Repeat(",1 1", maxPoints) + ")", true},
		"one point more":  {"LINESTRING(0 0" + strings.Repeat(",1 1", maxPoints+1) + ")", false},
		"parts":           {"MULTIPOINT((0 0)" + strings.Repeat(",(1 1)", 198) + ")", true},
		"two parts more":  {"MULTIPOINT((0 0)" + strings.Repeat(",(1 1)", 200) + ")", false},
		"longer than all": {"POINT(0" + strings.Repeat(" ", MaxQuery) + "0)", false},
	} {
		if g, ok := Geometry(x.text); ok != x.want {
			t.Errorf("%s: %v, of %d bytes", about, g, len(x.text))
		}
	}
}

// FuzzGeometry: no text is a crash, and what is read has points.
func FuzzGeometry(f *testing.F) {
	for _, s := range []string{"POINT(1 2)", "SRID=4326;LINESTRING(1 2,3 4)", "POLYGON((1 2,3 4,5 6))",
		"MULTIPOLYGON(((1 2,3 4,5 6,1 2)),((1 1,2 2,3 1)))", "POINT EMPTY", "GEOMETRYCOLLECTION(POINT(1 2))",
		"POINT(1e999 2)", "POINT Z (1 2 3)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if g, ok := Geometry(text); ok && (g == nil || !finite(g)) {
			t.Errorf("%q is %v", text, g)
		}
	})
}
