package main

import (
	"fmt"
	"io"
	"strings"

	"sluice/brief"
	"sluice/verify"
)

func showReport(w io.Writer, r *verify.Report, asJSON, shown bool) error {
	if asJSON {
		if r.Problems == nil {
			r.Problems = []string{} // a list, for programs
		}
		if err := printJSON(w, r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(w, "%d lines of budget, %d released windows, %d plans\n", r.Lines, r.Releases, r.Plans)
		if shown {
			fmt.Fprintf(w, "%d numbers compared with what was released; %d windows withdrawn in part or whole\n",
				r.Observations, r.Withdrawn)
		}
		if r.Gateways > 0 {
			fmt.Fprintf(w, "%d gateways, each with books of its own\n", r.Gateways)
		}
		if len(r.Elsewhere) > 0 {
			fmt.Fprintf(w, "zones.geojson also gives zones to %s; their books are not here, so their numbers are "+
				"not checked\n", brief.Text(strings.Join(r.Elsewhere, ", ")))
		}
		if len(r.Charters) > 0 {
			fmt.Fprintf(w, "the gateways' charters differ (%s): one has not taken the last motion yet, or it was "+
				"not for all\n", brief.Text(strings.Join(r.Charters, ", ")))
		}
		if r.Lost > 0 {
			fmt.Fprintf(w, "%d released windows are not shown: the store has lost them; see gaps.jsonl\n", r.Lost)
		}
		if r.Removed > 0 {
			fmt.Fprintf(w, "%d released windows are not shown: removed as their decision asks; see "+
				"removals.jsonl\n", r.Removed)
		}
		if r.Unchecked > 0 {
			fmt.Fprintf(w, "%d removals follow an earlier text of a decision, which these books do not have; they "+
				"are not checked\n", r.Unchecked)
		}
		for _, p := range r.Problems {
			fmt.Fprintln(w, "WRONG:", brief.Text(p)) // books are anybody's
		}
	}
	if n := len(r.Problems); n == 1 {
		return &exitError{exitFailed, "1 thing is wrong"}
	} else if n > 0 {
		return &exitError{exitFailed, fmt.Sprintf("%d things are wrong", n)}
	}
	switch {
	case asJSON:
	case r.Lines+r.Releases+r.Observations == 0:
		fmt.Fprintln(w, "Nothing has been released yet, so there is nothing to compare.")
	default:
		fmt.Fprintln(w, "Everything adds up.")
	}
	return nil
}
