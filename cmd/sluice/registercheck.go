package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/register"
)

func registerCheck() *cobra.Command {
	var dir string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check FILE or DIR",
		Short: "Check a register; report every problem with its line and a fix",
		Args:  between(1, 1),
		Long: "Reads one file, or all *.yaml files of a directory. With --policy, zones, kinds and mapped fields\n" +
			"must be those of the policy. Exit codes: 0 correct, 1 it has mistakes, 3 the register or the policy\n" +
			"cannot be read.",
		RunE: func(cmd *cobra.Command, args []string) error {
			sensors, found, err := registerFaults(args[0], dir)
			if err != nil {
				return &config.Refusal{Err: err}
			}
			if asJSON {
				err = faultsJSON(cmd.OutOrStdout(), sensors, found)
			} else {
				err = faultsText(cmd.OutOrStdout(), sensors, found)
			}
			if n := register.Wrong(found); err == nil && n > 0 {
				return &exitError{exitFailed, newLocale(0).Say("%d mistakes", n)}
			}
			return err
		},
	}
	c.Flags().StringVar(&dir, "policy", "", "policy directory that has the zones, kinds and fields")
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return c
}

func faultsText(w io.Writer, sensors int, found []register.Fault) error {
	if err := faultLines(w, found); err != nil || register.Wrong(found) > 0 || sensors == 0 {
		return err
	}
	_, err := fmt.Fprintf(w, "%s. Nothing is wrong.\n", counted(sensors, "sensor", "sensors"))
	return err
}

func faultsJSON(w io.Writer, sensors int, found []register.Fault) error {
	more := max(0, len(found)-maxFaults)
	return printJSON(w, map[string]any{"sensors": sensors, "findings": faultFindings(found), "more": more})
}
