package opendata

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sluice/test/raced"
)

// openCity serves two gateways' hours, each of a zone of its own, from one SQLite file.
func openCity(t *testing.T, hours int) string {
	t.Helper()
	s := storeOf(t)
	srv, err := Open(Config{HTTP: "127.0.0.1:0"}, s, over(gatewayBooks(t, s, "portalba", "edge-1", "a", hours),
		gatewayBooks(t, s, "portalba", "edge-2", "b", hours-1)), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + srv.Addr()
}

// items follows next from a path and returns all items.
func items(t *testing.T, base, path string) (all []string) {
	t.Helper()
	for path != "" {
		var page struct {
			Items []json.RawMessage
			Next  string
		}
		resp, body := fetch(t, base+path)
		if err := json.Unmarshal(body, &page); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v, %.300s", path, resp.StatusCode, err, body)
		}
		for _, x := range page.Items {
			all = append(all, string(x))
		}
		path = page.Next
	}
	return all
}

// TestNewestFirst: with order=desc every answer is the other one backward, whole or in
// pages, short or long, of all gateways; and a page's cursor leads back as well.
func TestNewestFirst(t *testing.T) {
	raced.Skip(t)
	for _, hours := range []int{3, 600, 1200} { // the last is longer than one answer
		base := openCity(t, hours)
		path := "/api/v1/streams/noise/observations?from=2026-01-01&to=2027-01-01"
		up := items(t, base, path)
		if len(up) != 2*hours-1 {
			t.Fatalf("there are %d rows of %d hours", len(up), hours)
		}
		down := slices.Clone(up)
		slices.Reverse(down)
		for _, q := range []string{"&order=desc", "&order=desc&limit=173"} {
			if got := items(t, base, path+q); !slices.Equal(got, down) {
				t.Errorf("%d hours, %s: %d rows, not the %d backward", hours, q, len(got), len(down))
			}
		}
		if got := items(t, base, path+"&order=asc&limit=1000"); !slices.Equal(got, up) {
			t.Errorf("%d hours: in pages there are %d rows", hours, len(got))
		}
		_, body := fetch(t, base+path+"&order=desc&format=csv")
		rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
		if err != nil || len(rows) != len(down)+1 || !strings.Contains(down[0], rows[1][0]) ||
			!strings.Contains(down[len(down)-1], rows[len(down)][0]) {
			t.Errorf("%d hours: the table has %d rows (%v)", hours, len(rows), err)
		}
		var page struct{ Next string }
		_, body = fetch(t, base+path+"&limit=4")
		if err := json.Unmarshal(body, &page); err != nil {
			t.Fatal(err)
		}
		back := items(t, base, strings.Replace(page.Next, "limit=4", "limit=9&order=desc", 1))
		if want := []string{up[2], up[1], up[0]}; hours > 3 && !slices.Equal(back, want) {
			t.Errorf("%d hours: back from the fourth row there are %d", hours, len(back))
		}
	}
}

// TestOnlyOneStatus: status leaves out what has another one, and nothing else.
func TestOnlyOneStatus(t *testing.T) {
	base := openCity(t, 5)
	path := "/api/v1/streams/noise/observations?from=2026-01-01"
	for q, want := range map[string]int{"&status=published": 9, "&status=withheld": 0,
		"&status=withheld&status=published&status=published&limit=2": 9, "&status=withdrawn&order=desc": 0} {
		if got := items(t, base, path+q); len(got) != want {
			t.Errorf("%s: %d rows; want %d", q, len(got), want)
		}
	}
	for q, named := range map[string]string{"&status=zero": "status", "&order=up": "order", "&order=": "order",
		"&order=asc&order=asc": "order", "&status=": "status"} {
		resp, body := fetch(t, base+path+q)
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), `"detail":"`+named+":") {
			t.Errorf("%s: %d %s", q, resp.StatusCode, body)
		}
	}
}
