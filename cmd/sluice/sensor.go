package main

import "github.com/spf13/cobra"

func sensorCommand() *cobra.Command {
	c := &cobra.Command{Use: "sensor", Short: "For vendors and the register's keeper"}
	c.AddCommand(aclCommand())
	return c
}
