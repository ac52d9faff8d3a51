package main

import "github.com/spf13/cobra"

func ledgerCommand() *cobra.Command {
	return group(&cobra.Command{Use: "ledger", Short: "The privacy budget: what was spent, and whether the books are right"},
		ledgerShowCommand(), ledgerVerifyCommand(), ledgerRecoverCommand(), ledgerAsideCommand())
}
