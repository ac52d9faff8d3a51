package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/opendata/sensorthings/engine"
	"sluice/opendata/sensorthings/odata"
	"sluice/test/sta/memory"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

type object = map[string]any

// filled is a service over two Things with a Datastream each, and the hours of a day.
func filled(t *testing.T) (*engine.Service, *memory.Store) {
	t.Helper()
	s := memory.New(noon)
	for n, name := range []string{"rambla", "raval"} {
		x := float64(2 + n)
		var list []any
		for h := range 24 {
			list = append(list, object{"result": float64(h * (n + 1)), "resultTime": nil,
				"phenomenonTime": fmt.Sprintf("2026-11-%dT%02d:00:00Z/PT1H", 21+n, h),
				"resultQuality":  object{"low": float64(h)}})
		}
		if _, err := s.Create(engine.TypeOf("Thing"), object{"name": name, "description": "it's " + name,
			"properties": object{"n": float64(n), "list": []any{1.0}},
			"Locations": []any{object{"name": name, "description": name, "encodingType": "application/geo+json",
				"location": object{"type": "Polygon", "coordinates": []any{[]any{[]any{x, 41.0}, []any{x + 0.5, 41.0},
					[]any{x + 0.5, 42.0}, []any{x, 41.0}}}}}},
			"Datastreams": []any{object{"name": "footfall " + name, "description": "d", "observationType": "o",
				"unitOfMeasurement": object{"name": "devices", "symbol": "n", "definition": "x:y"},
				"Observations":      list,
				"Sensor": object{"name": "s", "description": "s", "encodingType": "text/html",
					"metadata": "m"},
				"ObservedProperty": object{"name": "devices", "description": "p", "definition": "x:y"}}},
		}, nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	return &engine.Service{Store: s, Base: "http://host/v1.1",
		Parts: map[string][]string{"unitOfMeasurement": {"symbol"}}}, s
}

func get(t *testing.T, s *engine.Service, address string) (object, string) {
	t.Helper()
	path, raw, _ := strings.Cut(address, "?")
	out, err := s.Get(t.Context(), path, strings.ReplaceAll(raw, " ", "%20"))
	if err != nil {
		return nil, err.Error()
	}
	var o object
	if out.Type == "application/json" {
		if err := json.Unmarshal(out.Body, &o); err != nil {
			t.Fatalf("%s: %v: %s", address, err, out.Body)
		}
	}
	return o, string(out.Body)
}

// table reads lines of a request, and of its answer behind tabs.
func table(t *testing.T, name string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	request := ""
	for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\n"), "\n") {
		answer, ok := strings.CutPrefix(line, "\t")
		switch old, some := out[request]; {
		case !ok:
			request = line
		case some:
			out[request] = old + "\n" + answer
		default:
			out[request] = answer
		}
	}
	return out
}

// results are the results, or names, of a page.
func results(o object) string {
	var list []string
	values, _ := o["value"].([]any)
	for _, v := range values {
		e, _ := v.(object)
		for _, key := range []string{"result", "name", "@iot.id", "time"} {
			if x, has := e[key]; has {
				list = append(list, fmt.Sprint(x))
				break
			}
		}
	}
	return strings.Join(list, " ")
}

// TestAnswers: filters, orders and paths, each by what it finds.
func TestAnswers(t *testing.T) {
	s, _ := filled(t)
	for address, want := range table(t, "answers.txt") {
		o, body := get(t, s, address)
		if got := results(o); o == nil || got != want {
			t.Errorf("%s: %s; want %s (%.200s)", address, got, want, body)
		}
	}
}

// TestRefused: what cannot be meant is refused before anything is read, and said.
func TestRefused(t *testing.T) {
	s, _ := filled(t)
	for address, want := range table(t, "refused.txt") {
		o, text := get(t, s, address)
		if o != nil || !strings.Contains(text, want) || strings.Contains(text, "SECRET") {
			t.Errorf("%s: %s; want %s", address, text, want)
		}
	}
}

// TestPages: links to next pages lead to everything once, in every order, also where the page
// is an expansion's.
func TestPages(t *testing.T) {
	s, _ := filled(t)
	for _, address := range []string{"Observations?$top=7&$select=id&$count=true",
		"Observations?$top=7&$select=id&$count=true&$orderby=phenomenonTime desc",
		"Observations?$top=7&$select=id&$count=true&$orderby=result desc",
		"Observations?$top=7&$select=id&$count=true&$filter=result ge 0 or id eq 5"} {
		seen := make(map[string]bool)
		pages := 0
		for ; address != ""; pages++ {
			o, body := get(t, s, address)
			for _, id := range strings.Fields(results(o)) {
				if seen[id] {
					t.Fatalf("%s: %s is there twice", address, id)
				}
				seen[id] = true
			}
			if o["@iot.count"] != 48.0 {
				t.Fatalf("%s: %.200s", address, body)
			}
			next, _ := o["@iot.nextLink"].(string)
			address = strings.TrimPrefix(next, "http://host/v1.1/")
		}
		if len(seen) != 48 || pages != 7 {
			t.Errorf("there are %d on %d pages", len(seen), pages)
		}
	}
	o, _ := get(t, s, "Datastreams?$expand=Observations($top=2;$orderby=phenomenonTime desc;$count=true;"+
		"$filter=result gt 4 and result ne '%26;')")
	first := o["value"].([]any)[0].(object)
	next := first["Observations@iot.nextLink"].(string)
	if first["Observations@iot.count"] != 19.0 || len(first["Observations"].([]any)) != 2 {
		t.Errorf("the expansion is %v", first)
	}
	o, body := get(t, s, strings.TrimPrefix(next, "http://host/v1.1/"))
	if results(o) != "21 20" {
		t.Errorf("%s: %.300s", next, body)
	}
}

// TestForms: what entities, references, properties, data arrays and files look like.
func TestForms(t *testing.T) {
	s, _ := filled(t)
	for address, want := range table(t, "forms.txt") {
		if _, body := get(t, s, address); !strings.HasPrefix(body, want) {
			t.Errorf("%s: %s; want %s", address, body, want)
		}
	}
}

// TestWork: what would cost too much ends early and goes on where it ended, or says what
// helps.
func TestWork(t *testing.T) {
	s, store := filled(t)
	datastream, err := store.One(t.Context(), engine.TypeOf("Datastream"), odata.ID{Text: "1", Number: true})
	if err != nil {
		t.Fatal(err)
	}
	feature, err := store.One(t.Context(), engine.TypeOf("FeatureOfInterest"), odata.ID{Text: "1", Number: true})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3000 {
		o := object{"result": float64(n), "Datastream": object{"@iot.id": 1.0},
			"FeatureOfInterest": object{"@iot.id": 1.0},
			"phenomenonTime":    noon.Add(time.Duration(n) * time.Second).Format(time.RFC3339)}
		if _, err := store.Create(engine.TypeOf("Observation"), o, nil, ""); err != nil {
			t.Fatal(err, datastream, feature)
		}
	}
	// 200 functions of shapes for each: so much is nobody's.
	heavy := "geo.distance(FeatureOfInterest/feature,geography'LINESTRING(" + strings.Repeat("1 1,2 2,", 150) + "3 3)')"
	filter := "$filter=" + heavy + " lt -1 or " + heavy + " lt -1 or " + heavy + " lt -1"
	pages := 0
	for address := "Observations?" + filter; address != ""; pages++ {
		o, body := get(t, s, address)
		if o == nil || results(o) != "" {
			t.Fatalf("%s", body)
		}
		next, _ := o["@iot.nextLink"].(string)
		address = strings.TrimPrefix(next, "http://host/v1.1/")
	}
	if pages < 2 {
		t.Errorf("it is one page")
	}
	texts := "'" + strings.Repeat("x", 5000) + "'"
	for range 14 {
		texts = "toupper(tolower(" + texts + "))"
	}
	points := "geography'MULTIPOINT((1 1)" + strings.Repeat(",(2 2)", 150) + ")'"
	for address, want := range map[string]string{
		"Observations?$count=true&$filter=geo.distance(" + points + "," + points +
			") lt -1": "$count: too many would " +
			"have to be looked at",
		"Observations?$count=true&" + filter:                          "$count: too many would have to be looked at",
		"Observations?$count=true&$filter=length(" + texts + ") gt 0": "$count: too many would have to be looked at",
		"Observations?$orderby=result&" + filter:                      "$orderby: too many would have to be looked at",
	} {
		if _, text := get(t, s, address); !strings.Contains(text, want) {
			t.Errorf("%.60s: %.200s", address, text)
		}
	}
	o, body := get(t, s, "Things?$expand=Datastreams($expand=Observations($top=1000;"+
		"$expand=Datastream,FeatureOfInterest))")
	if o == nil || len(body) > 3<<20 {
		t.Errorf("it has %d bytes: %.200s", len(body), body)
	}
	list := o["value"].([]any)[0].(object)["Datastreams"].([]any)[0].(object)
	if list["Observations@iot.nextLink"] == nil {
		t.Errorf("it has %v", slices.Collect(maps.Keys(list)))
	}
}

// TestOrderByNothing: what is the same for all is no order, and no way to have a text repeated.
func TestOrderByNothing(t *testing.T) {
	s, _ := filled(t)
	for address, want := range map[string]string{
		"Observations?$orderby='x'":                                "$orderby, character 1: orders by a property",
		"Observations?$orderby=result,1 add 2 desc":                "$orderby, character 10: orders by a property",
		"Observations?$orderby=concat('x',tolower('y'))":           "$orderby, character 1: orders by a property",
		"Observations?$orderby=now()":                              "$orderby, character 1: orders by a property",
		"Datastreams?$expand=Observations($orderby=not (1 eq 2))":  "$expand, character 23: orders by a property",
		"Observations?$top=1&$orderby=-(result mul 2) desc":        `"@iot.nextLink"`,
		"Observations?$top=1&$orderby=length(concat(id,'x')),id":   `"@iot.nextLink"`,
		"Observations?$top=1&$orderby=Datastream/name eq 'x' desc": `"@iot.nextLink"`,
	} {
		if _, text := get(t, s, address); !strings.Contains(text, want) {
			t.Errorf("%s: %.200s", address, text)
		}
	}
}

// TestNobodyWaits: a question is not gone on with when nobody waits for its answer any more.
func TestNobodyWaits(t *testing.T) {
	s, _ := filled(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Get(ctx, "Observations", "$filter=result%20ge%200"); !errors.Is(err, context.Canceled) {
		t.Errorf("it says %v", err)
	}
}
