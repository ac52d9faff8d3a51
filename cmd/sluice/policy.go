package main

import "github.com/spf13/cobra"

func policyCommand() *cobra.Command {
	return group(&cobra.Command{Use: "policy", Short: "Write, check and understand the rules that the council votes"},
		policyNew(), policyCheck(), policyFmt(), policyTest(), policyExplain(), policyDiff(), policySimulate(), policyDPIA())
}
