package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/policy/workspace"
)

func motionSuspend(dir *string) *cobra.Command {
	var reasons []string
	c := &cobra.Command{
		Use:   "suspend DECISION --reason TEXT",
		Short: "Put a suspension to the vote: few signatures, effective at once",
		Args:  between(1, 1),
		Long: "Makes a motion of the policy in force with one change: the decision is suspended. It takes effect as\n" +
			"soon as it is enacted; open windows are withheld. The reason is public: one text, or one for each\n" +
			"language of the city, --reason ca=TEXT --reason en=TEXT, of which residents read theirs.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			reason, err := reasonOf(reasons)
			if err != nil {
				return err
			}
			d := workspace.Dir(*dir)
			m, p, drafted, err := d.Suspend(workspace.Stop{Decision: args[0], Reason: reason, Now: time.Now()})
			if err != nil {
				return failed(err)
			}
			w := cmd.OutOrStdout()
			if err := printCreated(w, v, d, m, p.Location); err != nil {
				return err
			}
			fmt.Fprintf(w, "\n%s\n", v.Say("%s has the suspension now too, so that no later motion lifts it by "+
				"mistake. If this motion is not enacted, remove it there.", drafted))
			return nil
		},
	}
	c.Flags().StringArrayVar(&reasons, "reason", nil, "why, for residents: TEXT, or LANGUAGE=TEXT; may be repeated")
	return c
}
