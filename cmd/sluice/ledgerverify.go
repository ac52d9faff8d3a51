package main

import (
	"github.com/spf13/cobra"

	"sluice/proof"
)

func ledgerVerifyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "verify BOOKS...", Short: "Compute everything in the public books again", Args: between(1, -1),
		Long: "BOOKS are as for show. Both chains are followed, every day is added up, every plan's cost and noise is\n" +
			"computed again. docs/release.md has the formats. Exit code 1 when something is wrong.",
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := openAll(args)
			if err != nil {
				return err
			}
			report, err := proof.CheckBooks(all)
			if err != nil {
				return unreachable(err)
			}
			return showReport(cmd.OutOrStdout(), report, asJSON, false)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}
