package opendata

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/books/union"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/test/entered"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// gatewayBooks are those of a gateway that has released so many hours of one zone, which
// are in the store.
func gatewayBooks(t *testing.T, s *sqlite.Store, city, name, zone string, hours int) books.Dir {
	t.Helper()
	dir := books.Dir(t.TempDir())
	var rows []store.Observation
	for h := range hours {
		v, at := 5.0, noon.Add(time.Duration(h)*time.Hour)
		rows = append(rows,
			store.Observation{Gateway: name, Stream: "noise", Start: at, End: at.Add(time.Hour), Every: "PT1H",
				Cell: zone, Zone: zone, Measure: "level", Status: store.Published, Value: &v, Low: &v, High: &v})
	}
	for file, v := range map[string]any{
		"city.json": books.City{ID: city, Gateway: name, Name: city, Timezone: "UTC", Languages: []string{"en"}},
		"streams.json": []books.Stream{{ID: "noise", Every: "PT1H", Timezone: "UTC", Unit: "none",
			Measures: []books.Measure{{Name: "level"}}, Cells: []books.Cell{{ID: zone, Zone: zone}}}},
		"decisions.json": []books.Decision{},
	} {
		if err := dir.PutJSON(file, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Write(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if err := entered.EnterAs(name, dir, rows); err != nil {
		t.Fatal(err)
	}
	return dir
}

func storeOf(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func over(dirs ...books.Dir) *union.Books {
	var list []union.Book
	for _, d := range dirs {
		list = append(list, union.Book{Where: string(d), Source: d})
	}
	return union.New(list)
}

// TestNotOneCity: a server over two cities, or twice one gateway, does not start.
func TestNotOneCity(t *testing.T) {
	s := storeOf(t)
	one := gatewayBooks(t, s, "portalba", "edge-1", "a", 1)
	for want, second := range map[string]books.Dir{"city girona": gatewayBooks(t, s, "girona", "edge-2", "b", 1),
		"gateway edge-1 is named twice": gatewayBooks(t, s, "portalba", "edge-1", "c", 1)} {
		_, err := Open(Config{HTTP: "127.0.0.1:0"}, s, over(one, second), slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it says %v; want %q", err, want)
		}
	}
}

// TestOneGatewaysBooksAreAway: they are shown as they were, the others' go on, a window is
// final where both say so, and readyz says which are missing, and stays 200.
func TestOneGatewaysBooksAreAway(t *testing.T) {
	s := storeOf(t)
	two := gatewayBooks(t, s, "portalba", "edge-2", "b", 2)
	srv, err := Open(Config{HTTP: "127.0.0.1:0"}, s, over(gatewayBooks(t, s, "portalba", "edge-1", "a", 3), two),
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	get := func(path string) string {
		t.Helper()
		resp, err := http.Get("http://" + srv.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d, %v: %s", path, resp.StatusCode, err, body)
		}
		return string(body)
	}
	shows := func(when string) {
		t.Helper()
		var streams struct {
			Streams []struct {
				Cells       []any
				ClosedUntil time.Time `json:"closed_until"`
			}
		}
		if err := json.Unmarshal([]byte(get("/api/v1/streams")), &streams); err != nil {
			t.Fatal(err)
		}
		if st := streams.Streams[0]; len(st.Cells) != 2 || !st.ClosedUntil.Equal(noon.Add(2*time.Hour)) {
			t.Errorf("%s: the stream is %+v", when, st)
		}
		all := get("/api/v1/streams/noise/observations")
		if strings.Count(all, `"gateway":"edge-1"`) != 3 || strings.Count(all, `"gateway":"edge-2"`) != 2 {
			t.Errorf("%s: it shows %s", when, all)
		}
		if page := get("/"); !strings.Contains(page, "Noise") && !strings.Contains(page, "noise") {
			t.Errorf("%s: the page is %s", when, page)
		}
	}
	shows("at first")
	if r := get("/readyz"); !strings.Contains(r, `"books":{"hint":"","ok":true}`) {
		t.Errorf("readyz says %s", r)
	}
	if err := os.RemoveAll(string(two)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // longer than anything is trusted
	shows("when it is away")
	if r := get("/readyz"); !strings.Contains(r, string(two)) || !strings.Contains(r, `"ok":false`) ||
		!strings.Contains(r, `"ready":true`) {
		t.Errorf("readyz says %s", r)
	}
}

// TestNoBooksAtAll: a server of one gateway's books says when there are none.
func TestNoBooksAtAll(t *testing.T) {
	s := &city{books: books.Dir(t.TempDir())}
	if got := s.problems(); len(got) != 1 || !strings.Contains(got[0], "there is no city.json") {
		t.Errorf("it says %q", got)
	}
	if s.books = gatewayBooks(t, storeOf(t), "portalba", "edge-1", "a", 1); s.problems() != nil {
		t.Errorf("of books that are there it says %q", s.problems())
	}
}

// TestTwice: what one look alone has seen is no news, and what lasts is news once.
func TestTwice(t *testing.T) {
	var w confirmed
	for n, x := range []struct {
		see, said string
		news      bool
	}{
		{"", "", false}, {"", "", false}, {"a", "", false}, {"", "", false}, {"a", "", false}, {"a", "a", true},
		{"a", "a", false},
		{"b", "a", false}, {"b", "b", true}, {"", "b", false}, {"b", "b", false}, {"", "b", false}, {"", "", true},
		{"", "", false},
	} {
		if said, news := w.look(x.see); said != x.said || news != x.news {
			t.Errorf("look %d says %q, %v; want %q, %v", n, said, news, x.said, x.news)
		}
	}
}

// TestMostBooks: a server shows so many gateways, and each once.
func TestMostBooks(t *testing.T) {
	for n, want := range map[int]bool{1: true, union.MaxBooks: true, union.MaxBooks + 1: false} {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprint("dir-", i))
		}
		path := filepath.Join(t.TempDir(), "opendata.yaml")
		if err := os.WriteFile(path,
			[]byte("http: 127.0.0.1:0\nbooks: ["+strings.Join(list, ", ")+
				"]\nstore: {sqlite: {path: x.db}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadConfig(path); (err == nil) != want {
			t.Errorf("%d books: %v", n, err)
		}
	}
}
