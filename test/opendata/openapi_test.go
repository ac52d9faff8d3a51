package opendata

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/books"
	"sluice/store"
	"sluice/test/plaza"
)

// TestOpenAPIHolds holds every real answer, and every example, against the schemas
// that /openapi.json promises, and every parameter against those that are taken.
func TestOpenAPIHolds(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	_, raw := ask(q, "GET", "/openapi.json", nil)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	var api struct {
		OpenAPI string
		Paths   map[string]struct {
			Get struct {
				Parameters []struct{ Name, In string }
				Responses  map[string]struct {
					Content map[string]struct {
						Schema  json.RawMessage
						Example json.RawMessage
					}
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &api); err != nil || !strings.HasPrefix(api.OpenAPI, "3.1") {
		t.Fatal(api.OpenAPI, err)
	}
	real := map[string][]string{
		"/api/v1/streams": {""}, "/api/v1/streams/{id}/observations": {"?limit=100", "?cursor=x"},
		"/api/v1/streams/{id}/latest": {"", "?status=published&status=withheld"}, "/api/v1/latest": {"", "?cell=x"},
		"/api/v1/streams/{id}/totals": {"?over=time", "?over=zones"},
		"/api/v1/sensors":             {"", "?limit=1"}, "/api/v1/zones": {"", "?stream=steps"},
		"/api/v1/decisions":      {""},
		"/api/v1/decisions/{id}": {""}, "/api/v1/ledger": {"?limit=1"}, "/api/v1/live": {"?after=x9"},
	}
	if len(api.Paths) != len(real) {
		t.Errorf("%d paths are described, %d are asked here", len(api.Paths), len(real))
	}
	valid := func(what, path, status, mime string, body []byte) {
		t.Helper()
		pointer := "openapi.json#/paths/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(path)) +
			"/get/responses/" + status + "/content/" + strings.NewReplacer("/", "~1", "+", "%2B").Replace(mime) +
			"/schema"
		if status != "200" {
			pointer = "openapi.json#/components/responses/" + status + pointer[strings.Index(pointer, "/content/"):]
		}
		schema, err := c.Compile(pointer)
		if err != nil {
			t.Fatalf("%s: %v", pointer, err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Errorf("%s of %s: %v", what, path, err)
		}
	}
	for path, queries := range real {
		op := api.Paths[path].Get
		for mime, x := range op.Responses["200"].Content {
			if mime != "text/csv" && mime != "text/event-stream" {
				valid("the example", path, "200", mime, x.Example)
			}
		}
		id := map[bool]string{true: "1", false: "steps"}[strings.Contains(path, "decisions")]
		for _, query := range queries {
			if strings.HasSuffix(path, "/totals") {
				id = "gates"
				gates(q)
			}
			resp, body := ask(q, "GET", strings.Replace(path, "{id}", id, 1)+query, nil)
			mime := strings.TrimSuffix(resp.Header.Get("Content-Type"), "; charset=utf-8")
			valid("the answer", path, fmt.Sprint(resp.StatusCode), mime, body)
		}
		for _, p := range op.Parameters {
			if p.In != "query" {
				continue
			}
			_, body := ask(q, "GET", strings.Replace(path, "{id}", id, 1)+"?"+p.Name+"=x9", nil)
			if bytes.Contains(body, []byte("unknown parameter")) {
				t.Errorf("%s does not know its parameter %s", path, p.Name)
			}
		}
	}
}

// gates is a stream whose numbers can be added up.
func gates(q *plaza.Plaza) {
	q.T.Helper()
	streams, err := books.Reader{Source: q.Books}.Streams()
	if err != nil {
		q.T.Fatal(err)
	}
	if len(streams) > 2 {
		return
	}
	streams = append(streams,
		books.Stream{ID: "gates", Every: "PT1H", Timezone: "UTC", Unit: "none",
			Measures: []books.Measure{{Name: "turns", Of: "count()"}}, Cells: []books.Cell{{ID: "a", Zone: "a"}},
			Decision: "1"})
	if err := q.Books.PutJSON("streams.json", streams); err != nil {
		q.T.Fatal(err)
	}
	v := 7.0
	q.Publish(
		[]store.Observation{{Stream: "gates", Start: plaza.Dusk, End: plaza.Dusk.Add(time.Hour), Every: "PT1H",
			Cell: "a",
			Zone: "a", Measure: "turns", Status: store.Published, Value: &v, Low: &v, High: &v}})
	time.Sleep(300 * time.Millisecond) // what the server knows is a quarter of a second old at most
}
