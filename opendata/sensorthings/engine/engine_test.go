package engine_test

import (
	"encoding/json"
	"fmt"
	"maps"
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
				"phenomenonTime": fmt.Sprintf("2026-11-%dT%02d:00:00Z/PT1H", 21+n, h), "resultQuality": object{"low": float64(h)}})
		}
		if _, err := s.Create(engine.TypeOf("Thing"), object{"name": name, "description": "it's " + name,
			"properties": object{"n": float64(n), "list": []any{1.0}},
			"Locations": []any{object{"name": name, "description": name, "encodingType": "application/geo+json",
				"location": object{"type": "Polygon", "coordinates": []any{[]any{[]any{x, 41.0}, []any{x + 0.5, 41.0},
					[]any{x + 0.5, 42.0}, []any{x, 41.0}}}}}},
			"Datastreams": []any{object{"name": "footfall " + name, "description": "d", "observationType": "o",
				"unitOfMeasurement": object{"name": "devices", "symbol": "n", "definition": "x:y"}, "Observations": list,
				"Sensor":           object{"name": "s", "description": "s", "encodingType": "text/html", "metadata": "m"},
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
	obs := func(filter string) string { return "Observations?$select=result&$filter=" + filter }
	for address, want := range map[string]string{
		"Things": "rambla raval", "Things?$top=1": "rambla", "Things?$skip=1": "raval", "Things?$top=0": "",
		"Things?$orderby=name desc": "raval rambla", "Things?$orderby=id desc": "raval rambla",
		"Things?$filter=name eq 'rambla'":                                                         "rambla",
		"Things?$filter=not (name eq 'rambla')":                                                   "raval",
		"Things?$filter=substringof('ambl', name) or endswith(name,'x')":                          "rambla",
		"Things?$filter=length(concat(name,'x')) eq 6 and startswith(name,'ra')":                  "raval",
		"Things?$filter=indexof(toupper(name),'V') eq 2":                                          "raval",
		"Things?$filter=substring(name,1,3) eq 'amb' and trim(' x ') eq 'x'":                      "rambla",
		"Things?$filter=description eq 'it''s raval'":                                             "raval",
		"Things?$filter=properties/n eq 1":                                                        "raval",
		"Things?$filter=properties/none eq null":                                                  "rambla raval",
		"Things?$filter=properties/none gt 1 or properties/none le 1":                             "",
		"Things?$filter=not (properties/none gt 1)":                                               "",
		"Things?$filter=properties/list/x ne null":                                                "",
		"Things?$filter=id in (2,3)":                                                              "raval",
		"Things?$filter=@iot.id eq 1":                                                             "rambla",
		"Things?$filter=Datastreams/name eq 'footfall raval'":                                     "raval",
		"Things?$filter=Datastreams/Observations/result gt 30":                                    "raval",
		"Things?$filter=Datastreams/ObservedProperty/name eq 'devices'":                           "rambla raval",
		"Things?$filter=geo.intersects(Locations/location,geography'POINT(2 41)')":                "rambla",
		"Locations?$filter=st_within(geography'POINT(3.4 41.1)', location)":                       "raval",
		"Locations?$filter=geo.distance(location, geography'POINT(3 40)') lt 1.1":                 "raval",
		"Locations?$filter=location/type eq 'Point' or location/geometry/type eq 'Point'":         "",
		"Locations?$filter=location/type eq 'Polygon'":                                            "rambla raval",
		"FeaturesOfInterest?$filter=geo.intersects(feature,'POLYGON((1 40,2.5 40,2.5 42,1 42))')": "rambla",
		"Things(1)/Datastreams(1)/Observations?$top=3":                                            "0 1 2",
		"Datastreams(2)/Observations?$orderby=phenomenonTime desc&$top=3":                         "46 44 42",
		"Datastreams(2)/Observations?$orderby=result desc,id&$top=2&$skip=1":                      "44 42",
		"Datastreams(2)/Observations?$orderby=result mod 4 desc,result&$top=3":                    "2 6 10",
		"Things(1)/Locations(1)/Things":                                                           "rambla",
		"Datastreams(1)/Thing/HistoricalLocations":                                                "1",
		obs("result gt 20 and result lt 25"):                                                      "21 22 23 22 24",
		obs("result mul 2 eq 84"):                                                                 "42",
		obs("result div 2 add 1 eq 24 or -(result) eq -1"):                                        "1 46",
		obs("round(result div 4) eq 11 and floor(2.7) eq 2 and ceiling(2.1) eq 3"):                "42 44",
		obs("phenomenonTime ge 2026-11-22T22:00:00Z"):                                             "44 46",
		obs("phenomenonTime gt 2026-11-22T22:00:00Z"):                                             "46",
		obs("phenomenonTime lt 2026-11-21T02:00:00Z"):                                             "0 1",
		obs("phenomenonTime le 2026-11-21T01:30:00Z"):                                             "0",
		obs("phenomenonTime eq 2026-11-21T05:30:00Z"):                                             "5",
		obs("2026-11-21T01:00:00Z ge phenomenonTime"):                                             "0",
		obs("phenomenonTime eq 2026-11-21T05:00:00Z/2026-11-21T06:00:00Z"):                        "5",
		obs("during(phenomenonTime,2026-11-21T05:00:00Z/PT2H)"):                                   "5 6",
		obs("overlaps(phenomenonTime,2026-11-21T05:30:00Z/PT1H)"):                                 "5 6",
		obs("meets(phenomenonTime,2026-11-21T05:00:00Z/PT1H)"):                                    "4 6",
		obs("before(phenomenonTime,2026-11-21T01:00:00Z)"):                                        "0",
		obs("after(phenomenonTime,2026-11-22T22:30:00Z)"):                                         "46",
		obs("starts(phenomenonTime,2026-11-21T05:00:00Z/P1D)"):                                    "5",
		obs("finishes(phenomenonTime,2026-11-21T00:00:00Z/PT6H)"):                                 "5",
		obs("phenomenonTime add duration'PT2H' gt now() sub duration'PT12H'"):                     "46",
		obs("hour(phenomenonTime) eq 3 and day(phenomenonTime) eq 22"):                            "6",
		obs("date(phenomenonTime) eq 2026-11-22 and time(phenomenonTime) lt 01:30:00"):            "0 2",
		obs("year(phenomenonTime) eq 2026 and month(phenomenonTime) eq 11 and minute(phenomenonTime) add " +
			"second(phenomenonTime) add fractionalseconds(phenomenonTime) add totaloffsetminutes(phenomenonTime) eq 0 " +
			"and result eq 23"): "23",
		obs("phenomenonTime gt mindatetime() and phenomenonTime lt maxdatetime() and result eq 46"): "46",
		obs("Datastream/Thing/name eq 'raval' and result gt 43"):                                    "44 46",
		obs("not (Datastream/id eq 1) and result lt 3"):                                             "0 2",
		obs("FeatureOfInterest/name eq 'raval' and result lt 3"):                                    "0 2",
		obs("resultTime eq null and resultQuality/low eq 23"):                                       "23 46",
		obs("result eq true or result eq 1"):                                                        "1",
	} {
		o, body := get(t, s, address)
		if got := results(o); o == nil || got != want {
			t.Errorf("%s: %s; want %s (%.200s)", address, got, want, body)
		}
	}
}

// TestRefused: what cannot be meant is refused before anything is read, and said.
func TestRefused(t *testing.T) {
	s, _ := filled(t)
	for address, want := range map[string]string{
		"Things?$filter=nam eq 'x'":                               "$filter, character 1: Things have no such property; they have id, name",
		"Things?$filter=Datastreams eq 1":                         "$filter, character 1: ends with a link",
		"Things?$filter=name/x eq 1":                              "name has no parts",
		"Things?$filter=name gt 5":                                "$filter, character 6: what is on both sides of gt is of two kinds",
		"Observations?$filter=phenomenonTime gt '2026'":           "a time have none",
		"Things?$filter=name":                                     "a filter is true or false",
		"Things?$filter=name and true":                            "both sides of and",
		"Things?$filter=not name":                                 "not is for another kind of value",
		"Things?$filter=length(name) add 'x' eq 1":                "add is for numbers",
		"Things?$filter=SECRET(name)":                             "there is no such function; there are after",
		"Things?$filter=length(name,name) eq 1":                   "length takes one argument",
		"Things?$filter=substring(name) eq 'x'":                   "substring takes 2 to 3 arguments",
		"Things?$filter=floor(name) eq 1":                         "floor takes a number here",
		"Locations?$filter=geo.intersects(location,'SECRET')":     "geo.intersects takes a shape here",
		"Locations?$filter=location gt 5":                         "of two kinds",
		"Things?$orderby=properties":                              "$orderby, character 1: shapes and objects have no order",
		"Things?$select=SECRET":                                   "$select: names no property or link of Things",
		"Things?$expand=SECRET":                                   "$expand, character 1: Things have no such link; they have Loc",
		"Things?$expand=Datastreams($filter=SECRET eq 1)":         "$expand, character 21: Datastreams have no such property",
		"Things(1)?$top=1":                                        "$top: is not for what this path leads to",
		"Things(1)/name?$select=name":                             "$select: is not for",
		"Things/$ref?$expand=Locations":                           "$expand: is not for",
		"Things?$resultFormat=dataArray":                          "dataArray is for Observations",
		"Things?$resultFormat=CSV&$expand=Locations":              "a CSV file has room for links to one alone",
		"Observations?$resultFormat=dataArray&$expand=Datastream": "a data array has no expansions",
		"Observations?$orderby=result&$skip=10001":                "$skip: is at most 10000",
		"Observations?$orderby=result&$skiptoken='x'":             "$skiptoken: is of another order",
		"?$top=1":                   "$top: is for sets and entities",
		"Nothing":                   "there is no such entity",
		"Things(3)":                 "there is no such entity",
		"Things('1')":               "there is no such entity",
		"Things(1)/SECRET":          "there is no such entity",
		"Things(1)(2)":              "there is no such entity",
		"Things/name":               "there is no such entity",
		"Things(1)/$ref":            "there is no such entity",
		"Things(1)/Locations(2)":    "there is no such entity",
		"Things(1)/$value":          "there is no such entity",
		"Observations(1)/validTime": "there is no such entity",
	} {
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
	for address, want := range map[string]string{
		"": `{"value":[{"name":"Things","url":"http://host/v1.1/Things"},`,
		"Things(1)": `{"@iot.id":1,"@iot.selfLink":"http://host/v1.1/Things(1)","name":"rambla","description":"it's rambla",` +
			`"properties":{"list":[1],"n":0},"Locations@iot.navigationLink":"http://host/v1.1/Things(1)/Locations",` +
			`"HistoricalLocations@iot.navigationLink":"http://host/v1.1/Things(1)/HistoricalLocations",` +
			`"Datastreams@iot.navigationLink":"http://host/v1.1/Things(1)/Datastreams"}`,
		"Things(1)?$select=name,Datastreams&$expand=Locations($select=name)": `{"name":"rambla",` +
			`"Locations":[{"name":"rambla"}],"Datastreams@iot.navigationLink":"http://host/v1.1/Things(1)/Datastreams"}`,
		"Things(1)?$select=id":                                `{"@iot.id":1}`,
		"Things/$ref?$top=1":                                  `{"@iot.nextLink":"http://host/v1.1/Things/$ref?$top=1&$skiptoken='000000000001'","value":[{"@iot.selfLink":"http://host/v1.1/Things(1)"}]}`,
		"Things(2)/Datastreams/$ref":                          `{"value":[{"@iot.selfLink":"http://host/v1.1/Datastreams(2)"}]}`,
		"Things(1)/name":                                      `{"name":"rambla"}`,
		"Things(1)/name/$value":                               `rambla`,
		"Things(1)/properties/n":                              `{"n":0}`,
		"Things(1)/properties/$value":                         `{"list":[1],"n":0}`,
		"Things(1)/id":                                        `{"@iot.id":1}`,
		"Observations(1)/phenomenonTime/$value":               "2026-11-21T00:00:00Z/2026-11-21T01:00:00Z",
		"Observations(1)/Datastream/unitOfMeasurement/symbol": `{"symbol":"n"}`,
		"Observations?$resultFormat=dataArray&$top=1&$count=true": `{"@iot.count":48,"@iot.nextLink":"http://host/v1.1/` +
			`Observations?$resultFormat=dataArray&$top=1&$count=true&$skiptoken='2026-11-21T00:00:00.000000000Z%7C000000000001'"` +
			`,"value":[{"Datastream@iot.navigationLink":"http://host/v1.1/Datastreams(1)","components":["id","phenomenonTime",` +
			`"result","resultTime","resultQuality","validTime","parameters"],"dataArray@iot.count":1,"dataArray":[[1,` +
			`"2026-11-21T00:00:00Z/2026-11-21T01:00:00Z",0,null,{"low":0},null,null]]}]}`,
		"Datastreams(1)/Observations?$resultFormat=CSV&$top=2&$select=phenomenonTime,result&$expand=Datastream($select=" +
			"unitOfMeasurement;$expand=Thing($select=name))": "phenomenonTime,result,Datastream/unitOfMeasurement/symbol," +
			"Datastream/Thing/name\n2026-11-21T00:00:00Z/2026-11-21T01:00:00Z,0,n,rambla\n" +
			"2026-11-21T01:00:00Z/2026-11-21T02:00:00Z,1,n,rambla\n",
	} {
		if _, body := get(t, s, address); !strings.HasPrefix(strings.TrimSuffix(body, "\n"), strings.TrimSuffix(want, "\n")) {
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
		o := object{"result": float64(n), "Datastream": object{"@iot.id": 1.0}, "FeatureOfInterest": object{"@iot.id": 1.0},
			"phenomenonTime": noon.Add(time.Duration(n) * time.Second).Format(time.RFC3339)}
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
	for address, want := range map[string]string{
		"Observations?$count=true&" + filter:     "$count: too many would have to be looked at",
		"Observations?$orderby=result&" + filter: "$orderby: too many would have to be looked at",
	} {
		if _, text := get(t, s, address); !strings.Contains(text, want) {
			t.Errorf("%.60s: %.200s", address, text)
		}
	}
	o, body := get(t, s, "Things?$expand=Datastreams($expand=Observations($top=1000;$expand=Datastream,FeatureOfInterest))")
	if o == nil || len(body) > 3<<20 {
		t.Errorf("it has %d bytes: %.200s", len(body), body)
	}
	list := o["value"].([]any)[0].(object)["Datastreams"].([]any)[0].(object)
	if list["Observations@iot.nextLink"] == nil {
		t.Errorf("it has %v", slices.Collect(maps.Keys(list)))
	}
}
