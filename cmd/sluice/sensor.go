package main

import "github.com/spf13/cobra"

func sensorCommand() *cobra.Command {
	return group(&cobra.Command{Use: "sensor", Short: "Enter sensors, and manage their credentials"},
		sensorImport(), sensorNew(), aclCommand(), certCommand())
}
