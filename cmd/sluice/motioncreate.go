package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/dpia"
	"sluice/policy/rego"
	"sluice/policy/workspace"
)

func motionCreate(dir *string) *cobra.Command {
	var gateways []string
	c := &cobra.Command{
		Use:   "create ID",
		Short: "Make a motion of the policy directory",
		Args:  between(1, 1),
		Long: "Writes DIR/motions/ID: motion.txt, which explains the changes in plain language and which members\n" +
			"sign, the bundle with the policy, and allowed_signers. The policy must pass sluice policy check,\n" +
			"with two exceptions: its notice may be too short, since the motion lengthens it; and a file that is\n" +
			"in force and unchanged may break a rule that is newer than its vote.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			d := workspace.Dir(*dir)
			p, err := readPolicy(cmd.Context(), v, *dir)
			if err != nil {
				return err
			}
			if list := findingLines(v, check.PassedOver(*dir), ""); len(list) > 0 {
				return failed(unusable(v, *dir, list))
			}
			if err := checkPolicy(cmd.Context(), v, *dir, p); err != nil {
				return err
			}
			due, err := toAssess(*dir, p)
			if err != nil {
				return failed(err)
			}
			_, before := os.Stat(filepath.Join(d.Motion(args[0]), council.TextName))
			m, err := d.Create(workspace.Order{ID: args[0], Gateways: gateways, Now: time.Now(), Policy: p})
			if err != nil {
				return failed(err)
			}
			if before == nil {
				fmt.Fprintln(cmd.OutOrStdout(), v.Say("It replaces the motion of that name, which nobody had signed: "+
					"whoever has the text of before needs the new one."))
			}
			if err := printCreated(cmd.OutOrStdout(), v, d, m, p.Location); err != nil || len(due) == 0 {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "\n%s\n",
				v.Say("It is new, or protects less than what is in force, and dpia.yaml "+
					"does not say that it was assessed as it is now: %s. Before members sign: sluice policy dpia",
					strings.Join(due, ", ")))
			return nil
		},
	}
	c.Flags().StringSliceVar(&gateways, "gateways", nil, "gateways it is for, by name, or all (default: as the "+
		"motion before)")
	return c
}

// toAssess are the decisions whose impact assessment is to be made again.
func toAssess(dir string, p *bundle.Policy) (ids []string, err error) {
	inForce, err := policyInForce(dir)
	if err != nil {
		return nil, err
	}
	answers, err := readAnswers(dir)
	if err != nil {
		return nil, err
	}
	for _, x := range dpia.Reassess(inForce, p, answers) {
		ids = append(ids, x.Decision)
	}
	return ids, nil
}

// checkPolicy refuses a policy with a decision that would not run, with placeholders left, or with
// a quorum that the roster cannot reach.
func checkPolicy(ctx context.Context, v locale, dir string, p *bundle.Policy) error {
	inForce, err := policyInForce(dir)
	if err != nil {
		return failed(err)
	}
	return withRules(func(rules *rego.Child) error {
		set, err := compile.Policy(ctx, rules, p)
		if err != nil {
			return failed(err)
		}
		if err := withinCharter(ctx, v, p, set); err != nil {
			return failed(err)
		}
		if err := enoughMembers(p); err != nil {
			return failed(err)
		}
		if list := findingLines(v, check.Unvoted(ctx, rules, p.Files, inForce, day(time.Now())), ""); len(list) > 0 {
			return failed(unusable(v, dir, list))
		}
		return nil
	})
}

// withinCharter refuses decisions that the council's rules reject.
func withinCharter(ctx context.Context, v locale, p *bundle.Policy, set *compile.Set) error {
	var problems []string
	for _, id := range sortedKeys(set.Broken) {
		for _, why := range set.Broken[id] {
			problems = append(problems, why.String())
		}
	}
	if len(problems) == 0 {
		return nil
	}
	if v.Lang != 0 { // rules speak English only
		if list := findingsIn(ctx, v, p.Files, ""); len(list) > 0 {
			problems = list
		}
	}
	return fmt.Errorf("the policy breaks its charter; sluice policy check shows where:\n  %s",
		strings.Join(problems, "\n  "))
}

// enoughMembers refuses a roster with fewer members than a quorum needs.
func enoughMembers(p *bundle.Policy) error {
	need := council.Most(p.Charter)
	if n := len(p.Council.Members); n < need {
		return fmt.Errorf("the charter asks for %d members and council.yaml has %d: nobody could ever change this "+
			"policy again", need, n)
	}
	return nil
}
