package main

import "github.com/spf13/cobra"

func registerCommand() *cobra.Command {
	c := &cobra.Command{Use: "register", Short: "For the register's keeper"}
	c.AddCommand(registerCheck())
	return c
}
