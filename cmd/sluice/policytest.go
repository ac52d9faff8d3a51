package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"sluice/brief"
	"sluice/policy/bundle"
	"sluice/policy/cases"
	"sluice/policy/compile"
	"sluice/policy/rego"
)

func policyTest() *cobra.Command {
	var language string
	var asJSON bool
	c := &cobra.Command{
		Use:   "test [DIR]",
		Short: "Run the cases in tests/ and the Rego tests",
		Args:  between(0, 1),
		Long: "Cases, in tests/*.yaml, state in the council's words what must become of a sensor's readings. Rego\n" +
			"tests are the test_ rules in rules/*_test.rego and local/*_test.rego; the report has the coverage of\n" +
			"each module.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			p, err := readPolicy(cmd.Context(), v, dirArg(args))
			if err != nil {
				return err
			}
			results, report, err := runTests(cmd.Context(), p)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return testJSON(cmd.OutOrStdout(), v, results, report)
			}
			return testText(cmd.OutOrStdout(), v, results, report)
		},
	}
	langFlag(c, &language)
	c.Flags().BoolVar(&asJSON, "json", false, "print the results as JSON")
	return c
}

// runTests runs a policy's cases and its Rego tests.
func runTests(ctx context.Context, p *bundle.Policy) (results []cases.Result, report *rego.Report, err error) {
	err = withRules(func(rules *rego.Child) error {
		set, err := compile.Policy(ctx, rules, p)
		if err != nil {
			return err
		}
		if results, err = cases.Run(ctx, set, p.Files); err != nil {
			return err
		}
		report, err = rules.Test(ctx, p)
		return err
	})
	return results, report, err
}

func testText(w io.Writer, v locale, results []cases.Result, report *rego.Report) error {
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
	for _, r := range report.Results {
		if r.Passed {
			fmt.Fprintf(w, "%-6s%s:%d: %s\n", v.Say("ok"), r.File, r.Line, r.Name)
			continue
		}
		failed++
		fmt.Fprintf(w, "%-6s%s:%d: %s %s\n", v.Say("FAIL"), r.File, r.Line, r.Name, brief.Text(r.Problem))
	}
	if len(report.Results) > 0 {
		fmt.Fprintf(w, "\n%s\n", v.Say("coverage of the Rego tests:"))
		for _, name := range sortedKeys(report.Coverage) {
			fmt.Fprintf(w, "  %5.1f %%  %s\n", report.Coverage[name], name)
		}
	}
	n := len(results) + len(report.Results)
	switch {
	case failed > 0:
		return &exitError{exitFailed, v.Say("%d of %d tests failed", failed, n)}
	case n == 0:
		fmt.Fprintln(w, v.Say("There is no test here: write tests/*.yaml, as docs/policy.md shows."))
	default:
		fmt.Fprintf(w, "\n%s\n", v.Say("%d tests passed.", n))
	}
	return nil
}

func testJSON(w io.Writer, v locale, results []cases.Result, report *rego.Report) error {
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
	for _, r := range report.Results {
		if !r.Passed {
			failed++
		}
	}
	if err := printJSON(w, map[string]any{"cases": list, "rego": report}); err != nil {
		return err
	}
	if failed > 0 {
		return &exitError{exitFailed, v.Say("%d tests failed", failed)}
	}
	return nil
}
