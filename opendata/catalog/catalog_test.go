package catalog

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/archive"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// literals are the forms of the datatypes that the catalogue has.
var literals = map[string]func(string) bool{
	"xsd:date":               func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil },
	"xsd:dateTime":           func(s string) bool { _, err := time.Parse(time.RFC3339, s); return err == nil },
	"xsd:nonNegativeInteger": regexp.MustCompile(`^\d+$`).MatchString,
	"xsd:duration":           regexp.MustCompile(`^P(\d+D|T(\d+H)?(\d+M)?(\d+S)?)$`).MatchString,
	"xsd:hexBinary":          regexp.MustCompile(`^([0-9a-f]{2})+$`).MatchString,
	"gsp:wktLiteral":         regexp.MustCompile(`^POLYGON\(\((-?[0-9.]+ -?[0-9.]+,?){5}\)\)$`).MatchString,
}

// needed are the properties that DCAT-AP 3.0 makes mandatory, by class.
var needed = map[string][]string{
	"dcat:Catalog":            {"dct:title", "dct:description", "dct:publisher", "dcat:dataset"},
	"dcat:Dataset":            {"dct:title", "dct:description", "dcat:keyword", "dcat:theme"},
	"dcat:Distribution":       {"dcat:accessURL"},
	"dcat:DataService":        {"dct:title", "dcat:endpointURL"},
	"foaf:Agent":              {"foaf:name"},
	"vcard:Organization":      {"vcard:fn"},
	"dct:PeriodOfTime":        {},
	"dct:Location":            {"dcat:bbox"},
	"dct:ProvenanceStatement": {"rdfs:label"},
	"spdx:Checksum":           {"spdx:algorithm", "spdx:checksumValue"},
}

// shape holds a node and all below it against literals and needed, counts classes, and
// collects what the properties lead to.
type shape struct {
	t       *testing.T
	classes map[string]int
	known   map[string]bool // ids of nodes
	leads   map[string]bool // to addresses of ours, from servesDataset and accessService
}

func (s *shape) look(at string, v any) {
	switch v := v.(type) {
	case []any:
		if len(v) == 0 {
			s.t.Errorf("%s is an empty list", at)
		}
		for _, x := range v {
			s.look(at, x)
		}
	case map[string]any:
		s.node(at, v)
	}
}

func (s *shape) node(at string, v map[string]any) {
	kind, _ := v["@type"].(string)
	if text, literal := v["@value"].(string); literal {
		form, known := literals[kind]
		if text == "" || kind != "" && !known || known && !form(text) {
			s.t.Errorf("%s: %q is no %s", at, text, kind)
		}
		return
	}
	if id, ok := v["@id"].(string); ok {
		if _, err := url.Parse(id); err != nil || strings.ContainsAny(id, " <>\"") {
			s.t.Errorf("%s: %q is no address", at, id)
		}
		if kind != "" {
			s.known[id] = true
		}
		if strings.HasSuffix(at, "servesDataset") || strings.HasSuffix(at, "accessService") ||
			strings.HasSuffix(at, "Dataset.dct:publisher") {
			s.leads[id] = true
		}
	}
	properties, known := needed[kind]
	if kind != "" && !known {
		s.t.Errorf("%s has class %s, which this test does not know", at, kind)
	}
	s.classes[kind]++
	for _, p := range properties {
		if v[p] == nil {
			s.t.Errorf("%s: a %s has no %s", at, kind, p)
		}
	}
	for key, x := range v {
		if key != "@context" {
			s.look(kind+"."+key, x)
		}
	}
}

// TestCatalogueIsDCAT: each literal is one of its datatype, mandatory properties are there,
// and what is referred to is there, also where a decision ends at an instant, or the books
// say nothing of it.
func TestCatalogueIsDCAT(t *testing.T) {
	stream := func(id, from, until string) query.Stream {
		st := query.Stream{Stream: books.Stream{
			ID: id, Title: map[string]string{"en": "Steps"}, Every: "PT1H", Unit: "none", From: from, Until: until,
			Decision: "2026-1", Licence: "CC-BY-4.0",
			Measures: []books.Measure{{Name: "count"}},
		}}
		st.ClosedUntil = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
		return st
	}
	streams := []query.Stream{stream("day", "2026-01-01", "2026-12-31"),
		stream("instant", "2026-01-01T00:00:00+01:00", "2027-05-31T22:00:00Z"), stream("none", "", ""),
		{Stream: books.Stream{ID: "bare", Every: "P1D"}}}
	zones := []byte(
		`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","properties":{},` +
			`"geometry":{"type":"Polygon","coordinates":[[[2.1,41.3],[2.2,41.3],[2.2,41.4],[2.1,41.3]]]}}]}`)
	files := byStream{"day": {
		{Path: "day/2026/01.csv.gz", Stream: "day", Format: archive.CSV, Closed: true, Bytes: 9, SHA256: "00ff"},
		{Path: "day/latest.parquet", Stream: "day", Format: archive.Parquet},
		{Path: "2026.db", Format: archive.SQLite}}}
	for _, base := range []string{"", "https://data.portalba.example"} {
		c := New(nil, nil, base, nil)
		raw, err := json.Marshal(c.dcat(books.City{Name: "Portalba"}, streams, zones, files))
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		s := &shape{t, map[string]int{}, map[string]bool{}, map[string]bool{}}
		s.look("", doc)
		if s.classes["dcat:Dataset"] != 4 || s.classes["dcat:Distribution"] != 14 || s.classes["spdx:Checksum"] != 1 ||
			s.classes["dct:PeriodOfTime"] != 2 {
			t.Errorf("it has %v", s.classes)
		}
		for id := range s.leads {
			if !s.known[id] {
				t.Errorf("it refers to %s, which is not in it", id)
			}
		}
	}
	for text, kind := range map[string]any{"2026-05-31": "xsd:date", "2027-05-31T22:00:00Z": "xsd:dateTime",
		"2027-05-31T22:00:00+02:00": "xsd:dateTime", "soon": nil, "": nil} {
		if got := moment(text)["@type"]; got != kind {
			t.Errorf("%q is %v; want %v", text, got, kind)
		}
	}
}

// TestSearchEngines: a stream's block for search engines has the whole files, and a time
// that is one.
func TestSearchEngines(t *testing.T) {
	speaker := i18n.Localizers()["en"]
	for until, want := range map[string]any{"2026-12-31": "2026-01-01/2026-12-31", "": "2026-01-01/.."} {
		d := Dataset(speaker, "https://x", books.City{Name: "P"},
			query.Stream{Stream: books.Stream{ID: "s", From: "2026-01-01", Until: until}})
		if d["temporalCoverage"] != want {
			t.Errorf("until %q it is about %v; want %v", until, d["temporalCoverage"], want)
		}
		list, _ := d["distribution"].([]any)
		if len(list) != 2 || slices.ContainsFunc(list, func(x any) bool {
			address, _ := x.(map[string]any)["contentUrl"].(string)
			return strings.Contains(address, "limit") ||
				!strings.HasPrefix(address, "https://x/api/v1/streams/s/observations?format=")
		}) {
			t.Errorf("its files are %v", list)
		}
	}
}
