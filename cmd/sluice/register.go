package main

import "github.com/spf13/cobra"

func registerCommand() *cobra.Command {
	return group(&cobra.Command{Use: "register", Short: "For the register's keeper"},
		registerCheck())
}
