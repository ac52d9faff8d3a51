package api

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"sluice/books"
	"sluice/opendata/httpcache"
)

// tags are the groups of endpoints.
var tags = []*huma.Tag{
	{Name: "council", Description: "What it rests on: decisions, and the privacy budget that they spend"},
	{Name: "numbers", Description: "What was released, and what is made of it"},
	{Name: "places", Description: "Where it is from: zones and sensors"},
}

// document is the API in OpenAPI 3.1; its schemas come from the types that are sent.
func (a *API) document(base string, city books.City, of *samples) *huma.OpenAPI {
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Open data of the city's sensors", Version: "1",
			Description: "Aggregates that were released under decisions of the city council, with the public books " +
				"beside them. For reading only, by GET and HEAD; no key is needed. " +
				"Unknown parameters are refused, and a query is at most 8 KiB long. " +
				"The same query has the same bytes. Errors are problem documents (RFC 9457).",
			License: &huma.License{Name: "EUPL-1.2", URL: "https://eupl.eu/1.2/en/"}, Contact: contact(city),
		},
		Servers:    []*huma.Server{{URL: cmp.Or(base, "/"), Description: "This server"}},
		Tags:       tags,
		Components: &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)},
		Paths:      map[string]*huma.PathItem{},
	}
	if base != "" {
		doc.ExternalDocs = &huma.ExternalDocs{Description: "The same for people", URL: base + "/docs"}
	}
	schemas := doc.Components.Schemas
	doc.Components.Responses = faults(schemas.Schema(reflect.TypeFor[problem](), true, ""))
	for _, e := range a.endpoints() {
		s := descriptions[e.path]
		responses := map[string]*huma.Response{
			"200": {Description: "The answer", Headers: e.headers(), Content: s.content(schemas)},
		}
		for status := range doc.Components.Responses {
			if status == "304" && e.make == nil {
				continue
			}
			responses[status] = &huma.Response{Ref: "#/components/responses/" + status}
		}
		doc.Paths[e.path] = &huma.PathItem{Get: &huma.Operation{
			OperationID: operationID(e.path), Summary: s.summary, Description: s.description, Tags: []string{s.tag},
			Parameters: e.all(of), Responses: responses,
		}}
	}
	return doc
}

// content is an answer in each of its forms.
func (s *description) content(schemas huma.Registry) map[string]*huma.MediaType {
	if s.kind == eventType {
		return map[string]*huma.MediaType{s.kind: {Schema: &huma.Schema{Type: "string",
			Description: "Server-sent events (WHATWG HTML)"}, Example: s.example}}
	}
	return map[string]*huma.MediaType{
		s.kind: {Schema: schemas.Schema(s.answer, true, ""), Example: json.RawMessage(s.example)},
		"text/csv": {Schema: &huma.Schema{Type: "string",
			Description: "Columns: " + strings.Join(s.columns, ", ")},
			Example: strings.Join(s.columns, ",") + "\n"},
	}
}

// contact is whoever the city says is responsible; nil where it does not.
func contact(city books.City) *huma.Contact {
	r := city.Responsible
	if r.Name == "" {
		return nil
	}
	return &huma.Contact{Name: r.Name, Email: r.Email, URL: r.Web}
}

// headers are those of an answer. Long answers have no ETag.
func (e endpoint) headers() map[string]*huma.Param {
	out := maps.Clone(headers)
	if e.make == nil {
		return map[string]*huma.Param{"RateLimit": headers["RateLimit"]}
	}
	if slices.Contains(e.parameters, "cursor") {
		out["Link"] = &huma.Param{Description: "The next page, with rel=next; absent on the last one",
			Schema: &huma.Schema{Type: "string"}}
	}
	return out
}

var headers = map[string]*huma.Param{
	"ETag": {Description: "Names these bytes; send it back in If-None-Match. Absent where an answer is sent while " +
		"it is made", Schema: &huma.Schema{Type: "string"}},
	"Cache-Control": {Description: "How long the answer may be used again", Schema: &huma.Schema{Type: "string"},
		Example: "public, max-age=5"},
	"Vary": {Description: "The headers of a request on which the answer depends", Schema: &huma.Schema{Type: "string"},
		Example: "Accept, Accept-Encoding, Accept-Language"},
	"Content-Disposition": {Description: "The file's name, of CSV", Schema: &huma.Schema{Type: "string"}},
	"RateLimit": {Description: "What is left for this client (draft-ietf-httpapi-ratelimit-headers-10), where the " +
		"server limits it", Schema: &huma.Schema{Type: "string"}, Example: `"client";r=39;t=1`},
}

// faults are the answers that are no answer, by status, with an example each.
func faults(schema *huma.Schema) map[string]*huma.Response {
	out := map[string]*huma.Response{"304": {
		Description: "Nothing has changed since the ETag in If-None-Match",
		Headers:     map[string]*huma.Param{"ETag": headers["ETag"]},
	}}
	retry := &huma.Param{Description: "Seconds to wait", Schema: &huma.Schema{Type: "integer", Minimum: floating(1)}}
	for status, x := range map[int]struct{ code, title, detail, description string }{
		http.StatusBadRequest: {"parameter", "A parameter cannot be used", "limit: is a whole number from 1 to 1000",
			"A parameter is unknown, there too often, or has a value that cannot be used"},
		http.StatusNotFound: {"unknown", "There is no such thing here",
			"see /api/v1/streams for what there is, and /openapi.json for all paths", "There is no such thing"},
		http.StatusTooManyRequests: {"rate", "Too many requests",
			"wait as long as Retry-After says; a whole series is one file: ask for it without limit, see /data",
			"This client asked too often"},
		http.StatusServiceUnavailable: {"unavailable", "The store cannot be read just now", "try again in a minute",
			"The store or the books cannot be read, or too many long files are on their way"},
	} {
		r := &huma.Response{Description: x.description, Headers: map[string]*huma.Param{}}
		r.Content = map[string]*huma.MediaType{"application/problem+json": {Schema: schema, Example: problem{
			"/problems/" + x.code, x.title, status, x.detail, "/api/v1/streams"}}}
		if status >= http.StatusTooManyRequests {
			r.Headers["Retry-After"] = retry
		}
		out[strconv.Itoa(status)] = r
	}
	return out
}

// operationID makes "streamsObservations" of /api/v1/streams/{id}/observations.
func operationID(path string) string {
	id := ""
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/api/v1/"), "/") {
		part = strings.Trim(part, "{}")
		if id != "" {
			part = strings.ToUpper(part[:1]) + part[1:]
		}
		id += part
	}
	return id
}

func (a *API) openAPI(r *http.Request) (*httpcache.Reply, error) {
	city, err := a.source.Books.City()
	if err != nil {
		city = books.City{} // the description is there before the city is
	}
	raw, err := json.Marshal(a.document(a.base, city, samplesOf(r.Context(), a.source)))
	return &httpcache.Reply{Type: "application/vnd.oai.openapi+json;version=3.1", Body: raw}, err
}
