package sensorthings

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/books"
	"sluice/books/union"
	"sluice/opendata/released"
	"sluice/store"
	"sluice/test/entered"
)

const base = "https://data.portalba.example"

func get(t testing.TB, h http.Handler, address string) (int, string) {
	t.Helper()
	path, raw, _ := strings.Cut(strings.TrimPrefix(address, base), "?")
	r := httptest.NewRequestWithContext(context.Background(), "GET", base+path, nil)
	r.URL.RawQuery = strings.ReplaceAll(raw, " ", "%20")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// entity is what tests look at of entities.
type entity struct {
	ID             string `json:"@iot.id"`
	Result         float64
	PhenomenonTime string
	ResultTime     string
	ResultQuality  struct {
		Low, High float64
		Status    string
	}
	Parameters map[string]any
	Datastream struct {
		ID         string `json:"@iot.id"`
		Properties struct{ Stream, Measure, Cell string }
	}
}

// all follows the links to next pages.
func all(t testing.TB, h http.Handler, address string) (list []entity) {
	t.Helper()
	for address != "" {
		code, body := get(t, h, address)
		var page struct {
			Value []entity
			Next  string `json:"@iot.nextLink"`
		}
		if err := json.Unmarshal([]byte(body), &page); code != http.StatusOK || err != nil {
			t.Fatalf("%s is %d, %v: %.500s", address, code, err, body)
		}
		list = append(list, page.Value...)
		address = page.Next
	}
	return list
}

// line is a row as one line, and lineOf is an Observation so.
func line(o *store.Observation) string {
	return fmt.Sprint(o.Stream, o.Measure, o.Cell, o.Start.Format(time.RFC3339), o.End.Format(time.RFC3339), *o.Value,
		*o.Low, *o.High, o.Gateway, o.Decision, o.Epsilon)
}

func lineOf(e entity) string {
	p, of := e.Parameters, e.Datastream.Properties
	start, end, _ := strings.Cut(e.PhenomenonTime, "/")
	return fmt.Sprint(of.Stream, of.Measure, of.Cell, start, end, e.Result, e.ResultQuality.Low, e.ResultQuality.High,
		p["gateway"], p["decision"], p["epsilon"])
}

func published(rows []store.Observation) (list []string) {
	for n := range rows {
		if rows[n].Value != nil {
			list = append(list, line(&rows[n]))
		}
	}
	slices.Sort(list)
	return list
}

// TestIsWhatWasReleased: everything that was published is an Observation, once, in every
// order, and nothing else is; also not what somebody has written into the store.
func TestIsWhatWasReleased(t *testing.T) {
	rows := rowsOf("edge-1", 48, "a", "b")
	h, s := service(t, rows)
	forged := rows[0]
	v := 12345.0
	forged.Start, forged.End = forged.Start.Add(-24*time.Hour), forged.End.Add(-24*time.Hour)
	forged.Status, forged.Value, forged.Low, forged.High = store.Published, &v, &v, &v
	if err := s.Write(t.Context(), []store.Observation{forged}); err != nil {
		t.Fatal(err)
	}
	want := published(rows)
	for _, address := range []string{"/v1.1/Observations?$expand=Datastream&$top=37",
		"/v1.1/Observations?$expand=Datastream&$top=1000&$orderby=phenomenonTime desc",
		"/v1.1/Observations?$expand=Datastream&$orderby=phenomenonTime desc",
		"/v1.1/Observations?$expand=Datastream&$orderby=result desc,id&$top=50"} {
		var got []string
		for _, e := range all(t, h, address) {
			got = append(got, lineOf(e))
			if e.ResultTime != strings.Split(e.PhenomenonTime, "/")[1] || e.ResultQuality.Status != "published" {
				t.Errorf("%s: %+v", address, e)
			}
			if len(got) == 1 {
				again := all(t, h, "/v1.1/Observations?$filter=id eq '"+e.ID+"'")
				if code, body := get(t, h, "/v1.1/Observations('"+e.ID+"')/result/$value"); len(again) != 1 ||
					code != http.StatusOK || body != fmt.Sprint(e.Result) {
					t.Errorf("%s is %v, %d, %s", e.ID, again, code, body)
				}
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s has %d; want %d", address, len(got), len(want))
		}
	}
	total := 0
	for _, d := range all(t, h, "/v1.1/Datastreams?$select=id") {
		total += len(all(t, h, "/v1.1/Datastreams('"+d.ID+"')/Observations"))
	}
	of := 0
	for _, f := range all(t, h, "/v1.1/FeaturesOfInterest?$select=id") {
		of += len(all(t, h, "/v1.1/FeaturesOfInterest('"+f.ID+"')/Observations?$select=id"))
	}
	if total != len(want) || of != len(want) {
		t.Errorf("there are %d of Datastreams and %d of features; want %d", total, of, len(want))
	}
	for _, r := range []store.Observation{forged, rows[8]} {
		id := "steps:devices:PT1H:" + r.Zone + ":" + r.Category + "@" + r.Start.Format(time.RFC3339) + "@edge-1"
		if code, _ := get(t, h, "/v1.1/Observations('"+id+"')"); code != http.StatusNotFound && r.Value == nil ||
			r.Value == &v && code != http.StatusNotFound {
			t.Errorf("%s is %d", id, code)
		}
	}
}

// questions are of every kind that could tell of what is not there.
var questions = []string{
	"Observations?$count=true", "Observations?$count=true&$top=7", "Observations?$top=0&$count=true",
	"Observations?$orderby=phenomenonTime desc&$top=5", "Observations?$skip=17&$top=9",
	"Observations?$filter=result gt 100&$count=true", "Observations?$filter=not (result gt 100)&$count=true&$skip=3",
	"Observations?$filter=result eq null&$count=true", "Observations?$filter=result lt 0&$count=true",
	"Observations?$orderby=result desc&$top=20", "Observations?$filter=resultQuality/status ne 'published'&$count=true",
	"Observations?$filter=hour(phenomenonTime) lt 8 and Datastream/properties/stream eq 'steps'&$count=true",
	"Observations?$filter=phenomenonTime lt 2026-03-29T04:00:00Z&$orderby=phenomenonTime desc&$top=3",
	"Observations?$resultFormat=CSV&$top=30", "Observations?$resultFormat=dataArray&$top=40&$count=true",
	"Datastreams?$expand=Observations($top=3;$count=true)",
	"Datastreams?$expand=Observations($top=2;$orderby=phenomenonTime desc;$count=true)",
	"Datastreams?$filter=Observations/result gt 100&$count=true", "Datastreams?$orderby=Observations/result desc",
	"Things?$filter=Datastreams/Observations/resultQuality/status eq 'withheld'&$count=true",
	"FeaturesOfInterest('a')/Observations?$count=true&$top=11", "Things?$expand=Datastreams/Observations",
	"Observations('steps:devices:PT1H:a:foot@2026-03-29T02:00:00Z@edge-1')",
	"Observations?$filter=id eq 'steps:devices:PT1H:a:foot@2026-03-29T02:00:00Z@edge-1'&$count=true",
	"Observations?$top=3&$skiptoken='steps:devices:PT1H:a:foot@2026-03-29T02:00:00Z@edge-1'",
}

// TestWithheldLeavesNoTrace: a city that has withheld numbers, and one in which those windows
// never were, give the same answers to all questions, byte by byte.
func TestWithheldLeavesNoTrace(t *testing.T) {
	rows := rowsOf("edge-1", 48, "a", "b")
	h, _ := service(t, rows)
	bare, _ := service(t, slices.DeleteFunc(slices.Clone(rows), func(o store.Observation) bool {
		return o.Value == nil
	}))
	for _, q := range questions {
		code, one := get(t, h, "/v1.1/"+q)
		other, two := get(t, bare, "/v1.1/"+q)
		if code != other || one != two {
			t.Errorf("%s: %d, %d\n%.600s\n%.600s", q, code, other, one, two)
		}
		if code != http.StatusOK && code != http.StatusNotFound {
			t.Errorf("%s is %d: %.300s", q, code, one)
		}
	}
}

// TestSeveralGateways: all that each has released is there once, also where a zone has changed
// hands.
func TestSeveralGateways(t *testing.T) {
	s := openStore(t)
	log := slog.New(slog.DiscardHandler)
	var list []released.Named
	var all2 []union.Book
	var rows []store.Observation
	for gateway, zones := range map[string][]string{"edge-1": {"a"}, "edge-2": {"a", "b"}} {
		dir := books.Dir(t.TempDir())
		putBooks(t, dir, gateway, zones...)
		own := rowsOf(gateway, 30, zones...)
		if gateway == "edge-1" { // it gave its zone away
			own = slices.DeleteFunc(own, func(o store.Observation) bool {
				return o.Start.After(newest.Add(-4 * time.Hour))
			})
		}
		if err := s.Write(t.Context(), own); err != nil {
			t.Fatal(err)
		}
		if err := entered.EnterAs(gateway, dir, own); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, own...)
		list = append(list, released.Named{Where: gateway, Source: dir})
		all2 = append(all2, union.Book{Where: gateway, Source: dir})
	}
	source := union.New(all2)
	h := over(released.NewCityFilter(s, list, source.Names, log), source)
	for _, address := range []string{"/v1.1/Observations?$expand=Datastream&$top=50",
		"/v1.1/Observations?$expand=Datastream&$top=50&$orderby=phenomenonTime desc"} {
		var got []string
		ids := make(map[string]bool)
		for _, e := range all(t, h, address) {
			got = append(got, lineOf(e))
			ids[e.ID] = true
		}
		if slices.Sort(got); !slices.Equal(got, published(rows)) || len(ids) != len(got) {
			t.Errorf("%s has %d with %d ids; want %d", address, len(got), len(ids), len(published(rows)))
		}
	}
}

// TestFilters: what is asked of time, of Datastreams and of results is what a walk over the
// rows finds: nothing is lost by asking the store for less.
func TestFilters(t *testing.T) {
	rows := rowsOf("edge-1", 60, "a", "b")
	h, _ := service(t, rows)
	rapid.Check(t, func(rt *rapid.T) {
		at := newest.Add(time.Duration(rapid.IntRange(-130, 4).Draw(rt, "at")) * 30 * time.Minute)
		length := time.Duration(rapid.IntRange(1, 20).Draw(rt, "length")) * 30 * time.Minute
		text := at.Format(time.RFC3339)
		type term struct {
			text  string
			holds func(o *store.Observation) bool
		}
		terms := []term{
			{"phenomenonTime ge " + text, func(o *store.Observation) bool { return !o.Start.Before(at) }},
			{"phenomenonTime gt " + text, func(o *store.Observation) bool { return o.Start.After(at) }},
			{"phenomenonTime lt " + text, func(o *store.Observation) bool { return !o.End.After(at) }},
			{text + " le phenomenonTime", func(o *store.Observation) bool { return !o.Start.Before(at) }},
			{"phenomenonTime eq " + text, func(o *store.Observation) bool {
				return !o.Start.After(at) && !o.End.Before(at)
			}},
			{"resultTime gt " + text, func(o *store.Observation) bool { return o.End.After(at) }},
			{"resultTime le " + text, func(o *store.Observation) bool { return !o.End.After(at) }},
			{"during(phenomenonTime," + text + "/PT" + fmt.Sprint(int(length.Minutes())) + "M)",
				func(o *store.Observation) bool { return !o.Start.Before(at) && !o.End.After(at.Add(length)) }},
			{"Datastream/Thing/id eq 'a'", func(o *store.Observation) bool { return o.Zone == "a" }},
			{"Datastream/properties/stream eq 'steps'", func(o *store.Observation) bool { return o.Stream == "steps" }},
			{"FeatureOfInterest/name ne 'B'", func(o *store.Observation) bool { return o.Zone != "b" }},
			{"result gt 60", func(o *store.Observation) bool { return *o.Value > 60 }},
			{"parameters/decision eq '2026-2'", func(o *store.Observation) bool { return o.Decision == "2026-2" }},
			{"Datastream/id eq 'steps:devices:PT1H:b:foot'",
				func(o *store.Observation) bool { return o.Cell == "b/foot" }},
		}
		x := rapid.SampledFrom(terms).Draw(rt, "x")
		y := rapid.SampledFrom(terms).Draw(rt, "y")
		op := rapid.SampledFrom([]string{"and", "or", "and not"}).Draw(rt, "op")
		filter := x.text + " " + op + " (" + y.text + ")"
		var want []string
		for n := range rows {
			o := &rows[n]
			if o.Value == nil {
				continue
			}
			a, b := x.holds(o), y.holds(o)
			if op == "and" && a && b || op == "or" && (a || b) || op == "and not" && a && !b {
				want = append(want, line(o))
			}
		}
		var got []string
		order := rapid.SampledFrom([]string{"", "&$orderby=phenomenonTime desc",
			"&$orderby=phenomenonTime asc"}).Draw(rt, "o")
		for _, e := range all(t, h, "/v1.1/Observations?$expand=Datastream&$top=200&$filter="+filter+order) {
			got = append(got, lineOf(e))
		}
		slices.Sort(got)
		if slices.Sort(want); !slices.Equal(got, want) {
			rt.Fatalf("%s: %d; want %d", filter, len(got), len(want))
		}
	})
}
