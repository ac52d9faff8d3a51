package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/spf13/cobra"

	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/rego"
	"sluice/register"
	"sluice/simulate"
)

// simulation has the flags and arguments.
type simulation struct {
	dir, svg, street, replay, mapping, layout, timezone, register, lang string
	days                                                                int
	seed                                                                uint64
	json, quick                                                         bool
}

func policySimulate() *cobra.Command {
	var o simulation
	c := &cobra.Command{
		Use:   "simulate DECISION",
		Short: "Simulate a draft beside the policy in force, before the vote",
		Args:  between(1, 1),
		Long: "DECISION is an id in the policy directory, or a file. The draft and the policy in force (the last\n" +
			"enacted motion; without one, the directory without the draft) each run in a gateway of their own,\n" +
			"over a simulated city, a street in three answers or recorded readings, on an accelerated clock. The\n" +
			"noise is real, so figures differ a little from run to run; with --quick they are computed at once,\n" +
			"without a gateway. The report also knows exactly what passed: do not publish reports or charts of\n" +
			"real readings.\n\n" +
			"It proposes max_contributions and a window: of the pairs that the charter allows and whose intervals\n" +
			"hold what passed in 90 of 100 hours, the one with the least error (bias squared plus variance over\n" +
			"the first day). If a decision needs what the city or the file does not have, the exit code is 1.",
		RunE: o.run,
	}
	f := c.Flags()
	f.StringVar(&o.dir, "dir", ".", "policy directory")
	f.IntVar(&o.days, "days", 1, "days to simulate")
	f.Uint64Var(&o.seed, "seed", 0, "seed of the simulated city (default: random, and printed)")
	f.StringVar(&o.svg, "svg", "auto", "write a chart to this file (SVG); auto is simulation-ID.svg, empty is none")
	f.StringVar(&o.street, "street", "", "a street as PASSES,PEAK,RETURNS: how many pass a day, in which hour most\n"+
		"do, and how often one comes back, e.g. 3000,18,0.5; instead of the simulated city")
	f.BoolVar(&o.quick, "quick", false, "compute it without a gateway; the noise is from the seed")
	f.StringVar(&o.replay, "replay", "", "recorded readings, as CSV or JSON lines, instead of the simulated city")
	f.StringVar(&o.mapping, "map", "", "columns of the recorded readings: ts=COL,sensor=COL,field.NAME=COL")
	f.StringVar(&o.layout, "layout", "auto", "time format of the recorded readings, as for firmware-sim replay")
	f.StringVar(&o.timezone, "timezone", "UTC", "time zone of the recorded readings")
	f.StringVar(&o.register, "register", "", "register of the sensors of the recorded readings")
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	langFlag(c, &o.lang)
	return c
}

func (o *simulation) run(cmd *cobra.Command, args []string) error {
	v, err := localeOf(cmd)
	if err != nil {
		return err
	}
	if o.days < 1 || o.days > 31 {
		return &usageError{"--days is between 1 and 31"}
	}
	if o.street != "" && o.replay != "" {
		return &usageError{"--street and --replay are two traffics; take one"}
	}
	if o.replay != "" && o.register == "" {
		return &usageError{"--replay needs --register, which has the kind and place of each sensor"}
	}
	o.dir, _ = findPolicyDir(o.dir, args)
	draft, inForce, d, err := readDraft(cmd.Context(), v, o.dir, args[0])
	if err != nil {
		return err
	}
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000) + 1
	}
	if err := checkDraft(cmd.Context(), v, draft, d); err != nil {
		return failed(err)
	}
	traffic, err := o.traffic(v, draft, d)
	if err != nil {
		return err
	}
	bar := progress(cmd.ErrOrStderr(), 2*traffic.Minutes, v.Say("simulating, minute by minute"))
	report, err := o.report(cmd.Context(), simulate.Options{
		Draft: draft, InForce: inForce, Decision: d.Decision, Traffic: traffic, Speech: v,
		Progress: func(done, _ int) { _ = bar.Set(done) },
	})
	_ = bar.Finish()
	if err != nil {
		return failed(lacksError(v, err))
	}
	return o.show(cmd.OutOrStdout(), v, report, draft.Location)
}

func (o *simulation) report(ctx context.Context, options simulate.Options) (*simulate.Report, error) {
	if o.quick {
		return simulate.Quick(ctx, options, o.seed)
	}
	return simulate.Run(ctx, options)
}

// checkDraft refuses a draft that a gateway would not run. A simulation of it would just publish
// nothing.
func checkDraft(ctx context.Context, v locale, draft *bundle.Policy, d *bundle.Decision) error {
	var set *compile.Set
	err := withRules(func(rules *rego.Child) (err error) {
		set, err = compile.Policy(ctx, rules, draft)
		return err
	})
	if err != nil {
		return err
	}
	var why []string
	for _, r := range set.Broken[d.Decision] {
		why = append(why, v.Say("it breaks %s: %s", r.Rule, r.Message))
	}
	if len(why) == 0 {
		return nil
	}
	if list := findingsIn(ctx, v, draft.Files, d.File); v.Lang != 0 && len(list) > 0 { // rules speak English only
		why = list
	}
	return lacksError(v, &simulate.Lacks{Decision: d.Decision, Sentences: why})
}

func (o *simulation) traffic(v locale, draft *bundle.Policy, d *bundle.Decision) (simulate.Traffic, error) {
	if o.street != "" {
		answers, err := simulate.ParseAnswers(o.street)
		if err != nil {
			return simulate.Traffic{}, &usageError{v.Say(err.Error())}
		}
		tr := answers.Traffic(draft, d, o.days, o.seed)
		tr.Name = v.Say("the street")
		return tr, nil
	}
	if o.replay == "" {
		city := simulate.City(draft, d, o.days, o.seed)
		city.Name = v.Say("the simulated city")
		return city, nil
	}
	reg, err := register.Load(o.register, os.ReadFile)
	if err != nil {
		return simulate.Traffic{}, failed(err)
	}
	traffic, err := simulate.Recorded(o.replay, o.mapping, o.layout, o.timezone, reg, draft, d)
	return traffic, failed(err)
}

// show prints the report and, unless --svg is empty, writes the chart.
func (o *simulation) show(w io.Writer, v locale, r *simulate.Report, loc *time.Location) error {
	if o.svg == "auto" {
		o.svg = "simulation-" + r.Draft.Decision + ".svg"
	}
	if o.svg != "" {
		if err := os.WriteFile(o.svg, []byte(r.SVG(loc, v)), 0o644); err != nil {
			return failed(err)
		}
	}
	if o.json {
		return printJSON(w, r)
	}
	showSimulation(w, v, r, o)
	if o.svg != "" {
		fmt.Fprintf(w, "\n%s\n", v.Say("Chart: %s", o.svg))
	}
	return nil
}
