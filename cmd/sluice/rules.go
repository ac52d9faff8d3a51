package main

import (
	"github.com/spf13/cobra"

	"sluice/gateway"
	"sluice/policy/rego"
)

// rulesCommand evaluates the council's rules for the gateway that started it.
func rulesCommand() *cobra.Command {
	return &cobra.Command{
		Use: gateway.RulesVerb, Hidden: true, Args: between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return rego.Serve(cmd.InOrStdin(), cmd.OutOrStdout()) },
	}
}
