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
		fmt.Fprintf(w, "%s of budget, %s, %s\n", counted(r.Lines, "line", "lines"),
			counted(r.Releases, "released window", "released windows"), counted(r.Plans, "plan", "plans"))
		if shown {
			fmt.Fprintf(w, "%s compared with what was released; %s withdrawn in part or whole\n",
				counted(r.Observations, "number", "numbers"), counted(r.Withdrawn, "window", "windows"))
		}
		if r.Months > 0 {
			fmt.Fprintf(w, "%s of streams closed in the books; %s of the archive compared with it\n",
				counted(r.Months, "month", "months"), counted(r.Files, "file", "files"))
		}
		if r.Gateways > 0 {
			fmt.Fprintf(w, "%s, each with books of its own\n", counted(r.Gateways, "gateway", "gateways"))
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
			fmt.Fprintf(w, "%s; see gaps.jsonl\n", counted(r.Lost,
				"released window is not shown: the store has lost it",
				"released windows are not shown: the store has lost them"))
		}
		if r.Removed > 0 {
			fmt.Fprintf(w, "%s not shown: removed as their decision asks; see removals.jsonl\n",
				counted(r.Removed, "released window is", "released windows are"))
		}
		if r.Unchecked > 0 {
			fmt.Fprintf(w, "%s not checked: these books do not have the earlier text of the decision that asked for "+
				"it\n", counted(r.Unchecked, "removal is", "removals are"))
		}
		reportVotes(w, r)
		for _, p := range r.Problems {
			fmt.Fprintln(w, "WRONG:", brief.Text(p)) // books are anybody's
		}
	}
	if n := len(r.Problems); n > 0 {
		return &exitError{exitFailed, counted(n, "thing is wrong", "things are wrong")}
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

// reportVotes says who was not for what was decided, and where nobody has decided what was
// published: that it adds up is no vote.
func reportVotes(w io.Writer, r *verify.Report) {
	if r.Votes > 0 {
		fmt.Fprintf(w, "%s, each signed by its member over the motion\n",
			counted(r.Votes, "vote for a motion", "votes for motions"))
	}
	if r.Statements > 0 {
		fmt.Fprintf(w, "%s compared with what was signed\n",
			counted(r.Statements, "statement beside the votes", "statements beside the votes"))
	}
	switch n := len(r.Unvoted); {
	case n == 0:
	case n == r.Decisions:
		fmt.Fprintln(w, "No decision here has a vote: the policy is unsigned, and no council has decided these numbers")
	default:
		fmt.Fprintf(w, "%s no vote: %s\n", counted(n, "decision has", "decisions have"),
			brief.Text(strings.Join(r.Unvoted, ", ")))
	}
	if r.Simulation {
		fmt.Fprintln(w, "It is a simulation: nothing of it was measured in a street")
	}
}
