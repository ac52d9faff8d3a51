package sensorthings

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/query"
	"sluice/opendata/released"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/test/entered"
)

// newest is the end of the last window.
var newest = time.Date(2026, 3, 29, 20, 0, 0, 0, time.UTC)

func putBooks(t testing.TB, dir books.Dir, gateway string, zones ...string) {
	t.Helper()
	var cells []books.Cell
	var level []books.Cell
	for _, z := range zones {
		level = append(level, books.Cell{ID: z, Zone: z})
		for _, c := range []string{"bike", "foot"} {
			cells = append(cells, books.Cell{ID: z + "/" + c, Zone: z, Category: c})
		}
	}
	for name, v := range map[string]any{
		"city.json": books.City{ID: "portalba", Gateway: gateway, Name: "Portalba", Timezone: "Europe/Madrid",
			Languages: []string{"en", "ca"}, Names: books.Vocabulary{
				Categories: map[string]map[string]string{"way/foot": {"en": "on foot"}},
				Kinds:      map[string]map[string]string{"meter": {"en": "noise meter"}}}},
		"streams.json": []books.Stream{
			{ID: "steps", Title: map[string]string{"en": "People in the street", "ca": "Gent al carrer"}, Every: "PT1H",
				Timezone: "Europe/Madrid", Unit: "device", Decision: "2026-1", From: "2026-01-01", Until: "2026-12-31",
				Licence: "CC0-1.0", Cells: cells, CategoryField: "way",
				Measures: []books.Measure{{Name: "devices", Unit: "device", Of: "distinct(unit)", PublicFrom: 47,
					TypicalError: 6, Names: map[string]string{"en": "devices"}}}},
			{ID: "noise", Title: map[string]string{"en": "Noise"}, Every: "PT30M", Timezone: "Europe/Madrid",
				Unit: "none", Decision: "2026-2", From: "2026-01-01", Until: "2026-12-31", Licence: "CC0-1.0",
				Cells:    level,
				Measures: []books.Measure{{Name: "level", Unit: "dB(A)", Of: "leq(laeq)"}}},
		},
		"decisions.json": []books.Decision{
			{ID: "2026-1", Title: map[string]string{"en": "Counting people"}, State: "in_force", From: "2026-01-01",
				Until: "2026-12-31"},
			{ID: "2026-2", Title: map[string]string{"en": "Noise in streets"}, State: "in_force", From: "2026-01-01",
				Until: "2026-12-31"}},
		"register.json": books.Register{Sensors: []books.Sensor{{ID: "m", Kind: "meter", Zone: zones[0],
			Fields: []books.Field{{Name: "laeq", Decision: "2026-2"}}}}},
	} {
		if err := dir.PutJSON(name, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := dir.Put("zones.geojson", []byte(`{"type":"FeatureCollection","features":[
{"type":"Feature","id":"a","properties":{"name":"Àrea <A>"},"geometry":{"type":"Polygon","coordinates":[[[2.1,41.3],[2.2,41.3],[2.2,41.4],[2.1,41.4],[2.1,41.3]]]}},
{"type":"Feature","id":2,"properties":{"id":"b","name":"B"},"geometry":{"type":"MultiPolygon","coordinates":[[[[2.3,41.3],[2.4,41.3],[2.4,41.4],[2.3,41.3]]]]}},
{"type":"Feature","id":"far"},{"type":"Feature"}]}`)); err != nil {
		t.Fatal(err)
	}
}

// rowsOf are what a gateway has released of zones in the last hours: at night it is withheld,
// one hour has no data, and one was withdrawn.
func rowsOf(gateway string, hours int, zones ...string) (list []store.Observation) {
	for at := newest.Add(time.Duration(-hours) * time.Hour); at.Before(newest); at = at.Add(time.Hour) {
		for i, z := range zones {
			for j, c := range []string{"bike", "foot"} {
				o := store.Observation{Gateway: gateway, Stream: "steps", Start: at, End: at.Add(time.Hour),
					Every: "PT1H", Cell: z + "/" + c, Zone: z, Category: c, Measure: "devices",
					Status: store.Published, Unit: "device",
					Decision: "2026-1", Policy: "p", Mechanism: "laplace", Epsilon: 0.5, Scale: 2, Threshold: 40}
				v := float64(100*i + 10*j + at.Hour())
				low, high := v-6, v+6
				switch {
				case at.Hour() < 5+i:
					o.Status, o.Reason = store.Withheld, "few"
				case at.Hour() == 6 && j == 0:
					o.Status = store.NoData
				case at.Hour() == 19 && j == 0:
					o.Status, o.Reason = store.Withdrawn, "broken"
				default:
					o.Value, o.Low, o.High = &v, &low, &high
				}
				list = append(list, o)
			}
		}
	}
	for at := newest.Add(time.Duration(-hours) * time.Hour); at.Before(newest); at = at.Add(30 * time.Minute) {
		for i, z := range zones {
			v := 50 + float64(at.Hour()%7+i)
			list = append(list, store.Observation{Gateway: gateway, Stream: "noise", Start: at,
				End: at.Add(30 * time.Minute), Every: "PT30M", Cell: z, Zone: z, Measure: "level",
				Status: store.Published, Value: &v, Low: &v, High: &v, Unit: "dB(A)", Decision: "2026-2", Policy: "p"})
		}
	}
	return list
}

func openStore(t testing.TB) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// service serves rows of one gateway with books of their own.
func service(t testing.TB, rows []store.Observation) (http.Handler, *sqlite.Store) {
	t.Helper()
	s, dir := openStore(t), books.Dir(t.TempDir())
	putBooks(t, dir, "edge-1", "a", "b")
	if err := s.Write(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if err := entered.Enter(dir, rows); err != nil {
		t.Fatal(err)
	}
	return over(released.New(s, dir, slog.New(slog.DiscardHandler)), dir), s
}

func over(s query.Store, source books.Source) http.Handler {
	mux := http.NewServeMux()
	New(&query.Source{Store: s, Books: books.Reader{Source: source, Kept: new(books.Kept)}}, httpcache.New(), base,
		slog.New(slog.NewTextHandler(os.Stderr, nil))).Routes(mux)
	return mux
}
