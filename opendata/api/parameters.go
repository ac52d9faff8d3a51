package api

import (
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"sluice/opendata/query"
)

// Bounds of texts in a query, as its length of 8 KiB and the longest ids have it.
const (
	maxID     = 300
	maxCursor = 2048
)

// parameters are those of all endpoints, by name.
var parameters = map[string]*huma.Param{
	"id": {Name: "id", In: "path", Required: true, Description: "Id, as the list has it", Schema: word(maxID)},
	"from": {Name: "from", In: "query", Description: "First start of a window: an instant (RFC 3339, + as %2B), or " +
		"a local day. Without from and to: the last 24 hours of the gateway's time", Schema: moment()},
	"to": {Name: "to", In: "query", Description: "Windows start before this: an instant, or a local day",
		Schema: moment()},
	"cell": {Name: "cell", In: "query", Description: "Only these cells; may be repeated", Schema: words()},
	"measure": {Name: "measure", In: "query", Description: "Only these measures, or histograms; may be repeated",
		Schema: words()},
	"status": {Name: "status", In: "query", Description: "Only what has this status; may be repeated",
		Schema: &huma.Schema{Type: "array", MaxItems: count(len(query.AllStatuses)),
			Items: &huma.Schema{Type: "string", Enum: named(query.AllStatuses)}}},
	"order": {Name: "order", In: "query", Description: "By time: the oldest first, or the newest first",
		Schema: &huma.Schema{Type: "string", Enum: named(query.Orders), Default: "asc"}},
	"after": {Name: "after", In: "query", Description: "Behind the event with this id, or 0 for as much as is " +
		"remembered: a day. Last-Event-ID, which a browser sends when it comes again, counts before it. Without " +
		"both: what closes from now on", Schema: word(maxCursor)},
	"stream": {Name: "stream", In: "query", Description: "Only this stream, as plain properties", Schema: word(maxID)},
	"category": {Name: "category", In: "query", Description: "Only this category of the stream; needs stream",
		Schema: word(maxID)},
	"over": {Name: "over", In: "query", Required: true, Description: "What is added up",
		Schema: &huma.Schema{Type: "string", Enum: []any{"zones", "time"}}},
	"day": {Name: "day", In: "query", Description: "Only this local day",
		Schema: &huma.Schema{Type: "string", Format: "date"}},
	"limit": {Name: "limit", In: "query",
		Description: "Items on a page. Without limit and cursor the answer is all that was asked for",
		Schema:      &huma.Schema{Type: "integer", Minimum: floating(1), Maximum: floating(query.MaxLimit)}},
	"cursor": {Name: "cursor", In: "query",
		Description: "Where the page before ended; follow next, or Link with rel=next, as it is",
		Schema:      word(maxCursor)},
	"format": {Name: "format", In: "query", Description: "Form of the answer: csv is RFC 4180, csv-excel has " +
		"semicolons and decimal commas. Accept: text/csv works as well",
		Schema: &huma.Schema{Type: "string", Enum: named(formats), Default: "json"}},
}

// all returns the parameters in the path and in the query, with examples of this city.
func (e endpoint) all(of *samples) (out []*huma.Param) {
	names := e.parameters
	if strings.Contains(e.path, "{id}") {
		names = append([]string{"id"}, names...)
	}
	for _, name := range names {
		p := *parameters[name]
		switch {
		case name == "format" && descriptions[e.path].kind == geoType:
			p.Schema = &huma.Schema{Type: "string", Enum: append([]any{"geojson"}, named(formats)...),
				Default: "geojson"}
		case name == "measure" && descriptions[e.path].kind == geoType:
			p.Description, p.Schema = "Only this measure of the stream; needs stream", word(maxID)
		}
		p.Example = of.value(e.path, name)
		out = append(out, &p)
	}
	return out
}

// named are the values of a closed list.
func named[T ~string](list []T) (out []any) {
	for _, x := range list {
		out = append(out, string(x))
	}
	return out
}

func word(longest int) *huma.Schema { return &huma.Schema{Type: "string", MaxLength: count(longest)} }

func words() *huma.Schema {
	return &huma.Schema{Type: "array", MaxItems: count(query.MaxNamed), Items: word(maxID)}
}

func moment() *huma.Schema {
	return &huma.Schema{Type: "string", AnyOf: []*huma.Schema{{Format: "date-time"}, {Format: "date"}}}
}

func floating(v float64) *float64 { return &v }
func count(v int) *int            { return &v }

// limits describes the values of a parameter for people: "json, csv" or "1 to 1000".
func limits(s *huma.Schema) string {
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		return number(s.Minimum) + " to " + number(s.Maximum)
	case s.MaxItems != nil && len(s.Items.Enum) == 0:
		return "at most " + strconv.Itoa(*s.MaxItems)
	case s.Format == "date":
		return "YYYY-MM-DD"
	case s.Items != nil:
		s = s.Items
	}
	list := make([]string, len(s.Enum))
	for i, v := range s.Enum {
		list[i], _ = v.(string)
	}
	return strings.Join(list, ", ")
}
