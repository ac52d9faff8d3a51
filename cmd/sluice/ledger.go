package main

import "github.com/spf13/cobra"

func ledgerCommand() *cobra.Command {
	return group(&cobra.Command{Use: "ledger", Short: "Show, check and repair the ledger of the privacy budget"},
		ledgerShowCommand(), ledgerVerifyCommand(), ledgerRecoverCommand(), ledgerAsideCommand())
}
