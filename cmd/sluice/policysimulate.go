package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/rego"
	"sluice/register"
	"sluice/trial"
)

// simulation is what was asked for.
type simulation struct {
	dir, svg, replay, mapping, layout, timezone, register, lang string
	days                                                        int
	seed                                                        uint64
	json                                                        bool
}

func policySimulate() *cobra.Command {
	var o simulation
	c := &cobra.Command{
		Use: "simulate DECISION", Short: "Try a draft beside the policy in force, before anybody votes on it", Args: between(1, 1),
		Long: "DECISION is an id in the policy directory, or a file. Draft and policy in force (the last enacted motion; without one, the\n" +
			"directory as it is, without a file that is not part of it) each run in a gateway of their own, over the simulator's city or\n" +
			"a replayed file, on an accelerated clock. Noise is real, so figures differ a little from run to run. What passed is known\n" +
			"exactly beside them: what is printed and drawn of a file of real readings is not for publication.\n\n" +
			"A max_contributions and a window are proposed: the pair, within the charter, whose shown numbers miss what passed in an\n" +
			"hour by least (bias squared plus variance over the first day), of those with intervals that hold it in 90 of 100.\n" +
			"A decision that asks for what the city or file has not is refused with exit code 1.",
		RunE: o.run,
	}
	f := c.Flags()
	f.StringVar(&o.dir, "dir", ".", "policy directory")
	f.IntVar(&o.days, "days", 1, "days of the simulated city")
	f.Uint64Var(&o.seed, "seed", 0, "seed of the simulated city; by default another each time, and said")
	f.StringVar(&o.svg, "svg", "auto", "file for a chart; by default simulation-ID.svg here, empty for none")
	f.StringVar(&o.replay, "replay", "", "CSV or JSON lines of recorded readings, instead of the simulated city")
	f.StringVar(&o.mapping, "map", "", "where things are in it: ts=COL,sensor=COL,field.NAME=COL")
	f.StringVar(&o.layout, "layout", "auto", "how its times are written, as for firmware-sim replay")
	f.StringVar(&o.timezone, "timezone", "UTC", "time zone of its times")
	f.StringVar(&o.register, "register", "", "register of its sensors")
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	langFlag(c, &o.lang)
	return c
}

func (o *simulation) run(cmd *cobra.Command, args []string) error {
	v, err := speak(cmd)
	if err != nil {
		return err
	}
	if o.days < 1 || o.days > 31 {
		return &usageError{"--days is between 1 and 31"}
	}
	if o.replay != "" && o.register == "" {
		return &usageError{"--replay needs --register: which sensor is of which kind and where"}
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
	report, err := trial.Run(cmd.Context(), trial.Options{
		Draft: draft, InForce: inForce, Decision: d.Decision, Traffic: traffic, Speech: v,
		Progress: func(done, _ int) { _ = bar.Set(done) },
	})
	_ = bar.Finish()
	if err != nil {
		return failed(lacking(v, err))
	}
	return o.show(cmd.OutOrStdout(), v, report, draft.Location)
}

// checkDraft refuses a draft that a gateway would not run: nothing would be published,
// and that is no result of a simulation.
func checkDraft(ctx context.Context, v voice, draft *bundle.Policy, d *bundle.Decision) error {
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
	return lacking(v, &trial.Lacks{Decision: d.Decision, Sentences: why})
}

// lacking says why a decision cannot be simulated, in the language of its sentences.
func lacking(v voice, err error) error {
	var l *trial.Lacks
	if !errors.As(err, &l) {
		return err
	}
	return errors.New(v.Say("decision %s cannot be simulated: %s", l.Decision, strings.Join(l.Sentences, "; ")))
}

func (o *simulation) traffic(v voice, draft *bundle.Policy, d *bundle.Decision) (trial.Traffic, error) {
	if o.replay == "" {
		city := trial.City(draft, d, o.days, o.seed)
		city.Name = v.Say("the simulated city")
		return city, nil
	}
	reg, err := register.Load(o.register, os.ReadFile)
	if err != nil {
		return trial.Traffic{}, failed(err)
	}
	traffic, err := trial.Recorded(o.replay, o.mapping, o.layout, o.timezone, reg, draft, d)
	return traffic, failed(err)
}

// show draws the report, where that is wanted, and prints it.
func (o *simulation) show(w io.Writer, v voice, r *trial.Report, loc *time.Location) error {
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
	showTrial(w, v, r, o.seed, o.replay)
	if o.svg != "" {
		fmt.Fprintf(w, "\n%s\n", v.Say("Drawn: %s", o.svg))
	}
	return nil
}
