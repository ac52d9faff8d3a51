package odata

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Query is what a request asks of entities, or an expansion of those that it adds.
type Query struct {
	Filter  Expr // nil for all
	Expand  []Expand
	Select  [][]string // paths; empty for all
	OrderBy []Order
	Top     int // -1 where none is given
	Skip    int
	Count   bool
	Format  string // CSV, dataArray or empty
	After   string // the token of a nextLink

	// Texts are the options as they were written, of an expansion.
	Texts []Text

	seen []string
}

// Text is an option and its value, decoded.
type Text struct{ Option, Value string }

// Expand adds the entities behind a link.
type Expand struct {
	At    int
	Link  string
	Query *Query
}

// Order sorts by an expression.
type Order struct {
	By   Expr
	Desc bool
}

// Has reports whether an option was given.
func (q *Query) Has(option string) bool { return slices.Contains(q.seen, option) }

func newQuery() *Query { return &Query{Top: -1} }

// Parse reads a raw query string (RFC 3986, section 3.4). A plus is a space; one that belongs
// to a time is found again.
func Parse(raw string) (*Query, error) {
	if len(raw) > MaxQuery {
		return nil, &Error{Option: "query", Hint: "is longer than 8 KiB"}
	}
	q := newQuery()
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil {
			return nil, &Error{Option: "query", Hint: "is not well formed: a % is followed by two digits"}
		}
		p := newParser(name, value)
		if !slices.Contains(Options, name) {
			return nil, unknown(name)
		}
		p.option(q, name, 1)
		if p.tok.kind != end {
			p.fail(p.tok.at, "here the option ends, or a comma or an operator follows")
		}
		if p.failed() {
			return nil, p.lexer.err
		}
	}
	return q, nil
}

// Options are those that are read; $skiptoken is what links to next pages hold.
var Options = []string{"$filter", "$expand", "$select", "$orderby", "$top", "$skip", "$count", "$resultFormat",
	"$skiptoken"}

// elsewhere are options of OData that 18-088 has not.
var elsewhere = []string{"$search", "$apply", "$compute", "$format", "$levels", "$index", "$schemaversion",
	"$deltatoken", "$id"}

func unknown(name string) error {
	hint := "holds an unknown option; known are " + strings.Join(Options[:8], ", ") + ", written so"
	if slices.Contains(elsewhere, name) {
		return &Error{Option: name, Hint: "is no option of SensorThings; known are " + strings.Join(Options[:8], ", "),
			Unsupported: true}
	}
	return &Error{Option: "query", Hint: hint}
}

// option reads the value of an option; nested is how many expansions it is in, from 1.
func (p *parser) option(q *Query, name string, nested int) {
	if q.Has(name) {
		p.fail(p.tok.at, "this option is there more than once")
		return
	}
	q.seen = append(q.seen, name)
	switch name {
	case "$filter":
		q.Filter = p.expr(0)
	case "$expand":
		p.expand(q, nested)
	case "$select":
		p.selects(q)
	case "$orderby":
		p.orderBy(q)
	case "$top":
		q.Top = p.whole()
	case "$skip":
		q.Skip = p.whole()
	case "$count":
		v, ok := p.tok.value.(bool)
		if !ok {
			p.fail(p.tok.at, "is true or false")
			return
		}
		q.Count = v
		p.advance()
	case "$resultFormat":
		p.format(q, nested)
	case "$skiptoken":
		text, ok := p.tok.value.(string)
		if !ok || nested > 1 {
			p.fail(p.tok.at, "is not one that this server gave; follow @iot.nextLink as it is")
			return
		}
		q.After = text
		p.advance()
	}
}

func (p *parser) format(q *Query, nested int) {
	at := p.tok.at
	switch name := strings.ToLower(p.advance().text); {
	case nested > 1:
		p.fail(at, "is for the whole answer, not for an expansion")
	case name == "csv":
		q.Format = "CSV"
	case name == "dataarray":
		q.Format = "dataArray"
	case name == "json" || name == "default":
	default:
		p.fail(at, "is CSV or dataArray")
	}
}

// maxWhole bounds $top and $skip, so that they add up.
const maxWhole = 1_000_000_000

// whole reads a number of entities.
func (p *parser) whole() int {
	v, ok := p.tok.value.(float64)
	n := int(v)
	if !ok || v != float64(n) || n < 0 || n > maxWhole {
		p.fail(p.tok.at, "is a whole number from 0 to "+strconv.Itoa(maxWhole))
		return 0
	}
	p.advance()
	return n
}

func (p *parser) selects(q *Query) {
	for !p.failed() {
		if p.take("*") {
			return
		}
		if p.tok.kind != word {
			p.fail(p.tok.at, "here comes the name of a property")
			return
		}
		t := p.advance()
		q.Select = append(q.Select, p.names(t))
		if !p.take(",") {
			return
		}
		if len(q.Select) >= maxItems {
			p.fail(p.tok.at, "this list is too long")
		}
	}
}

func (p *parser) orderBy(q *Query) {
	for !p.failed() {
		o := Order{By: p.expr(0)}
		if p.tok.kind == word && (p.tok.text == "asc" || p.tok.text == "desc") {
			o.Desc = p.advance().text == "desc"
		}
		q.OrderBy = append(q.OrderBy, o)
		if !p.take(",") {
			return
		}
		if len(q.OrderBy) >= maxItems {
			p.fail(p.tok.at, "this list is too long")
		}
	}
}

// expand reads Link, Link/Link and Link(options), separated by commas. A path is an expansion
// within one; paths that begin alike are joined.
func (p *parser) expand(q *Query, nested int) {
	for !p.failed() {
		if p.tok.kind != word {
			p.fail(p.tok.at, "here comes the name of a link, such as Datastreams")
			return
		}
		p.expandOne(q, nested)
		if !p.take(",") {
			return
		}
		if p.nodes += 4; p.nodes > maxNodes {
			p.fail(p.tok.at, "this list is too long")
		}
	}
}

func (p *parser) expandOne(q *Query, nested int) {
	if nested > maxNested {
		p.fail(p.tok.at, "expansions are at most "+strconv.Itoa(maxNested)+" deep")
		return
	}
	t := p.advance()
	n := slices.IndexFunc(q.Expand, func(e Expand) bool { return e.Link == t.text })
	fresh := n < 0
	if fresh {
		n = len(q.Expand)
		q.Expand = append(q.Expand, Expand{t.at, t.text, newQuery()})
	}
	inner := q.Expand[n].Query
	switch {
	case p.take("/"):
		if p.tok.kind != word {
			p.fail(p.tok.at, "after a slash comes the name of a link")
			return
		}
		p.expandOne(inner, nested+1)
	case p.take("("):
		p.nested(inner, nested+1)
	case !fresh:
		p.fail(t.at, "this link is expanded already")
	}
}

// nested reads the options of an expansion, up to its closing parenthesis.
func (p *parser) nested(q *Query, nested int) {
	for !p.failed() && !p.take(")") {
		t := p.tok
		if t.kind != option || !slices.Contains(Options, t.text) {
			p.fail(t.at, "here comes an option such as $filter, or a closing parenthesis; options are separated by ;")
			return
		}
		p.advance()
		p.want("=", "after an option comes =")
		if p.failed() {
			return
		}
		from := p.tok.from
		p.option(q, t.text, nested)
		if !p.failed() {
			q.Texts = append(q.Texts, Text{t.text, strings.TrimSpace(p.lexer.all[from:p.tok.from])})
		}
		if !p.take(";") && !p.is(")") {
			p.fail(p.tok.at, "here comes ; or a closing parenthesis")
		}
	}
}
