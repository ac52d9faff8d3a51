package api

import (
	"context"
	"fmt"
	"strings"

	"sluice/opendata/query"
)

// Operation is one endpoint as the pages describe it.
type Operation struct {
	Path, Summary, Description, Type, Example string
	// Try is an address of this city that answers; empty where there is none yet, or where
	// the answer never ends.
	Try        string
	Parameters []Parameter
	Columns    []string // of the table; nil where it has none
}

// Parameter is a parameter of an operation. Values describes its values if they are a
// closed list or bounded, Default the one that holds without it; empty otherwise.
type Parameter struct {
	Name, Description, Example, Values, Default string
	Required                                    bool
}

// tried are the parameters of the addresses to try, by path.
var tried = map[string][]string{
	"/api/v1/streams/{id}/observations": {"order", "limit"}, "/api/v1/streams/{id}/totals": {"over"},
	"/api/v1/zones": {"stream", "measure"},
}

// Guide describes the API for people, with examples of this city; /openapi.json does for
// machines.
func Guide(ctx context.Context, source *query.Source) []Operation {
	of := samplesOf(ctx, source)
	var out []Operation
	for _, e := range (*API)(nil).endpoints() {
		s := descriptions[e.path]
		o := Operation{Path: e.path, Summary: s.summary, Description: s.description, Type: s.kind, Example: s.example,
			Columns: s.columns}
		if e.make != nil && (!strings.Contains(e.path, "{id}") || of.value(e.path, "id") != nil) {
			o.Try = of.address(e.path, tried[e.path]...)
		}
		for _, p := range e.all(of) {
			g := Parameter{Name: p.Name, Description: p.Description, Values: limits(p.Schema), Required: p.Required}
			g.Default, _ = p.Schema.Default.(string)
			switch x := p.Example.(type) {
			case []string:
				g.Example = strings.Join(x, ", ")
			case nil:
			default:
				g.Example = fmt.Sprint(x)
			}
			o.Parameters = append(o.Parameters, g)
		}
		out = append(out, o)
	}
	return out
}
