package api

import (
	"strings"
	"testing"

	"sluice/books"
	"sluice/opendata/query"
)

// TestGuideSaysWhatIsTaken: the page for developers says the values of closed lists and
// ranges, and its examples are of what the city has.
func TestGuideSaysWhatIsTaken(t *testing.T) {
	source := &query.Source{Store: empty{}, Books: books.Reader{Kept: new(books.Kept), Source: files{
		"city.json": []byte(`{}`),
		"streams.json": []byte(`[{"id":"gates","every":"PT1H","timezone":"UTC","decision":"2027-1",` +
			`"measures":[{"name":"turns","of":"count()"}],"cells":[{"id":"quay","zone":"quay"}]}]`),
		"decisions.json": []byte(`[{"id":"2027-1"}]`)}}}
	list := Guide(t.Context(), source)
	if len(list) != len(descriptions) {
		t.Errorf("%d endpoints, %d descriptions", len(list), len(descriptions))
	}
	n := 0
	for _, o := range list {
		if o.Type == eventType {
			if o.Try != "" || o.Columns != nil {
				t.Errorf("%s has %q to try and %d columns", o.Path, o.Try, len(o.Columns))
			}
		} else if o.Try == "" || len(o.Columns) < 3 || strings.Contains(o.Try, "{") {
			t.Errorf("%s has %q to try and %d columns", o.Path, o.Try, len(o.Columns))
		}
		for _, p := range o.Parameters {
			values := map[string]string{"limit": "1 to 1000", "over": "zones, time",
				"format": "json, csv, csv-excel", "order": "asc, desc",
				"status": "published, withheld, no_data, withdrawn", "cell": "at most 500", "measure": "at most 500",
				"day": "YYYY-MM-DD"}[p.Name]
			if o.Type == geoType {
				values = map[string]string{"format": "geojson, json, csv, csv-excel"}[p.Name]
			}
			if p.Values != values {
				t.Errorf("%s of %s can be %q; want %q", p.Name, o.Path, p.Values, values)
			}
			example := map[string]string{"id": "gates", "cell": "quay", "measure": "turns"}[p.Name]
			if strings.Contains(o.Path, "/decisions/") {
				example = "2027-1"
			}
			if example != "" && o.Type != geoType && p.Name != "format" {
				if n++; p.Example != example {
					t.Errorf("%s of %s is for example %q; want %q", p.Name, o.Path, p.Example, example)
				}
			}
		}
	}
	if n < 12 {
		t.Errorf("only %d parameters have examples of the city", n)
	}
}
