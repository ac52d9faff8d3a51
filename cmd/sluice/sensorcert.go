package main

import (
	"github.com/spf13/cobra"
)

func certCommand() *cobra.Command {
	return group(&cobra.Command{Use: "cert", Short: "Be the certificate authority of a town's sensors"},
		certInit(), certIssue(), certRenew(), certRevoke())
}
