package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/trial"
)

func showTrial(w io.Writer, r *trial.Report, seed uint64, file string) {
	source := fmt.Sprintf("the simulated city, seed %d", seed)
	if file != "" {
		source = file
	}
	fmt.Fprintf(w, "Decision %s over %s of %s, from %s on.\n\n", r.Draft.Decision, days(r.Days), source, r.Start.Format(time.DateOnly))
	sides := []*trial.Side{r.Draft}
	if r.InForce != nil {
		sides = append(sides, r.InForce)
	} else {
		fmt.Fprintf(w, "Nothing that it changes is in force.\n\n")
	}
	t := tabwriter.NewWriter(w, 2, 2, 2, ' ', 0)
	fmt.Fprintln(t, "\tmeasure\tpublished\twithheld\tno data\tmean error\t95 % within\thold what was counted\thold what passed")
	for _, s := range sides {
		for _, m := range s.Measures {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%.2f\t%.2f\t%.0f %%\t%.0f %%\n", s.Name, m.Name, m.Published, m.Withheld, m.NoData, m.MeanError, m.P95Error, 100*m.Covered, 100*m.Inside)
		}
	}
	_ = t.Flush()
	fmt.Fprintln(w, "\nErrors are against everything that passed; intervals are about what could be counted, without the silenced.")
	for _, note := range r.Notes {
		fmt.Fprintln(w, note)
	}
	if r.Proposal != nil {
		fmt.Fprintf(w, "\nProposed: max_contributions: %d, every: %s. %s\n", r.Proposal.MaxContributions, r.Proposal.Every, r.Proposal.Why)
	}
	for _, s := range sides {
		showSide(w, s)
	}
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

func showSide(w io.Writer, s *trial.Side) {
	fmt.Fprintf(w, "\n%s (decision %s):\n  %s\n", s.Name, s.Decision, s.Sentence())
	if s.Unit != "none" {
		b := s.Budget
		until := "not reached in " + days(b.Days)
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
