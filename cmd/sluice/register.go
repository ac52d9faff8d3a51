package main

import "github.com/spf13/cobra"

func registerCommand() *cobra.Command {
	return group(&cobra.Command{Use: "register", Short: "Check the register of sensors"},
		registerCheck())
}
