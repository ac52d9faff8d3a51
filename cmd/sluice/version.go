package main

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which version this is", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return errors.New("this binary does not know its version")
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "sluice %s, %s\n", info.Main.Version, info.GoVersion)
			return err
		},
	}
}
