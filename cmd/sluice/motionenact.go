package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/policy/workspace"
)

func motionEnact(dir *string) *cobra.Command {
	var inboxes []string
	c := &cobra.Command{
		Use:   "enact ID",
		Short: "Enact a motion: write the file that gateways take",
		Args:  between(1, 1),
		Long: "Verifies the motion as a gateway does, then writes DIR/motions/ID/ID.sluice, and a copy into each\n" +
			"--inbox. Gateways take the file from a directory or a web server; putting it there is all that is\n" +
			"left to do.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			now := time.Now()
			e, files, problems, err := workspace.Dir(*dir).Enact(args[0], now, inboxes)
			w := cmd.OutOrStdout()
			tellBallots(w, v, problems)
			if err != nil {
				return failed(err)
			}
			if who := v.List(e.Members()); len(e.Ballots) == 1 {
				fmt.Fprintln(w, v.Say("%s, version %d, is enacted with the signature of %s (%d needed).",
					e.ID, e.Version, who, e.Needed))
			} else {
				fmt.Fprintln(w, v.Say("%s, version %d, is enacted with the signatures of %s (%d needed).",
					e.ID, e.Version, who, e.Needed))
			}
			tellStatements(w, v, e.Statements)
			if e.From.After(now) {
				when := v.moment(e.From, e.Policy.Location)
				fmt.Fprintln(w, v.Say("It takes effect on %s; until then gateways announce it.", when))
			}
			fmt.Fprintln(w, v.Say("Written: %s", strings.Join(files, ", ")))
			if len(inboxes) == 0 {
				fmt.Fprintln(w, v.Say("No gateway has it yet: put %s where policy.inbox of their gateway.yaml says, "+
					"or run this again with --inbox DIR.", files[0]))
			}
			if e.Version == 1 {
				fmt.Fprintf(w, "\n%s\n\n  policy: {inbox: %s, roster: \"sha256:%s\"}\n",
					v.Say("A gateway that starts with it pins this roster in gateway.yaml:"), v.Say("PATH or URL"),
					e.Roster)
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&inboxes, "inbox", nil,
		"directory that gateways watch, for a copy of the file; may be repeated")
	return c
}
