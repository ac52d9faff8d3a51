package main

import "github.com/spf13/cobra"

func sensorCommand() *cobra.Command {
	return group(&cobra.Command{Use: "sensor",
		Short: "Enter sensors, manage their credentials, try samples and devices, and watch them"},
		sensorCheck(), sensorImport(), sensorNew(), aclCommand(), certCommand(), certifyCommand(), watchCommand())
}
