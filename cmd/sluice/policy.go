package main

import "github.com/spf13/cobra"

func policyCommand() *cobra.Command {
	return group(&cobra.Command{Use: "policy", Short: "Write, check and explain what the council decides"},
		policyNew(), policyCheck(), policyFmt(), policyTest(), policyExplain(),
		policyDiff(), policySimulate(), policyDPIA(), policyConsult(), policyStudio())
}
