// Package rego evaluates the council's rules: OPA, confined to a child process, with pure
// builtins only and with deadlines. It is the only package that knows OPA. Whatever goes wrong has a Code,
// and permits nothing.
package rego

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
	"golang.org/x/sync/errgroup"

	"sluice/policy/bundle"
	"sluice/policy/rules"
)

// Deadlines of one question to the rules. The charter is asked once for each
// policy, about all pairs of decisions; the others often, and they are small.
const (
	evalTimeout = 5 * time.Second
	askTimeout  = 250 * time.Millisecond
	eachTimeout = time.Second // for many at once; who misses it is asked one by one
)

// Version are the rules of one policy version and what they look at.
type Version struct {
	ID      string            `json:"id"` // the version's digest
	Modules map[string]string `json:"modules"`
	Data    map[string]any    `json:"data"`
}

// The questions that rules answer.
const (
	AskCharter = "data.sluice.charter.violations"
	AskPlan    = "data.sluice.plan.result"
	AskRelease = "data.sluice.release.withhold"
)

// Evaluator answers questions by a bundle's rules. It compiles a bundle when it
// is first asked about it. An error has a Code.
type Evaluator interface {
	Ask(ctx context.Context, b *Version, query string, input any) (json.RawMessage, error)
	// AskEach asks the same about each input, all or none.
	AskEach(ctx context.Context, b *Version, query string, inputs []any) ([]json.RawMessage, error)
	// LooksAtOwner reports whether any rule may look at who owns a sensor.
	LooksAtOwner(ctx context.Context, b *Version) (bool, error)
}

// allowed are the builtins that rules may call: pure, and bounded by their
// input. Everything else does not compile.
var allowed = []string{
	"eq", "neq", "equal", "assign", "lt", "lte", "gt", "gte", "internal.member_2", "internal.member_3",
	"internal.print",
	"plus", "minus", "mul", "div", "rem", "abs", "round", "ceil", "floor",
	"count", "sum", "max", "min", "sort", "all", "any", "and", "or", "intersection", "union",
	"array.concat", "array.reverse", "array.slice",
	"object.get", "object.keys", "object.remove", "object.filter", "object.union",
	"is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "type_name",
	"concat", "contains", "endswith", "startswith", "indexof", "lower", "upper", "replace", "split",
	"substring", "trim", "trim_left", "trim_prefix", "trim_right", "trim_space", "trim_suffix", "to_number",
}

func capabilities() *ast.Capabilities {
	caps := ast.CapabilitiesForThisVersion()
	caps.Builtins = slices.DeleteFunc(caps.Builtins, func(b *ast.Builtin) bool {
		return !slices.Contains(allowed, b.Name)
	})
	caps.AllowNet = []string{} // empty, not nil: nil would allow all hosts
	return caps
}

// Modules are the directory's rules, or the embedded ones, and its local/.
func Modules(files bundle.Files) (map[string]string, error) {
	out := make(map[string]string)
	for name, raw := range files {
		if path.Ext(name) == ".rego" && !strings.HasSuffix(name, "_test.rego") {
			out[name] = string(raw)
		}
	}
	own := slices.ContainsFunc(slices.Collect(maps.Keys(out)), func(n string) bool {
		return strings.HasPrefix(n, "rules/")
	})
	if own {
		return out, nil
	}
	embedded, err := Embedded()
	maps.Copy(out, embedded)
	return out, err
}

// WithRules is the files with the rules of this program, where they have none of
// their own.
func WithRules(files bundle.Files) (bundle.Files, error) {
	all, err := Modules(files)
	if err != nil {
		return nil, err
	}
	out := maps.Clone(files)
	for name, text := range all {
		out[name] = []byte(text)
	}
	return out, nil
}

// Embedded are the rules of this program, without their tests, by name.
func Embedded() (map[string]string, error) {
	out := make(map[string]string)
	entries, err := rules.FS.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "_test.rego") {
			continue
		}
		raw, err := rules.FS.ReadFile(e.Name())
		if err != nil {
			return nil, err
		}
		out["rules/"+e.Name()] = string(raw)
	}
	return out, nil
}

func compile(sources map[string]string) (*ast.Compiler, error) {
	parsed := make(map[string]*ast.Module, len(sources))
	for name, source := range sources {
		m, err := ast.ParseModuleWithOpts(name, source,
			ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: capabilities()})
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		if strings.HasPrefix(name, "local/") && m.Package.Path.String() != "data.sluice.local" {
			return nil, fmt.Errorf("%s: a local module must be package sluice.local; it can only add to deny", name)
		}
		parsed[name] = m
	}
	c := ast.NewCompiler().WithCapabilities(capabilities()).WithStrict(true)
	if c.Compile(parsed); c.Failed() {
		return nil, fmt.Errorf("rules: %w", c.Errors)
	}
	return c, nil
}

// InProcess is OPA in this process: compiled modules over fixed data, strict,
// with an allow-list of builtins, no network, no clock and no randomness. An
// undefined result is an error. It is for tools and tests; a gateway uses Child.
func InProcess() Evaluator { return newLocal() }

func newLocal() *local { return &local{ready: make(map[string]*prepared)} }

type local struct {
	mu       sync.Mutex
	ready    map[string]*prepared // by bundle; guarded by mu
	modules  map[string]string    // those of the last bundle, which the next one mostly has as well; guarded by mu
	compiled *ast.Compiler        // of modules; guarded by mu
}

// prepared is a bundle, compiled.
type prepared struct {
	queries map[string]rego.PreparedEvalQuery
	owners  bool // some rule may look at who owns a sensor
}

func (l *local) Ask(ctx context.Context, b *Version, query string, input any) (json.RawMessage, error) {
	q, err := l.query(ctx, b, query)
	if err != nil {
		return nil, err
	}
	return evaluate(ctx, q, input)
}

// query is a question, ready to be asked; several may be asked at once.
func (l *local) query(ctx context.Context, b *Version, query string) (q rego.PreparedEvalQuery, err error) {
	p, err := l.prepare(ctx, b)
	if err != nil {
		return q, err
	}
	q, known := p.queries[query]
	if !known {
		return q, WithCode(Undefined, ErrUndefined)
	}
	return q, nil
}

func (l *local) prepare(ctx context.Context, b *Version) (p *prepared, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p = l.ready[b.ID]; p == nil {
		if p, err = l.prepareAnew(ctx, b); err == nil {
			l.ready[b.ID] = p
		}
	}
	return p, err
}

func (l *local) LooksAtOwner(ctx context.Context, b *Version) (bool, error) {
	p, err := l.prepare(ctx, b)
	return err != nil || p.owners, err
}

func (l *local) AskEach(ctx context.Context, b *Version, query string, inputs []any) ([]json.RawMessage, error) {
	q, err := l.query(ctx, b, query)
	if err != nil {
		return nil, err
	}
	answers := make([]json.RawMessage, len(inputs))
	var next atomic.Int64
	var all errgroup.Group
	for range min(runtime.GOMAXPROCS(0), len(inputs)) { // few, since each grows a deep stack first
		all.Go(func() (err error) {
			for n := int(next.Add(1)) - 1; n < len(inputs) && err == nil; n = int(next.Add(1)) - 1 {
				answers[n], err = evaluate(ctx, q, inputs[n])
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return answers, nil
}

// compile is for who holds mu. What is compiled is only read from then on, whatever data it is asked about.
func (l *local) compile(modules map[string]string) (*ast.Compiler, error) {
	if l.compiled != nil && maps.Equal(l.modules, modules) {
		return l.compiled, nil
	}
	c, err := compile(modules)
	if err == nil {
		l.modules, l.compiled = maps.Clone(modules), c
	}
	return c, err
}

// prepareAnew is for who holds mu.
func (l *local) prepareAnew(ctx context.Context, b *Version) (*prepared, error) {
	compiler, err := l.compile(b.Modules)
	if err != nil {
		return nil, WithCode(BadRules, err)
	}
	store := inmem.NewFromObjectWithOpts(b.Data, inmem.OptReturnASTValuesOnRead(true)) // parsed once, not at every look
	out := &prepared{make(map[string]rego.PreparedEvalQuery), looksAtOwner(compiler)}
	for _, query := range []string{AskCharter, AskPlan, AskRelease} {
		out.queries[query], err = rego.New(
			rego.Query(query), rego.Compiler(compiler), rego.Store(store),
			rego.StrictBuiltinErrors(true), rego.Capabilities(capabilities()),
		).PrepareForEval(ctx)
		if err != nil {
			return nil, WithCode(BadRules, fmt.Errorf("rules: preparing %s: %w", query, err))
		}
	}
	return out, nil
}

// ErrUndefined is for an answer that is not there.
var ErrUndefined = errors.New(
	"the rules gave no answer, so nothing is permitted; check that charter, plan and release rules are all there")

// evaluate asks one query under a deadline and insists on one defined result.
func evaluate(ctx context.Context, q rego.PreparedEvalQuery, input any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, evalTimeout)
	defer cancel()
	stop := topdown.NewCancel()
	defer context.AfterFunc(ctx, stop.Cancel)()
	results, err := q.Eval(ctx, rego.EvalInput(input), rego.EvalExternalCancel(stop))
	if err != nil {
		return nil, WithCode(evalCode(err), fmt.Errorf("evaluating rules: %w", err))
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 || results[0].Expressions[0].Value == nil {
		return nil, WithCode(Undefined, ErrUndefined)
	}
	raw, err := json.Marshal(results[0].Expressions[0].Value)
	return raw, WithCode(WrongType, err)
}
