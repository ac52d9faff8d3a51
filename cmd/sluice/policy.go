package main

import "github.com/spf13/cobra"

func policyCommand() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "Write, check and understand the rules that the council votes", Args: cobra.NoArgs, RunE: showHelp}
	c.AddCommand(policyNew(), policyCheck(), policyFmt(), policyTest(), policyExplain(), policyDiff(), policySimulate(), policyDPIA())
	return c
}
