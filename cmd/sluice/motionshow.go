package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/civil"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/workspace"
)

func motionShow(dir *string) *cobra.Command {
	var at string
	c := &cobra.Command{
		Use:   "show",
		Short: "Show what is in force, since when, by whose votes, and until when",
		Args:  between(0, 0),
		Long: "Shows what is in force now, what waits for its time, and the state of each decision. --at shows the\n" +
			"end of another day, as far as it has been voted.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			d := workspace.Dir(*dir)
			chain, err := d.Chain()
			if err != nil {
				return failed(err)
			}
			now := time.Now()
			if at != "" {
				var of civil.Date
				if err := of.UnmarshalText([]byte(at)); err != nil {
					return &usageError{v.Say("--at is a day, e.g. 2026-12-10")}
				}
				loc := time.Local
				if last := workspace.Last(chain); last != nil {
					loc = last.Policy.Location
				}
				of.Day++
				now = of.Start(loc).Add(-time.Second)
			}
			if len(chain) == 0 {
				return printNothing(cmd.OutOrStdout(), v, d)
			}
			printInForce(cmd.OutOrStdout(), v, chain, now)
			return nil
		},
	}
	c.Flags().StringVar(&at, "at", "", "the end of this day, e.g. 2026-12-10 (default: now)")
	return c
}

func printNothing(w io.Writer, v locale, d workspace.Dir) error {
	files, err := compile.ReadDir(string(d))
	if err != nil {
		return failed(err)
	}
	roster, ok := files["council.yaml"]
	if !ok {
		return failed(errors.New("there is no council.yaml here; name the policy directory with --dir"))
	}
	fmt.Fprintf(w, "%s\n%s\n%s\n", v.Say("No motion has been enacted yet: nothing flows."),
		v.Say("The roster in council.yaml, as gateways pin it: %s", `roster: "sha256:`+council.Sum(roster)+`"`),
		v.Say("Next: sluice motion create ID")+d.Flag())
	return nil
}

// printInForce prints what is in force at an instant, which motions wait, and the state of every
// decision that was ever voted.
func printInForce(w io.Writer, v locale, chain []*council.Enacted, now time.Time) {
	current := workspace.InForce(chain, now)
	waiting := chain[len(current):]
	if last := workspace.Last(current); last != nil {
		fmt.Fprintln(w, v.Say("Version %d, motion %s, is in force since %s, signed by %s.", last.Version, last.ID,
			v.moment(last.From, last.Policy.Location), v.List(last.Members())))
		tellStatements(w, v, last.Statements)
	} else {
		fmt.Fprintln(w, v.Say("Nothing is in force yet, so nothing flows."))
	}
	for _, e := range waiting {
		fmt.Fprintln(w, v.Say("Version %d, motion %s, is in force from %s on, signed by %s.", e.Version, e.ID,
			v.moment(e.From, e.Policy.Location), v.List(e.Members())))
		tellStatements(w, v, e.Statements)
	}
	fmt.Fprintf(w, "%s\n\n", v.Say("First roster: %s", "sha256:"+chain[0].Roster))
	states := statesOf(chain, now)
	for _, s := range states {
		s.show(w, v, now)
	}
	if len(states) == 0 {
		fmt.Fprintln(w, v.Say("There is no decision, so nothing flows."))
	}
}
