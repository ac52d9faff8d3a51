package api

import (
	"cmp"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"sluice/opendata/httpcache"
	"sluice/opendata/query"
)

// description documents one endpoint beyond its path and parameters.
type description struct {
	summary, description string
	kind                 string // media type of the answer that is not CSV
	answer               reflect.Type
	example              string
}

type streamPage struct {
	Streams []stream `json:"streams"`
	Items   []stream `json:"items" doc:"The same list, under the name that it has in every answer"`
	Next    *string  `json:"next" doc:"Path of the next page, or null"`
}

type observationPage struct {
	Stream string  `json:"stream"`
	Items  []item  `json:"items"`
	Next   *string `json:"next" doc:"Path of the next page, or null"`
	Epochs []epoch `json:"epochs" doc:"The epochs that the items are of and that have ended; their numbers were released with their last windows, and belong to those windows' digests"`
}

type latestPage struct {
	Items []latestItem `json:"items"`
	Next  *string      `json:"next" doc:"Null: there is no other page"`
}

// latestItem is an observation and its stream.
type latestItem struct {
	Stream string `json:"stream"`
	Item
}

// Item is exported since huma describes no other embedded type.
type Item = item

type decisionPage struct {
	Decisions []decision `json:"decisions"`
	Items     []decision `json:"items" doc:"The same list, under the name that it has in every answer"`
	Next      *string    `json:"next" doc:"Path of the next page, or null"`
}

type entryPage struct {
	Entries []entry  `json:"entries"`
	Items   []entry  `json:"items" doc:"The same list, under the name that it has in every answer"`
	Missing []string `json:"missing,omitempty" doc:"Gateways whose ledger cannot be read just now; their lines are not here"`
	Next    *string  `json:"next" doc:"Path of the next page, or null"`
}

type problem struct {
	Type     string `json:"type" example:"/problems/parameter"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail" doc:"Names the parameter, never its value"`
	Instance string `json:"instance"`
}

const jsonType, geoType = "application/json", "application/geo+json"

// descriptions are those of all endpoints, by path.
var descriptions = map[string]description{
	"/api/v1/streams": {
		"List streams",
		"Every published series: what it measures, where, under which decision, and how far it is final.", jsonType,
		reflect.TypeFor[streamPage](),
		both("streams",
			`[{"id":"footfall","title":{"en":"Footfall in the old town"},"every":"PT1H","timezone":"Europe/Madrid",`+
				`"unit":"device","measures":[{"name":"devices","unit":"device","of":"distinct(unit)","public_from":74,`+
				`"typical_error":17}],"cells":[{"id":"rambla","zone":"rambla","category":""}],"decision":"2026-14",`+
				`"from":"2026-06-01","until":"2027-05-31","licence":"CC-BY-4.0","closed_until":"2026-06-15T10:00:00Z",`+
				`"simulation":true,"max_contributions":4,"bounded_share_from":1075,`+
				`"bounded_share":{"start":"2026-06-13T22:00:00Z","end":"2026-06-14T22:00:00Z","value":0.19,"low":0.18,`+
				`"high":0.2}}]`, `,"next":null}`),
	},
	"/api/v1/streams/{id}/observations": {
		"Read observations", "Released observations in order of start, cell and measure: by default those of the " +
			"last 24 hours of the gateway's time. Without limit and cursor the answer is everything that was asked " +
			"for, however long; with either it is a page. A whole answer of more than 2,000 rows is sent while it " +
			"is made: it has no ETag and no length, and if it cannot be ended, its connection is. What was not " +
			"published has null for value, low and high. The same query always has the same answer.", jsonType,
		reflect.TypeFor[observationPage](),
		`{"stream":"footfall","items":[` + oneItem + `],"next":null,"epochs":[]}`,
	},
	"/api/v1/streams/{id}/latest": {
		"Read the newest numbers", "What the last released window says of each cell and measure, under an address " +
			"that stays, in the form of observations. status leaves out what has another one; an older window " +
			"never takes its place.", jsonType, reflect.TypeFor[observationPage](),
		`{"stream":"footfall","items":[` + oneItem + `],"next":null,"epochs":[]}`,
	},
	"/api/v1/latest": {
		"Read the newest numbers of all streams", "What the last released window of each stream says of each cell " +
			"and measure. A cell or measure that is named is of at least one stream; streams that have none such " +
			"are left out.", jsonType, reflect.TypeFor[latestPage](),
		`{"items":[{"stream":"footfall",` + oneItem[1:] + `],"next":null}`,
	},
	"/api/v1/streams/{id}/totals": {
		"Add up", "Sums of released counts, sums and histogram classes, over zones or over time. What was withheld " +
			"is missing from them, and said.", jsonType, reflect.TypeFor[totalPage](),
		`{"stream":"gates","over":"time","items":[{"start":"2026-06-15T08:00:00Z","end":"2026-06-15T10:00:00Z",` +
			`"cell":"square","category":"","measure":"passed","parts":2,"published":1,"withheld":1,"no_data":0,` +
			`"withdrawn":0,"value":22,"low":22,"high":22,"unit":"person"}],"simulation":false,"next":null}`,
	},
	"/api/v1/sensors": {
		"List sensors", "Every sensor in the street, whose it is, and what becomes of each thing that it sends.",
		jsonType, reflect.TypeFor[sensorPage](),
		both("sensors",
			`[{"id":"rambla-1","owner":"acme","kind":"wifi-counter","topic":"city/v1/acme/rambla-1/up",`+
				`"zone":"rambla","registered":"2026-05-01","purpose":{"en":"How many devices pass the Rambla"},`+
				`"alive":true,"fields":[{"name":"device","class":"identifier","fate":"counted","decision":"2026-14"}]}]`,
			`,"homes":[],"unknown":[],"next":null}`),
	},
	"/api/v1/zones": {
		"Map zones", "The zones as voted, as GeoJSON, each with the newest values of all streams; with stream, " +
			"measure and category, with that one value as plain properties.", geoType, reflect.TypeFor[collection](),
		both("features",
			`[{"type":"Feature","id":"rambla","properties":{"name":"La Rambla","latest":[]},`+
				`"geometry":{"type":"Polygon","coordinates":[[[2.1,41.3],[2.106,41.3],[2.106,41.305],[2.1,41.3]]]}}]`,
			`,"next":null,"type":"FeatureCollection"}`),
	},
	"/api/v1/decisions": {
		"List decisions", "What the council decided: its words, its explanation in plain language, and who signed it.",
		jsonType, reflect.TypeFor[decisionPage](),
		both("decisions",
			`[{"id":"2026-14","title":{"en":"Footfall"},"state":"in_force","from":"2026-06-01",`+
				`"until":"2027-05-31","policy":"sha256:00","motion":"","votes":[],"yaml":"decision: \"2026-14\"\n",`+
				`"explain":{"en":"Who is measured"}}]`, `,"next":null}`),
	},
	"/api/v1/decisions/{id}": {
		"Read one decision", "One decision, in a list of one.", jsonType, reflect.TypeFor[decisionPage](),
		both("decisions",
			`[{"id":"2026-14","title":{"en":"Footfall"},"state":"in_force","from":"2026-06-01",`+
				`"until":"2027-05-31","policy":"sha256:00","motion":"","votes":[],"yaml":"decision: \"2026-14\"\n",`+
				`"explain":{"en":"Who is measured"}}]`, `,"next":null}`),
	},
	"/api/v1/ledger": {
		"Read the ledger", "Reservations of privacy budget, oldest first. Each line names the SHA-256 of the one " +
			"before; /books/ledger.jsonl is the file itself.", jsonType, reflect.TypeFor[entryPage](),
		both("entries",
			`[{"n":1,"day":"2026-06-15","gateway":"edge-1","decision":"2026-14","plan":"sha256:00","unit":"device",`+
				`"kind":"reserve","epsilon":0.5,"delta":1e-06,"cap":1,"left":0.5,"prev_sha256":""}]`, `,"next":null}`),
	},
}

const oneItem = `{"start":"2026-06-15T09:00:00Z","end":"2026-06-15T10:00:00Z","cell":"rambla","zone":"rambla",` +
	`"category":"","measure":"devices","status":"published","reason":"","value":702,"low":685,"high":719,` +
	`"unit":"device","decision":"2026-14","policy":"sha256:00","mechanism":"gaussian","epsilon":0.96,"scale":8.63,` +
	`"threshold":54,"simulation":true}`

// both makes the example of a list, which has its items under two names.
func both(name, items, rest string) string {
	return `{"` + name + `":` + items + `,"items":` + items + rest
}

// parameters are those of all endpoints, by name.
var parameters = map[string]*huma.Param{
	"id": {Name: "id", In: "path", Required: true, Description: "Id, as the list has it", Example: "footfall",
		Schema: word()},
	"from": {Name: "from", In: "query", Description: "First start of a window: an instant, or a local day",
		Example: "2026-06-15", Schema: word()},
	"to": {Name: "to", In: "query", Description: "Windows start before this: an instant, or a local day",
		Example: "2026-06-16T00:00:00Z", Schema: word()},
	"cell": {Name: "cell", In: "query", Description: "Only these cells; may be repeated",
		Schema: &huma.Schema{Type: "array", Items: word()}},
	"measure": {Name: "measure", In: "query",
		Description: "Only these measures, or histograms; may be repeated where the answer is a list",
		Schema:      &huma.Schema{Type: "array", Items: word()}},
	"status": {Name: "status", In: "query", Description: "Only what has this status; may be repeated",
		Example: []string{"published"},
		Schema:  &huma.Schema{Type: "array", Items: &huma.Schema{Type: "string", Enum: named(query.AllStatuses)}}},
	"order": {Name: "order", In: "query", Description: "By time: the oldest first, or the newest first",
		Schema: &huma.Schema{Type: "string", Enum: named(query.Orders), Default: "asc"}},
	"stream": {Name: "stream", In: "query", Description: "Only this stream, as plain properties", Example: "footfall",
		Schema: word()},
	"category": {Name: "category", In: "query", Description: "Only this category of the stream", Schema: word()},
	"over": {Name: "over", In: "query", Required: true, Description: "What is added up",
		Schema: &huma.Schema{Type: "string", Enum: []any{"zones", "time"}}},
	"day": {Name: "day", In: "query", Description: "Only this local day", Example: "2026-06-15", Schema: word()},
	"limit": {Name: "limit", In: "query",
		Description: "Items on a page; observations without it and without cursor are all that was asked for",
		Schema:      &huma.Schema{Type: "integer", Minimum: floating(1), Maximum: floating(query.MaxLimit)}},
	"cursor": {Name: "cursor", In: "query",
		Description: "Where the page before ended; follow next, or Link with rel=next, as it is", Schema: word()},
	"format": {Name: "format", In: "query", Description: "Form of the answer; Accept: text/csv works as well",
		Schema: &huma.Schema{Type: "string", Enum: named(formats)}},
}

// named are the values of a closed list.
func named[T ~string](list []T) (out []any) {
	for _, x := range list {
		out = append(out, string(x))
	}
	return out
}

func word() *huma.Schema          { return &huma.Schema{Type: "string"} }
func floating(v float64) *float64 { return &v }

// Operation is one endpoint as the pages describe it.
type Operation struct {
	Path, Summary, Description, Type, Example string
	Parameters                                []Parameter
}

// Parameter is a parameter of an operation. Values describes its values if they are a
// closed list or a range; empty otherwise.
type Parameter struct{ Name, Description, Example, Values string }

// Guide describes the API for people; /openapi.json does for machines.
func Guide() []Operation {
	var out []Operation
	for _, e := range (*API)(nil).endpoints() {
		s := descriptions[e.path]
		o := Operation{Path: e.path, Summary: s.summary, Description: s.description, Type: s.kind, Example: s.example}
		for _, p := range e.all() {
			example, _ := p.Example.(string)
			o.Parameters = append(o.Parameters, Parameter{p.Name, p.Description, example, values(p.Schema)})
		}
		out = append(out, o)
	}
	return out
}

// all returns the parameters in the path and in the query.
func (e endpoint) all() (out []*huma.Param) {
	if strings.Contains(e.path, "{id}") {
		p := *parameters["id"]
		if strings.Contains(e.path, "/decisions/") {
			p.Example = "2026-14"
		}
		out = append(out, &p)
	}
	for _, name := range e.parameters {
		p := *parameters[name]
		if name == "format" && descriptions[e.path].kind == geoType {
			p.Schema = &huma.Schema{Type: "string", Enum: append([]any{"geojson"}, named(formats)...)}
		}
		out = append(out, &p)
	}
	return out
}

// values describes the values of a parameter: "json, csv" or "1 to 1000".
func values(s *huma.Schema) string {
	if s.Minimum != nil && s.Maximum != nil {
		return number(s.Minimum) + " to " + number(s.Maximum)
	}
	if s.Items != nil {
		s = s.Items
	}
	list := make([]string, len(s.Enum))
	for i, v := range s.Enum {
		list[i], _ = v.(string)
	}
	return strings.Join(list, ", ")
}

// document is the API in OpenAPI 3.1; its schemas come from the types that are sent.
func (a *API) document(base string) *huma.OpenAPI {
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Open data of the city's sensors", Version: "1",
			Description: "Aggregates that were released under decisions of the city council, with the public books " +
				"beside them. For reading only; no key is needed. " +
				"Unknown parameters are refused. Errors are problem documents (RFC 9457).",
			License: &huma.License{Name: "EUPL-1.2", URL: "https://eupl.eu/1.2/en/"},
		},
		Servers:    []*huma.Server{{URL: cmp.Or(base, "/"), Description: "This server"}},
		Tags:       []*huma.Tag{{Name: "open data", Description: "What was released, and what it rests on"}},
		Components: &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)},
		Paths:      map[string]*huma.PathItem{},
	}
	schemas := doc.Components.Schemas
	fault := &huma.Response{Description: "A problem document", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: schemas.Schema(reflect.TypeFor[problem](), true, "")},
	}}
	for _, e := range a.endpoints() {
		s := descriptions[e.path]
		doc.Paths[e.path] = &huma.PathItem{Get: &huma.Operation{
			OperationID: operationID(e.path), Summary: s.summary, Description: s.description,
			Tags: []string{"open data"}, Parameters: e.all(),
			Responses: map[string]*huma.Response{
				"200": {Description: "The answer", Headers: headers, Content: map[string]*huma.MediaType{
					s.kind:     {Schema: schemas.Schema(s.answer, true, ""), Example: json.RawMessage(s.example)},
					"text/csv": {Schema: word()},
				}},
				"304": {Description: "Nothing has changed since the ETag in If-None-Match"},
				"400": fault, "404": fault, "429": fault, "503": fault,
			},
		}}
	}
	return doc
}

var headers = map[string]*huma.Param{
	"ETag": {Description: "Names these bytes; send it back in If-None-Match", Schema: word()},
	"Link": {Description: "The next page, with rel=next", Schema: word()},
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

func (a *API) openAPI() (*httpcache.Reply, error) {
	raw, err := json.Marshal(a.document(a.base))
	return &httpcache.Reply{Type: "application/vnd.oai.openapi+json;version=3.1", Body: raw}, err
}
