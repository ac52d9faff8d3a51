package publicbooks

import (
	"strings"
	"testing"

	"sluice/books"
)

// TestNamesAreWritten: the books have the council's words, whom to reach and what numbers
// are compared with.
func TestNamesAreWritten(t *testing.T) {
	w, _, _, _ := written(t)
	r := books.Reader{Source: w.files.public}
	city, err := r.City()
	if err != nil || city.Names.Kinds["noise-meter"]["ca"] != "sonòmetre" ||
		city.Names.Fields["wifi-counter/rssi"]["en"] != "signal strength" ||
		city.Names.Purposes["environment"]["es"] != "medio ambiente" || city.Names.Units["ug/m3"]["ca"] != "µg/m³" ||
		!strings.HasPrefix(city.Responsible.Name, "Ajuntament") || city.DPO.Email == "" || city.Authority.Web == "" {
		t.Errorf("the city is %+v, %v", city, err)
	}
	streams, err := r.Streams()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range streams {
		if s.Purpose == "" {
			t.Errorf("%s has no purpose", s.ID)
		}
		for _, m := range s.Measures {
			if len(m.Names) != 3 {
				t.Errorf("%s of %s is named %v", m.Name, s.ID, m.Names)
			}
			if s.ID == "air" && (len(m.Limits) != 2 || m.Limits[0].Over != "P1D" || m.Limits[0].Value != 50 ||
				m.Limits[1].Source == "" || m.Limits[1].Title["en"] == "") {
				t.Errorf("%s is compared with %+v", m.Name, m.Limits)
			}
			if s.ID == "noise" && (len(m.Limits) != 1 || m.Limits[0].Over != "") {
				t.Errorf("noise is compared with %+v", m.Limits)
			}
		}
	}
}
