package main

import "github.com/spf13/cobra"

func sensorCommand() *cobra.Command {
	return group(&cobra.Command{Use: "sensor", Short: "For vendors and the register's keeper"},
		aclCommand())
}
