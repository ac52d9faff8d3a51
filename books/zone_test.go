package books_test

import (
	"encoding/json"
	"testing"

	"sluice/books"
)

// TestNameOfAZone is the register's rule (register.ParseZones): the feature's id where that
// is text, else the property.
func TestNameOfAZone(t *testing.T) {
	for raw, want := range map[string]string{
		`{"id":"rambla"}`: "rambla",
		`{"id":"rambla","properties":{"id":"rambla"}}`: "rambla",
		`{"properties":{"id":"raval","gateway":"b"}}`:  "raval",
		`{"id":7,"properties":{"id":"raval"}}`:         "raval",
		`{"id":null,"properties":{"id":"raval"}}`:      "raval",
		`{"properties":null}`:                          "",
	} {
		var z books.Zone
		if err := json.Unmarshal([]byte(raw), &z); err != nil || z.Name() != want {
			t.Errorf("%s is called %q, %v; want %q", raw, z.Name(), err, want)
		}
	}
}
