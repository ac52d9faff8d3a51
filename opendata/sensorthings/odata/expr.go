package odata

import (
	"slices"
	"strings"
)

// Expr is an expression: *Literal, *Path, *Call, *Unary or *Binary.
type Expr interface {
	// Pos is the character of its option at which it is, from 1.
	Pos() int
}

type (
	// Literal is a value.
	Literal struct {
		At    int
		Value any
	}
	// Path is a property, perhaps behind links: Datastream/properties/stream.
	Path struct {
		At    int
		Names []string
	}
	// Call is a function; of in, the name is in, and the first argument what is looked for.
	Call struct {
		At   int
		Name string
		Args []Expr
	}
	// Unary is not or -.
	Unary struct {
		At int
		Op string
		X  Expr
	}
	// Binary is an operator between two.
	Binary struct {
		At   int
		Op   string
		X, Y Expr
	}
)

// Pos is where it is.
func (e *Literal) Pos() int { return e.At }

// Pos is where it is.
func (e *Path) Pos() int { return e.At }

// Pos is where it is.
func (e *Call) Pos() int { return e.At }

// Pos is where it is.
func (e *Unary) Pos() int { return e.At }

// Pos is where it is.
func (e *Binary) Pos() int { return e.At }

// power is how much a binary operator binds; more binds first.
var power = map[string]int{
	"or": 1, "and": 2, "eq": 4, "ne": 4, "in": 4, "gt": 5, "ge": 5, "lt": 5, "le": 5, "add": 6, "sub": 6, "mul": 7,
	"div": 7, "mod": 7,
}

// Between them.
const (
	notPower   = 3
	minusPower = 8
)

// parser reads one option.
type parser struct {
	lexer *lexer
	tok   token
	nodes int
	deep  int
}

func newParser(option, text string) *parser {
	p := &parser{lexer: newLexer(option, text)}
	p.advance()
	return p
}

func (p *parser) advance() token {
	old := p.tok
	p.tok = p.lexer.next()
	return old
}

// fail records what is wrong at a character; the first one stays.
func (p *parser) fail(at int, hint string) {
	p.lexer.fail(at, hint)
	p.tok = token{kind: end, at: at}
}

func (p *parser) failed() bool { return p.lexer.err != nil }

// is reports whether the token is that mark.
func (p *parser) is(text string) bool { return p.tok.kind == mark && p.tok.text == text }

// take moves on if the token is that mark.
func (p *parser) take(text string) bool {
	if !p.is(text) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) want(text, hint string) {
	if !p.take(text) {
		p.fail(p.tok.at, hint)
	}
}

// expr reads an expression whose operators bind more than least.
func (p *parser) expr(least int) Expr {
	if p.deep++; p.deep > maxDepth {
		p.fail(p.tok.at, "parentheses and operators are nested too deep")
	}
	defer func() { p.deep-- }()
	x := p.operand()
	for !p.failed() {
		op := p.tok.text
		binds := power[op]
		if p.tok.kind != word || binds <= least {
			break
		}
		at := p.advance().at
		p.count(at)
		if op == "in" {
			x = p.in(at, x)
			continue
		}
		x = &Binary{at, op, x, p.expr(binds)}
	}
	return x
}

func (p *parser) count(at int) {
	if p.nodes++; p.nodes > maxNodes {
		p.fail(at, "this expression is too long")
	}
}

// in reads the list behind in.
func (p *parser) in(at int, x Expr) Expr {
	call := &Call{at, "in", []Expr{x}}
	p.want("(", "in takes a list in parentheses")
	call.Args = append(call.Args, p.list()...)
	return call
}

// list reads expressions up to a closing parenthesis.
func (p *parser) list() (list []Expr) {
	if p.take(")") {
		return nil
	}
	for !p.failed() {
		list = append(list, p.expr(0))
		if !p.take(",") {
			break
		}
		if len(list) >= maxItems {
			p.fail(p.tok.at, "this list is too long")
		}
	}
	p.want(")", "here comes a comma or a closing parenthesis")
	return list
}

// operand reads what operators are between.
func (p *parser) operand() Expr {
	t := p.tok
	p.count(t.at)
	switch {
	case t.kind == literal:
		p.advance()
		return &Literal{t.at, t.value}
	case p.take("("):
		x := p.expr(0)
		p.want(")", "a parenthesis is not closed")
		return x
	case p.take("-"):
		return &Unary{t.at, "-", p.expr(minusPower)}
	case t.kind == word && t.text == "not":
		p.advance()
		return &Unary{t.at, "not", p.expr(notPower)}
	case t.kind == word:
		p.advance()
		if p.take("(") {
			return &Call{t.at, strings.ToLower(t.text), p.list()}
		}
		return &Path{t.at, p.names(t)}
	}
	p.fail(t.at, "here comes a property, a value, a function or a parenthesis")
	return &Literal{At: t.at}
}

// names reads the rest of a path, whose first name is read.
func (p *parser) names(first token) []string {
	list := []string{first.text}
	for !p.failed() && p.take("/") {
		if p.tok.kind != word {
			p.fail(p.tok.at, "after a slash comes the name of a property")
			break
		}
		if len(list) >= maxItems {
			p.fail(p.tok.at, "this path is too long")
			break
		}
		list = append(list, p.advance().text)
	}
	return list
}

// Walk calls a function with an expression and all within it; where it returns false, what
// is within is left out.
func Walk(e Expr, f func(Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	switch e := e.(type) {
	case *Unary:
		Walk(e.X, f)
	case *Binary:
		Walk(e.X, f)
		Walk(e.Y, f)
	case *Call:
		for _, x := range e.Args {
			Walk(x, f)
		}
	}
}

// Terms are what must all hold for an expression to hold: the parts between its and.
func Terms(e Expr) []Expr {
	if e == nil {
		return nil
	}
	if b, ok := e.(*Binary); ok && b.Op == "and" {
		return slices.Concat(Terms(b.X), Terms(b.Y))
	}
	return []Expr{e}
}
