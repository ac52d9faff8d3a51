package main

import (
	"strings"

	"github.com/spf13/cobra"

	"sluice/proof"
)

func verifyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "verify URL", Short: "Check everything that an open-data server shows against its public books", Args: between(1, 1),
		Long: "Like ledger verify, and every number that is shown is compared with the digest that its window was\n" +
			"released under and with the noise that its plan asks for. Where a city has several gateways, the books of\n" +
			"all that the server names are checked. Exit codes: 0 right, 1 wrong, 4 out of reach.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !strings.Contains(args[0], "://") {
				return &usageError{"verify needs a URL such as https://data.example; for files there is sluice ledger verify"}
			}
			if _, err := openBooks(args[0]); err != nil {
				return err
			}
			server, _, _ := strings.Cut(args[0], gatewaysPath) // what it shows is all gateways'
			all, err := openServer(server)
			if err != nil {
				return err
			}
			windows := 0
			for _, r := range all {
				releases, err := r.Releases()
				if err != nil {
					return unreachable(err)
				}
				windows += len(releases)
			}
			bar := progress(cmd.ErrOrStderr(), windows, "comparing windows")
			report, err := proof.CheckAll(cmd.Context(), all, newRemote(server), func(n, _ int) { _ = bar.Set(n) })
			_ = bar.Finish()
			if err != nil {
				return unreachable(err)
			}
			return showReport(cmd.OutOrStdout(), report, asJSON, true)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}
