package rego

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"sluice/policy/bundle"
)

// testTimeout bounds all Rego tests of a policy together.
const testTimeout = time.Minute

// Report is how a policy's Rego tests went.
type Report struct {
	Results []Result `json:"results"`
	// Coverage is the share of each module's lines that the tests ran, 0 to 100.
	Coverage map[string]float64 `json:"coverage"`
}

// Result is one test rule of a *_test.rego file.
type Result struct {
	Name    string `json:"name"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Passed  bool   `json:"passed"`
	Problem string `json:"problem"`
}

// Test runs the *_test.rego of a policy in the child, over the data of its
// documents, with the same builtins as its rules.
func (c *Child) Test(ctx context.Context, p *bundle.Policy) (*Report, error) {
	data, err := bundle.Data(p)
	if err != nil {
		return nil, WithCode(Unreadable, err)
	}
	sources, err := Modules(p.Files)
	if err != nil {
		return nil, WithCode(BadRules, err)
	}
	for name, raw := range p.Files {
		if strings.HasSuffix(name, "_test.rego") {
			sources[name] = string(raw)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.p == nil {
		if err := c.start(); err != nil {
			return nil, WithCode(Died, err)
		}
	}
	raw, err := c.exchange(ctx, question{Test: &Version{ID: "test", Modules: sources, Data: data}}, testTimeout)
	if err != nil {
		return nil, err
	}
	var report Report
	return &report, WithCode(WrongType, json.Unmarshal(raw, &report))
}

// runTests is the child's side.
func runTests(ctx context.Context, b *Version) (json.RawMessage, error) {
	parsed := make(map[string]*ast.Module, len(b.Modules))
	for name, source := range b.Modules {
		m, err := ast.ParseModuleWithOpts(name, source,
			ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: capabilities()})
		if err != nil {
			return nil, WithCode(BadRules, err)
		}
		parsed[name] = m
	}
	covered := cover.New()
	store := inmem.NewFromObject(b.Data)
	txn, err := store.NewTransaction(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Abort(ctx, txn)
	runner := tester.NewRunner().SetCompiler(ast.NewCompiler().WithCapabilities(capabilities())).SetStore(store).
		SetModules(parsed).SetTimeout(evalTimeout).SetCoverageQueryTracer(covered)
	results, err := runner.RunTests(ctx, txn)
	if err != nil {
		return nil, WithCode(BadRules, err)
	}
	report := Report{Results: []Result{}, Coverage: make(map[string]float64)}
	for r := range results {
		x := Result{Name: r.Name, Passed: r.Pass()}
		if r.Location != nil {
			x.File, x.Line = r.Location.File, r.Location.Row
		}
		if r.Error != nil {
			x.Problem = r.Error.Error()
		}
		report.Results = append(report.Results, x)
	}
	slices.SortFunc(report.Results, func(a, b Result) int {
		return strings.Compare(fmt.Sprintf("%s %06d", a.File, a.Line), fmt.Sprintf("%s %06d", b.File, b.Line))
	})
	for name, file := range covered.Report(parsed).Files {
		if !strings.HasSuffix(name, "_test.rego") {
			report.Coverage[path.Clean(name)] = math.Round(file.Coverage*10) / 10
		}
	}
	return json.Marshal(report)
}
