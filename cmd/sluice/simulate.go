package main

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"sluice/policy"
	"sluice/policy/bundle"
	"sluice/policy/desk"
	"sluice/register"
	"sluice/trial"
)

func policySimulate() *cobra.Command {
	var o struct {
		dir, svg, replay, mapping, layout, timezone, register string
		days                                                  int
		seed                                                  uint64
		json                                                  bool
	}
	c := &cobra.Command{
		Use: "simulate DECISION", Short: "Try a draft beside the policy in force, before anybody votes on it", Args: cobra.ExactArgs(1),
		Long: "DECISION is an id in the policy directory, or a file. Draft and policy in force (the last enacted motion; without one, the\n" +
			"directory as it is without the file) each run in a gateway of their own, over the simulator's city or a replayed file, on\n" +
			"an accelerated clock. Noise is real, so figures differ a little from run to run. The truth beside them is exact: what is\n" +
			"printed and drawn of a file of real readings is not for publication.",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir, _ = around(o.dir, args)
			draft, inForce, d, err := draftOf(o.dir, args[0])
			if err != nil {
				return err
			}
			if o.days < 1 || o.days > 31 {
				return &usageError{"--days is between 1 and 31"}
			}
			if o.seed == 0 {
				o.seed = rand.Uint64N(1_000_000) + 1
			}
			traffic := trial.City(draft, d, o.days, o.seed)
			if o.replay != "" {
				if o.register == "" {
					return &usageError{"--replay needs --register: which sensor is of which kind and where"}
				}
				reg, err := register.Load(o.register, os.ReadFile)
				if err != nil {
					return wrong(err)
				}
				if traffic, err = trial.Recorded(o.replay, o.mapping, o.layout, o.timezone, reg, draft, d); err != nil {
					return wrong(err)
				}
			}
			bar := progress(cmd.ErrOrStderr(), traffic.Minutes, "simulating, minute by minute")
			report, err := trial.Run(cmd.Context(), trial.Options{
				Draft: draft, InForce: inForce, Decision: d.Decision, Traffic: traffic,
				Progress: func(done, _ int) { _ = bar.Set(done) },
			})
			_ = bar.Finish()
			if err != nil {
				return wrong(err)
			}
			if o.svg == "auto" {
				o.svg = "simulation-" + d.Decision + ".svg"
			}
			if o.svg != "" {
				if err := os.WriteFile(o.svg, []byte(report.SVG(draft.Location)), 0o644); err != nil {
					return wrong(err)
				}
			}
			if o.json {
				return printJSON(cmd.OutOrStdout(), report)
			}
			showTrial(cmd.OutOrStdout(), report, o.seed, o.replay)
			if o.svg != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "\nDrawn: %s\n", o.svg)
			}
			return nil
		},
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
	return c
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
func draftOf(dir, name string) (draft, inForce *bundle.Policy, d *bundle.Decision, err error) {
	files, err := policy.ReadDir(dir)
	if err != nil {
		return nil, nil, nil, wrong(err)
	}
	if files, err = policy.WithRules(files); err != nil {
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
		return nil, nil, nil, wrong(err)
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

func showTrial(w io.Writer, r *trial.Report, seed uint64, file string) {
	source := fmt.Sprintf("the simulated city, seed %d", seed)
	if file != "" {
		source = file
	}
	fmt.Fprintf(w, "Decision %s over %d days of %s, from %s on.\n\n", r.Draft.Decision, r.Days, source, r.Start.Format(time.DateOnly))
	sides := []*trial.Side{r.Draft}
	if r.InForce != nil {
		sides = append(sides, r.InForce)
	} else {
		fmt.Fprintf(w, "Nothing that it changes is in force.\n\n")
	}
	t := tabwriter.NewWriter(w, 2, 2, 2, ' ', 0)
	fmt.Fprintln(t, "\tmeasure\tpublished\twithheld\tno data\tmean error\t95 % within\tintervals right")
	for _, s := range sides {
		for _, m := range s.Measures {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%.2f\t%.2f\t%.0f %%\n", s.Name, m.Name, m.Published, m.Withheld, m.NoData, m.MeanError, m.P95Error, 100*m.Covered)
		}
	}
	_ = t.Flush()
	fmt.Fprintln(w, "\nErrors are against everything that passed; intervals are about what could be counted, without the silenced.")
	for _, s := range sides {
		showSide(w, s)
	}
}

func showSide(w io.Writer, s *trial.Side) {
	fmt.Fprintf(w, "\n%s (decision %s):\n", s.Name, s.Decision)
	if s.Unit != "none" {
		b := s.Budget
		until := fmt.Sprintf("not reached in %d days", b.Days)
		if b.DaysUntilCap > 0 {
			until = fmt.Sprintf("reached on day %d; the rest of that day is withheld", b.DaysUntilCap)
		}
		fmt.Fprintf(w, "  budget: epsilon %.3g a day, %.3g with all decisions about a %s, of %.3g; the cap is %s\n", b.PerDay, b.AllDecisions, s.Unit, b.Cap, until)
		var parts []string
		total, all := 0, 0
		for h, x := range s.Hours {
			total, all = total+x.Silenced, all+x.Units
			if x.Silenced > 0 {
				parts = append(parts, fmt.Sprintf("%02d h %d of %d", h, x.Silenced, x.Units))
			}
		}
		fmt.Fprintf(w, "  silenced by the contribution bound: %d of %d units (per zone and window)\n", total, all)
		for chunk := range slices.Chunk(parts, 6) {
			fmt.Fprintf(w, "    %s\n", strings.Join(chunk, ", "))
		}
	}
	if len(s.Dropped) == 0 {
		fmt.Fprintln(w, "  no field of what was sent is dropped")
	}
	for _, d := range s.Dropped {
		fmt.Fprintf(w, "  dropped: %s of %s, in %d readings\n", d.Field, d.Kind, d.Readings)
	}
}
