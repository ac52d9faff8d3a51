package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/simulate"
)

func showSimulation(w io.Writer, v locale, r *simulate.Report, o *simulation) {
	source := v.Say("the simulated city, seed %s", fmt.Sprint(o.seed))
	switch {
	case o.street != "":
		source = v.Say("a street of %s, seed %s", o.street, fmt.Sprint(o.seed))
	case o.replay != "":
		source = o.replay
	}
	fmt.Fprintf(w, "%s\n\n", v.Say("Decision %s over %s of %s, from %s on.",
		r.Draft.Decision, v.Say("%d days", r.Days), source, r.Start.Format(time.DateOnly)))
	sides := []*simulate.Side{r.Draft}
	if r.InForce != nil {
		sides = append(sides, r.InForce)
	} else {
		fmt.Fprintf(w, "%s\n\n", v.Say("Nothing that it changes is in force."))
	}
	t := tabwriter.NewWriter(w, 2, 2, 2, ' ', 0)
	for _, column := range []string{
		"", v.Say("measure"), v.Say("published"), v.Say("withheld"), v.Say("no data"),
		v.Say("mean error"), v.Say("95 %% within"), v.Say("hold what was counted"),
	} {
		fmt.Fprint(t, column+"\t")
	}
	fmt.Fprintln(t, v.Say("hold what passed"))
	for _, s := range sides {
		for _, m := range s.Measures {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t%.0f %%\t%.0f %%\n",
				s.Title(v), m.Name, m.Published, m.Withheld, m.NoData,
				v.decimals(m.MeanError), v.decimals(m.P95Error), 100*m.Covered, 100*m.Inside)
		}
	}
	_ = t.Flush() // to a terminal or a buffer
	fmt.Fprintf(w, "\n%s\n", v.Say("Errors are against everything that passed; intervals are about what could be "+
		"counted, without the silenced."))
	for _, note := range r.Notes {
		fmt.Fprintln(w, note)
	}
	if r.Proposal != nil {
		fmt.Fprintf(w, "\n%s %s\n", v.Say("Proposed: max_contributions: %d, every: %s.",
			r.Proposal.MaxContributions, r.Proposal.Every), r.Proposal.Why)
	}
	for _, s := range sides {
		showSide(w, v, s)
	}
}

func showSide(w io.Writer, v locale, s *simulate.Side) {
	fmt.Fprintf(w, "\n%s\n  %s\n", v.Say("%s (decision %s):", s.Title(v), s.Decision), s.Sentence(v))
	if s.Unit != "none" {
		showBudget(w, v, s)
		showSilenced(w, v, s)
	}
	if len(s.Dropped) == 0 {
		fmt.Fprintln(w, v.Say("  no field of what was sent is dropped"))
	}
	for _, d := range s.Dropped {
		fmt.Fprintln(w, v.Say("  dropped: %s of %s, in %s", d.Field, d.Kind, v.Say("%d readings", d.Readings)))
	}
}

func showBudget(w io.Writer, v locale, s *simulate.Side) {
	b := s.Budget
	until := v.Say("the cap is not reached in %s", v.Say("%d days", b.Days))
	if b.DaysUntilCap > 0 {
		until = v.Say("the cap is reached on day %d; the rest of that day is withheld", b.DaysUntilCap)
	}
	fmt.Fprintln(w, v.Say("  budget: epsilon %s a day, %s with all decisions about the unit %s, of %s; %s",
		v.figure(b.PerDay), v.figure(b.AllDecisions), v.One(s.Unit), v.figure(b.Cap), until))
}

// showSilenced prints how many units had used up their contributions, hour by hour.
func showSilenced(w io.Writer, v locale, s *simulate.Side) {
	var parts []string
	total, all := 0, 0
	for h, x := range s.Hours {
		total, all = total+x.Silenced, all+x.Units
		if x.Silenced > 0 {
			parts = append(parts, v.Say("%02d h %d of %d", h, x.Silenced, x.Units))
		}
	}
	fmt.Fprintln(w, v.Say("  silenced by the contribution bound: %d of %d units (per zone and window)", total, all))
	for chunk := range slices.Chunk(parts, 6) {
		fmt.Fprintf(w, "    %s\n", strings.Join(chunk, ", "))
	}
}
