package main

import "github.com/spf13/cobra"

func sensorCommand() *cobra.Command {
	return group(&cobra.Command{Use: "sensor", Short: "Manage the credentials of sensors"},
		aclCommand())
}
