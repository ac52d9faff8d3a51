package main

import "github.com/spf13/cobra"

func ledgerCommand() *cobra.Command {
	c := &cobra.Command{Use: "ledger", Short: "The privacy budget: what was spent, and whether the books are right"}
	c.AddCommand(ledgerShowCommand(), ledgerVerifyCommand(), ledgerRecoverCommand(), ledgerAsideCommand())
	return c
}
