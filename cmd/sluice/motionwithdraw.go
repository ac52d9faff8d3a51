package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sluice/policy/workspace"
)

func motionWithdraw(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "withdraw ID MEMBER",
		Short: "Take out what a member has signed, so that they can vote anew",
		Args:  between(2, 2),
		Long: "Moves what the member has signed from among the ballots to DIR/motions/ID/withdrawn, where it does\n" +
			"not count and is not lost. For a member who has changed their mind, before the motion is enacted.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			moved, err := workspace.Dir(*dir).Withdraw(args[0], args[1])
			if errors.Is(err, workspace.ErrNoBallot) {
				return failed(fmt.Errorf("nothing among the ballots is signed by %s; see sluice motion status %s",
					args[1], args[0]))
			}
			if err != nil {
				return failed(err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), v.Say("Taken out, and kept as %s. %s can vote anew.",
				strings.Join(moved, ", "), args[1]))
			return nil
		},
	}
}
