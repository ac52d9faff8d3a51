package main

import "github.com/spf13/cobra"

func clusterCommand() *cobra.Command {
	return group(&cobra.Command{Use: "cluster", Short: "Set up several machines that are one city, and watch them"},
		clusterNatsCommand(),
		group(&cobra.Command{Use: "member", Short: "Make keys of machines"}, memberNewCommand()),
		group(&cobra.Command{Use: "roster", Short: "Sign who the machines are, and check it"},
			rosterSignCommand(), rosterCheckCommand()),
		clusterMoveCommand(), clusterStatusCommand())
}
