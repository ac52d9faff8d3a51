package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/brief"
	"sluice/policy/bundle"
	"sluice/policy/cases"
	"sluice/policy/compile"
	"sluice/policy/desk"
	"sluice/policy/diff"
	"sluice/policy/explain"
	"sluice/policy/rego"
	"sluice/register"
)

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

func policyTest() *cobra.Command {
	var language string
	var asJSON bool
	c := &cobra.Command{
		Use: "test [DIR]", Short: "Run the cases in tests/ and the Rego tests", Args: cobra.MaximumNArgs(1),
		Long: "Cases say in the council's words what must become of what a sensor sends: tests/*.yaml. Rego tests are the test_ rules\n" +
			"of rules/*_test.rego and local/*_test.rego; for each module it is said which share of its lines they ran.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := speak(cmd)
			if err != nil {
				return err
			}
			p, err := readPolicy(cmd.Context(), v, dirArg(args))
			if err != nil {
				return err
			}
			rules, err := childRules()
			if err != nil {
				return err
			}
			defer rules.Close()
			set, err := compile.Policy(cmd.Context(), rules, p)
			if err != nil {
				return wrong(err)
			}
			results, err := cases.Run(cmd.Context(), set, p.Files)
			if err != nil {
				return wrong(err)
			}
			rego, err := rules.Test(cmd.Context(), p)
			if err != nil {
				return wrong(err)
			}
			if asJSON {
				return testJSON(cmd.OutOrStdout(), v, results, rego)
			}
			return testText(cmd.OutOrStdout(), v, results, rego)
		},
	}
	langFlag(c, &language)
	c.Flags().BoolVar(&asJSON, "json", false, "print the results as JSON")
	return c
}

func testText(w io.Writer, v voice, results []cases.Result, rego *rego.Report) error {
	failed := 0
	for _, r := range results {
		if len(r.Problems) == 0 {
			fmt.Fprintf(w, "%-6s%s:%d: %s\n", v.Say("ok"), r.File, r.Line, brief.Text(r.Name))
			continue
		}
		failed++
		fmt.Fprintf(w, "%-6s%s:%d: %s\n", v.Say("FAIL"), r.File, r.Line, brief.Text(r.Name))
		for _, p := range r.Problems {
			fmt.Fprintf(w, "      %s\n", v.Retell(brief.Text(p)))
		}
	}
	for _, r := range rego.Results {
		if r.Passed {
			fmt.Fprintf(w, "%-6s%s:%d: %s\n", v.Say("ok"), r.File, r.Line, r.Name)
			continue
		}
		failed++
		fmt.Fprintf(w, "%-6s%s:%d: %s %s\n", v.Say("FAIL"), r.File, r.Line, r.Name, brief.Text(r.Problem))
	}
	if len(rego.Results) > 0 {
		fmt.Fprintf(w, "\n%s\n", v.Say("lines that the Rego tests ran:"))
		for _, name := range sortedKeys(rego.Coverage) {
			fmt.Fprintf(w, "  %5.1f %%  %s\n", rego.Coverage[name], name)
		}
	}
	n := len(results) + len(rego.Results)
	switch {
	case failed > 0:
		return &exit{exitWrong, v.Say("%d of %d tests failed", failed, n)}
	case n == 0:
		fmt.Fprintln(w, v.Say("There is no test here: write tests/*.yaml, as docs/policy.md shows."))
	default:
		fmt.Fprintf(w, "\n%s\n", v.Say("%d tests, all as they must be.", n))
	}
	return nil
}

func testJSON(w io.Writer, v voice, results []cases.Result, rego *rego.Report) error {
	type result struct {
		File     string   `json:"file"`
		Line     int      `json:"line"`
		Name     string   `json:"name"`
		Passed   bool     `json:"passed"`
		Problems []string `json:"problems"`
	}
	list, failed := []result{}, 0
	for _, r := range results {
		list = append(list, result{r.File, r.Line, r.Name, len(r.Problems) == 0, append([]string{}, r.Problems...)})
		if len(r.Problems) > 0 {
			failed++
		}
	}
	for _, r := range rego.Results {
		if !r.Passed {
			failed++
		}
	}
	if err := printJSON(w, map[string]any{"cases": list, "rego": rego}); err != nil {
		return err
	}
	if failed > 0 {
		return &exit{exitWrong, v.Say("%d tests failed", failed)}
	}
	return nil
}

func policyExplain() *cobra.Command {
	var language, dir string
	c := &cobra.Command{
		Use: "explain [DIR or DECISION...]", Short: "Say in plain words what decisions do", Long: "Decisions are ids, or files; all of the directory's by default.",
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lang(language)
			if err != nil {
				return err
			}
			dir, args := around(dir, args)
			p, err := readPolicy(cmd.Context(), newVoice(l), dir)
			if err != nil {
				return err
			}
			list, err := pick(p, args)
			if err != nil {
				return err
			}
			chain, err := desk.Desk(dir).Chain()
			if err != nil {
				return wrong(err)
			}
			since := lastChanged(chain)
			for _, d := range list {
				vote := explain.Vote{}
				if e := since[d.Decision]; e != nil && string(e.Policy.Decision(d.Decision).YAML) == string(d.YAML) {
					vote = explain.Vote{Motion: e.ID, Version: e.Version, Members: e.Members()}
				}
				text, err := explain.Decision(l, p, d, vote)
				if err != nil {
					return wrong(err)
				}
				fmt.Fprintln(cmd.OutOrStdout(), text)
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", ".", "policy directory")
	langFlag(c, &language)
	return c
}

// pick finds decisions by id or file name.
func pick(p *bundle.Policy, names []string) ([]*bundle.Decision, error) {
	var out []*bundle.Decision
	for i := range p.Decisions {
		d := &p.Decisions[i]
		if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return named(d, n) }) {
			out = append(out, d)
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(out, func(d *bundle.Decision) bool { return named(d, n) }) {
			return nil, wrong(fmt.Errorf("there is no decision %s here", n))
		}
	}
	return out, nil
}

func named(d *bundle.Decision, name string) bool {
	return d.Decision == name || strings.HasSuffix("/"+d.File, "/"+strings.TrimPrefix(name, "./")) || strings.HasSuffix(name, "/"+d.File)
}

func policyDiff() *cobra.Command {
	var language, reg string
	var asJSON bool
	c := &cobra.Command{
		Use: "diff OLD NEW", Short: "Say what changes, and whether it protects less or more", Args: cobra.ExactArgs(2),
		Long: "OLD and NEW are policy directories or motion files (.sluice). Each change is weaker, stronger or neutral; docs/policy.md has\n" +
			"the order. Rules and modules are compared by the plans that they give for every sensor of --register. A motion compares new\n" +
			"decisions with those that earlier motions ended, too; this command knows OLD only.",
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lang(language)
			if err != nil {
				return err
			}
			old, err := anyPolicy(cmd.Context(), newVoice(l), args[0])
			if err != nil {
				return err
			}
			next, err := anyPolicy(cmd.Context(), newVoice(l), args[1])
			if err != nil {
				return err
			}
			changes := diff.Compare(diff.Before{Policy: old}, next)
			plans, err := planChanges(cmd, old, next, reg)
			if err != nil {
				return err
			}
			if asJSON {
				return diffJSON(cmd.OutOrStdout(), l, changes, plans)
			}
			w := cmd.OutOrStdout()
			for _, x := range changes {
				fmt.Fprintf(w, "%-12s %s: %s\n", x.Mark.Word(l), x.About, x.Words(l))
			}
			for _, x := range plans {
				fmt.Fprintf(w, "%-12s %s\n", x.Mark.Word(l), x.Line)
			}
			if len(changes)+len(plans) == 0 {
				fmt.Fprintln(w, [3]string{"Nothing changes.", "No canvia res.", "No cambia nada."}[l])
			}
			return nil
		},
	}
	langFlag(c, &language)
	c.Flags().StringVar(&reg, "register", "", "register of sensors, to compare what each of them would give")
	c.Flags().BoolVar(&asJSON, "json", false, "print the changes as JSON")
	return c
}

// anyPolicy reads a directory or a motion file.
func anyPolicy(ctx context.Context, v voice, name string) (*bundle.Policy, error) {
	if !strings.HasSuffix(name, ".sluice") {
		return readPolicy(ctx, v, name)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, wrong(err)
	}
	p, err := desk.Peek(raw)
	return p, wrong(err)
}

func planChanges(cmd *cobra.Command, old, next *bundle.Policy, file string) ([]compile.PlanChange, error) {
	if file == "" {
		return nil, nil
	}
	reg, err := register.Load(file, os.ReadFile)
	if err != nil {
		return nil, wrong(err)
	}
	rules, err := childRules()
	if err != nil {
		return nil, err
	}
	defer rules.Close()
	a, err := compile.Policy(cmd.Context(), rules, old)
	if err != nil {
		return nil, wrong(err)
	}
	b, err := compile.Policy(cmd.Context(), rules, next)
	if err != nil {
		return nil, wrong(err)
	}
	list, err := compile.ComparePlans(cmd.Context(), a, b, reg)
	return list, wrong(err)
}

func diffJSON(w io.Writer, l explain.Lang, changes []diff.Change, plans []compile.PlanChange) error {
	type change struct {
		About   string      `json:"about"`
		Against string      `json:"against,omitempty"`
		Key     string      `json:"key"`
		Mark    string      `json:"mark"`
		Needs   diff.Quorum `json:"needs"`
		Ends    bool        `json:"ends"`
		Old     string      `json:"old"`
		New     string      `json:"new"`
		Words   string      `json:"words"`
	}
	list := []change{}
	overall := diff.Overall(changes)
	for _, c := range changes {
		list = append(list, change{c.About, c.Against, c.Key, c.Mark.String(), c.Needs, c.Ends, c.Old[l], c.New[l], c.Words(l)})
	}
	for _, p := range plans {
		overall = max(overall, p.Mark)
		list = append(list, change{About: p.Sensors, Key: "plans", Mark: p.Mark.String(), Words: p.Line})
	}
	return printJSON(w, map[string]any{"overall": overall.String(), "changes": list})
}
