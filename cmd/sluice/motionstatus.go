package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sluice/policy/council"
	"sluice/policy/diff"
	"sluice/policy/workspace"
)

func motionStatus(dir *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status ID",
		Short: "Show who has signed, what is missing, and which quorum applies",
		Args:  between(1, 1),
		Long:  "Exit codes: 0 the motion can be enacted, 1 something is missing.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			d := workspace.Dir(*dir)
			parts, problems, err := d.Load(args[0])
			if err != nil {
				return failed(err)
			}
			s, err := countBallots(d, parts)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return statusJSON(cmd.OutOrStdout(), v, args[0], s, problems)
			}
			return status(cmd.OutOrStdout(), v, d, args[0], s, problems)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the status as JSON")
	return c
}

func status(w io.Writer, v locale, d workspace.Dir, id string, s *council.Standing, problems []error) error {
	tell := func(err error) string { return v.Retell(terminalText(err)) }
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range s.Members {
		switch {
		case m.Signed:
			fmt.Fprintf(t, "  %s\t%s (%s)%s\n", v.Say("signed"), m.Name, m.ID, reasonOfVote(m))
		case m.Problem != nil:
			fmt.Fprintf(t, "  %s\t%s (%s): %s\n", v.Say("INVALID"), m.Name, m.ID, tell(m.Problem))
		case m.Statement == nil && m.Misstated == nil:
			fmt.Fprintf(t, "  -\t%s (%s)\n", m.Name, m.ID)
		}
		if m.Statement != nil {
			fmt.Fprintf(t, "  %s\t%s (%s)%s\n", choiceWord(v, m.Statement.Choice), m.Name, m.ID,
				quoted(m.Statement.Reason))
		}
		if m.Misstated != nil {
			fmt.Fprintf(t, "  %s\t%s (%s): %s\n", v.Say("INVALID"), m.Name, m.ID, tell(m.Misstated))
		}
	}
	_ = t.Flush() // to a terminal or a buffer
	tellBallots(w, v, problems)
	if s.Needed == 1 {
		fmt.Fprintf(w, "\n%s\n", v.Say("%d of 1 signature (%s), because:", s.Signed, quorums(s.Needs)))
	} else {
		fmt.Fprintf(w, "\n%s\n", v.Say("%d of %d signatures (%s), because:", s.Signed, s.Needed, quorums(s.Needs)))
	}
	showChanges(w, v, s.Changes)
	if s.Against+s.Abstained > 0 {
		fmt.Fprintln(w, v.Say("Against: %d. Abstain: %d. Both are part of the record, and count to no quorum.",
			s.Against, s.Abstained))
	}
	switch {
	case council.CodeOf(s.Problem) == council.NotYet && s.Problem != nil:
		fmt.Fprintln(w, v.Say("It takes effect on %s if it is enacted by then.", v.moment(s.From, s.From.Location())))
	case s.Problem != nil:
		fmt.Fprintf(w, "%s\n", tell(s.Problem))
	}
	if err := notEnactable(v, s); err != nil {
		return err
	}
	if file := filepath.Join(d.Motion(id), id+".sluice"); isFile(file) {
		fmt.Fprintf(w, "\n%s\n", v.Say("It is enacted: gateways take %s.", file))
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", v.Say("Enough. Next: sluice motion enact %s", id)+d.Flag())
	return nil
}

// reasonOfVote is why a member is for the motion, where they have said it.
func reasonOfVote(m council.Voter) string {
	if m.Reason == nil {
		return ""
	}
	return quoted(m.Reason.Reason)
}

// notEnactable is the error if the motion cannot be enacted, the same for text and JSON.
func notEnactable(v locale, s *council.Standing) error {
	if left := s.Needed - s.Signed; left > 0 {
		text := v.Say("%d more members must sign motion.txt", left)
		if slices.ContainsFunc(s.Members, func(m council.Voter) bool { return m.Problem != nil }) {
			text += "; " + v.Say("whoever's ballot does not count can sign again")
		}
		return &exitError{exitFailed, text}
	}
	if s.Problem != nil && council.CodeOf(s.Problem) != council.NotYet {
		return failed(s.Problem)
	}
	return nil
}

func statusJSON(w io.Writer, v locale, id string, s *council.Standing, problems []error) error {
	type member struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Signed  bool   `json:"signed"`
		Problem string `json:"problem,omitempty"`
		Choice  string `json:"choice,omitempty"` // of a ballot that is not for the motion
		Reason  string `json:"reason,omitempty"` // of any ballot
	}
	out := struct {
		Motion    string        `json:"motion"`
		Needed    int           `json:"needed"`
		Signed    int           `json:"signed"`
		Against   int           `json:"against"`
		Abstained int           `json:"abstained"`
		Quorums   []diff.Quorum `json:"quorums"`
		Members   []member      `json:"members"`
		Problems  []string      `json:"problems"` // ballots that are nobody's
		Problem   string        `json:"problem,omitempty"`
	}{id, s.Needed, s.Signed, s.Against, s.Abstained, s.Needs, []member{}, []string{}, ""}
	if s.Problem != nil {
		out.Problem = v.Retell(s.Problem.Error())
	}
	for _, m := range s.Members {
		x := member{ID: m.ID, Name: m.Name, Signed: m.Signed}
		if m.Problem != nil {
			x.Problem = v.Retell(m.Problem.Error())
		}
		if m.Misstated != nil {
			x.Problem = v.Retell(m.Misstated.Error())
		}
		if m.Statement != nil {
			x.Choice, x.Reason = string(m.Statement.Choice), m.Statement.Reason
		}
		if m.Reason != nil {
			x.Reason = m.Reason.Reason
		}
		out.Members = append(out.Members, x)
	}
	for _, p := range problems {
		out.Problems = append(out.Problems, v.Retell(p.Error()))
	}
	if err := printJSON(w, out); err != nil {
		return err
	}
	return notEnactable(v, s)
}
