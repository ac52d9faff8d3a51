package main

import (
	"github.com/spf13/cobra"

	"sluice/verify"
)

func ledgerVerifyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify BOOKS...",
		Short: "Verify public books: recompute everything in them",
		Args:  between(1, -1),
		Long: "BOOKS is a gateway's state directory, its public/ directory, a copy of that, or the URL of an open-\n" +
			"data server. Follows both hash chains, adds up every day, and recomputes the cost and noise of every\n" +
			"plan; docs/release.md has the formats. Exit codes: 0 correct, 1 something is wrong, 4 the server\n" +
			"cannot be reached.",
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := openAll(args)
			if err != nil {
				return err
			}
			report, err := verify.Check(all...)
			if err != nil {
				return unreachable(err)
			}
			return showReport(cmd.OutOrStdout(), report, asJSON, false)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}
