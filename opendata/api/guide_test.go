package api

import (
	"strings"
	"testing"
)

// TestGuideSaysWhatIsTaken: the page for developers says the values of closed lists and
// ranges, and its example of an id is one of what the path is about.
func TestGuideSaysWhatIsTaken(t *testing.T) {
	n := 0
	for _, o := range Guide() {
		for _, p := range o.Parameters {
			want := map[string]string{"limit": "1 to 1000", "over": "zones, time", "format": "json, csv, csv-excel",
				"order": "asc, desc", "status": "published, withheld, no_data, withdrawn"}[p.Name]
			if p.Name == "format" && o.Type == geoType {
				want = "geojson, json, csv, csv-excel"
			}
			if want != "" {
				n++
			}
			if p.Values != want {
				t.Errorf("%s of %s can be %q; want %q", p.Name, o.Path, p.Values, want)
			}
			if p.Name == "id" && !strings.Contains(o.Example, `"`+p.Example+`"`) &&
				!strings.HasSuffix(o.Path, "/totals") {
				t.Errorf("%s has the id %s, which its own example does not", o.Path, p.Example)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d parameters with closed values were found", n)
	}
}
