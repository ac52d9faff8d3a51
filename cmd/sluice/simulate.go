package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/desk"
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
		Use: "simulate DECISION", Short: "Try a draft beside the policy in force, before anybody votes on it", Args: cobra.ExactArgs(1),
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
	o.dir, _ = around(o.dir, args)
	draft, inForce, d, err := draftOf(cmd.Context(), v, o.dir, args[0])
	if err != nil {
		return err
	}
	if o.days < 1 || o.days > 31 {
		return &usageError{"--days is between 1 and 31"}
	}
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000) + 1
	}
	if err := runs(cmd.Context(), v, draft, d); err != nil {
		return wrong(err)
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
		return wrong(lacking(v, err))
	}
	return o.show(cmd.OutOrStdout(), v, report, draft.Location)
}

// runs refuses a draft that a gateway would not run: nothing would be published,
// and that is no result of a simulation.
func runs(ctx context.Context, v voice, draft *bundle.Policy, d *bundle.Decision) error {
	rules, err := childRules()
	if err != nil {
		return err
	}
	defer rules.Close()
	set, err := compile.Policy(ctx, rules, draft)
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
	if list := ailments(ctx, v, draft.Files, d.File); v.Lang != 0 && len(list) > 0 { // rules speak English only
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
	if o.register == "" {
		return trial.Traffic{}, &usageError{"--replay needs --register: which sensor is of which kind and where"}
	}
	reg, err := register.Load(o.register, os.ReadFile)
	if err != nil {
		return trial.Traffic{}, wrong(err)
	}
	traffic, err := trial.Recorded(o.replay, o.mapping, o.layout, o.timezone, reg, draft, d)
	return traffic, wrong(err)
}

// show draws the report, where that is wanted, and prints it.
func (o *simulation) show(w io.Writer, v voice, r *trial.Report, loc *time.Location) error {
	if o.svg == "auto" {
		o.svg = "simulation-" + r.Draft.Decision + ".svg"
	}
	if o.svg != "" {
		if err := os.WriteFile(o.svg, []byte(r.SVG(loc, v)), 0o644); err != nil {
			return wrong(err)
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

// progress is a bar where somebody watches.
func progress(w io.Writer, total int, what string) *progressbar.ProgressBar {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
				progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish())
		}
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(io.Discard))
}

// draftOf finds the draft, and what it would take the place of.
func draftOf(ctx context.Context, v voice, dir, name string) (draft, inForce *bundle.Policy, d *bundle.Decision, err error) {
	files, err := compile.ReadDir(dir)
	if err != nil {
		return nil, nil, nil, wrong(err)
	}
	if files, err = rego.WithRules(files); err != nil {
		return nil, nil, nil, wrong(err)
	}
	before := maps.Clone(files)
	if raw, err := os.ReadFile(name); err == nil && strings.HasSuffix(name, ".yaml") {
		id := ""
		for file, text := range files { // the same decision under another file name
			if strings.HasPrefix(file, "decisions/") && string(text) == string(raw) {
				id = file
			}
		}
		if id == "" {
			for file := range maps.Clone(files) {
				if strings.HasPrefix(file, "decisions/") && sameDecision(files[file], raw) {
					delete(files, file)
				}
			}
			files["decisions/"+filepath.Base(name)] = raw
		} else {
			delete(before, id)
		}
	}
	if draft, err = bundle.Read(files); err != nil {
		return nil, nil, nil, wrong(unreadable(ctx, v, dir, err))
	}
	list, err := pick(draft, []string{name})
	if err != nil {
		at := slices.IndexFunc(draft.Decisions, func(x bundle.Decision) bool { return filepath.Base(x.File) == filepath.Base(name) })
		if at < 0 {
			return nil, nil, nil, err
		}
		list = []*bundle.Decision{&draft.Decisions[at]}
	}
	chain, err := desk.Desk(dir).Chain()
	if err != nil {
		return nil, nil, nil, wrong(err)
	}
	if last := desk.Last(chain); last != nil {
		return draft, last.Policy, list[0], nil
	}
	inForce, err = bundle.Read(before)
	return draft, inForce, list[0], wrong(err)
}

// sameDecision compares the ids of two decision files.
func sameDecision(a, b []byte) bool {
	id := func(raw []byte) string {
		for line := range strings.Lines(string(raw)) {
			if rest, ok := strings.CutPrefix(line, "decision:"); ok {
				rest, _, _ = strings.Cut(rest, "#")
				return strings.Trim(strings.TrimSpace(rest), `"'`)
			}
		}
		return ""
	}
	return id(a) != "" && id(a) == id(b)
}
