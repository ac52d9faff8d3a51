package main

import (
	"strings"

	"github.com/spf13/cobra"

	"sluice/verify"
)

func verifyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify URL",
		Short: "Verify an open-data server against its public books",
		Args:  between(1, 1),
		Long: "Checks what sluice ledger verify checks, and compares every number that the server shows with the\n" +
			"digest of its window and with the noise of its plan, and every closed file of its archive with what\n" +
			"the books say of that month. If a city has several gateways, the books of all that the server names\n" +
			"are checked. Exit codes: 0 correct, 1 something is wrong, 4 the server\n" +
			"cannot be reached.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !strings.Contains(args[0], "://") {
				return &usageError{"verify needs a URL such as https://data.example; for files there is sluice " +
					"ledger verify"}
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
			report, err := verify.CheckAPI(cmd.Context(), all, newHTTPAPI(server), func(n, _ int) { _ = bar.Set(n) })
			_ = bar.Finish()
			if err == nil {
				err = verify.CheckFiles(cmd.Context(), all, newHTTPAPI(server), report)
			}
			if err != nil {
				return unreachable(err)
			}
			return showReport(cmd.OutOrStdout(), report, asJSON, true)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}
