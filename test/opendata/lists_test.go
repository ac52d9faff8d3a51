package opendata

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/test/plaza"
)

// TestPagesOfLists follows next through lists while items come and go.
func TestPagesOfLists(t *testing.T) {
	t.Parallel()
	plaza.InStores(t, func(t *testing.T, q *plaza.Plaza) {
		follow := func(path, name string, meanwhile func()) (all []string) {
			t.Helper()
			for path != "" {
				resp, body := ask(q, "GET", path, nil)
				var page map[string]json.RawMessage
				var items []json.RawMessage
				var next *string
				for name, v := range map[string]any{"": &page, name: &items, "next": &next} {
					raw := body
					if name != "" {
						if err := json.Unmarshal(body, &page); err != nil {
							t.Fatalf("%s: %v", path, err)
						}
						raw = page[name]
					}
					if err := json.Unmarshal(raw, v); err != nil {
						t.Fatalf("%s, %s: %v", path, name, err)
					}
				}
				for _, i := range items {
					all = append(all, string(i))
				}
				if next == nil {
					break
				}
				path = *next
				if want := "<" + path + `>; rel="next"`; resp.Header.Get("Link") != want {
					t.Errorf("Link is %s; want %s", resp.Header.Get("Link"), want)
				}
				if meanwhile != nil {
					meanwhile()
					meanwhile = nil
				}
			}
			return all
		}
		whole := follow("/api/v1/streams/steps/observations?limit=1000", "items", nil)
		parts := follow("/api/v1/streams/steps/observations?limit=5", "items", func() {
			q.Release(plaza.Dusk, plaza.Dusk.Add(3*time.Hour))
		})
		if len(whole) != 72 || !slices.Equal(whole, parts) {
			t.Errorf("%d observations in pages, %d at once\n%s", len(parts), len(whole),
				firstDifference(strings.Join(whole, "\n"), strings.Join(parts, "\n")))
		}
		if got := follow("/api/v1/ledger?limit=2", "entries", nil); len(got) != 5 {
			t.Errorf("%d lines of the ledger; want 5", len(got))
		}
		for _, x := range []struct {
			path, name string
			want       int
		}{{"/api/v1/streams?limit=1", "streams", 2}, {"/api/v1/decisions?limit=1", "decisions", 2},
			{"/api/v1/sensors?limit=1", "sensors", 2}} {
			if got := follow(x.path, x.name, nil); len(got) != x.want || len(slices.Compact(got)) != x.want {
				t.Errorf("%s has %d items; want %d", x.path, len(got), x.want)
			}
		}
		for _, path := range []string{"/api/v1/ledger?cursor=zz", "/api/v1/sensors?cursor=WyJnb25lIl0",
			"/api/v1/streams?limit=0", "/api/v1/decisions?limit=1001", "/api/v1/zones?measure=devices",
			"/api/v1/zones?stream=steps&measure=x", "/api/v1/ledger?format=xml"} {
			if resp, body := ask(q, "GET", path, nil); resp.StatusCode != http.StatusBadRequest ||
				resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s is %d %s", path, resp.StatusCode, body)
			}
		}
	})
}

// TestListsHaveOneShape: whatever is a list of /openapi.json has its items under items,
// and under its own name the same ones, and next.
func TestListsHaveOneShape(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	gates(q)
	var api struct{ Paths map[string]any }
	_, raw := ask(q, "GET", "/openapi.json", nil)
	if err := json.Unmarshal(raw, &api); err != nil || len(api.Paths) < 8 {
		t.Fatal(err)
	}
	own := map[string]string{"streams": "streams", "sensors": "sensors", "zones": "features", "decisions": "decisions",
		"ledger": "entries", "observations": "items", "totals": "items",
		"latest": "items"}
	for path := range api.Paths {
		if path == "/api/v1/live" {
			continue // it never ends
		}
		asked := strings.Replace(path, "{id}",
			map[bool]string{true: "1", false: "gates"}[strings.Contains(path, "decisions")], 1)
		name := own[asked[strings.LastIndex(asked, "/")+1:]]
		if strings.Contains(path, "decisions/") {
			name = "decisions"
		}
		if strings.HasSuffix(path, "totals") {
			asked += "?over=time"
		}
		_, body := ask(q, "GET", asked, nil)
		var all map[string]json.RawMessage
		if err := json.Unmarshal(body, &all); err != nil || name == "" {
			t.Fatalf("%s: %v; a list has a name of its own", path, err)
		}
		if all["items"] == nil || all["items"][0] != '[' || !bytes.Equal(all["items"], all[name]) {
			t.Errorf("%s has %.80s under items and %.80s under %q", path, all["items"], all[name], name)
		}
		if _, has := all["next"]; !has {
			t.Errorf("%s has no next", path)
		}
	}
	if _, body := ask(q, "GET", "/api/v1/zones", nil); !bytes.HasPrefix(body,
		[]byte(`{"type":"FeatureCollection","features":[`)) {
		t.Errorf("a map begins with %.60s", body)
	}
}
