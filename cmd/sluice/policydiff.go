package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/diff"
	"sluice/policy/explain"
	"sluice/policy/rego"
	"sluice/policy/workspace"
	"sluice/register"
)

func policyDiff() *cobra.Command {
	var language, reg string
	var asJSON bool
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare two policies: what changes, and whether it protects less or more",
		Args:  between(2, 2),
		Long: "OLD and NEW are policy directories or motion files (.sluice). Each change is weaker, stronger or\n" +
			"neutral, as docs/policy.md defines. With --register, rules and modules are compared by the plan that\n" +
			"they give each of its sensors. A motion also compares new decisions with those that earlier motions\n" +
			"ended; this command knows OLD only.",
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lang(language)
			if err != nil {
				return err
			}
			old, err := anyPolicy(cmd.Context(), newLocale(l), args[0])
			if err != nil {
				return err
			}
			next, err := anyPolicy(cmd.Context(), newLocale(l), args[1])
			if err != nil {
				return err
			}
			changes := diff.Compare(diff.Before{Policy: old}, next)
			plans, err := planChanges(cmd.Context(), old, next, reg)
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
				fmt.Fprintln(w, newLocale(l).Say("Nothing changes."))
			}
			return nil
		},
	}
	langFlag(c, &language)
	c.Flags().StringVar(&reg, "register", "", "register of sensors, to compare the plans of each")
	c.Flags().BoolVar(&asJSON, "json", false, "print the changes as JSON")
	return c
}

// anyPolicy reads a directory or a motion file.
func anyPolicy(ctx context.Context, v locale, name string) (*bundle.Policy, error) {
	if !strings.HasSuffix(name, ".sluice") {
		return readPolicy(ctx, v, name)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, failed(err)
	}
	p, err := workspace.Peek(raw)
	return p, failed(err)
}

// planChanges lists what changes in the plans of a register's sensors; nothing if file is empty.
func planChanges(ctx context.Context, old, next *bundle.Policy, file string) ([]compile.PlanChange, error) {
	if file == "" {
		return nil, nil
	}
	reg, err := register.Load(file, os.ReadFile)
	if err != nil {
		return nil, failed(err)
	}
	var list []compile.PlanChange
	err = withRules(func(rules *rego.Child) error {
		a, err := compile.Policy(ctx, rules, old)
		if err != nil {
			return err
		}
		b, err := compile.Policy(ctx, rules, next)
		if err != nil {
			return err
		}
		list, err = compile.ComparePlans(ctx, a, b, reg)
		return err
	})
	return list, failed(err)
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
		list = append(list,
			change{c.About, c.Against, c.Key, c.Mark.String(), c.Needs, c.Ends, c.Old[l], c.New[l], c.Words(l)})
	}
	for _, p := range plans {
		overall = max(overall, p.Mark)
		list = append(list, change{About: p.Sensors, Key: "plans", Mark: p.Mark.String(), Words: p.Line})
	}
	return printJSON(w, map[string]any{"overall": overall.String(), "changes": list})
}
