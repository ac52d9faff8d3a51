package books

import (
	"strings"
	"testing"
	"time"

	"sluice/store"
	"sluice/store/influx"
	"sluice/test/harness"
)

// TestNoDatabase: InfluxDB 1.8 answers a question about a database that is not there with
// 500, and a write with 404; both are told as what they are.
func TestNoDatabase(t *testing.T) {
	t.Parallel()
	db, _ := harness.SharedInflux(t)
	s, err := influx.Open(influx.Config{URL: db, Org: "city", Bucket: "elsewhere/autogen"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, asked := s.Observations(t.Context(),
		store.Query{Stream: "s", From: harness.Ten, To: harness.Ten.Add(time.Hour), Limit: 1})
	wrote := s.Write(t.Context(),
		[]store.Observation{{Stream: "s", Start: harness.Ten, End: harness.Ten.Add(time.Hour),
			Status: store.Published}})
	for what, err := range map[string]error{"a question": asked, "a write": wrote} {
		if err == nil || !strings.Contains(err.Error(), "make the database") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
