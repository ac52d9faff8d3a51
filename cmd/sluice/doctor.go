package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/doctor"
	"sluice/policy/rego"
)

func doctorCommand() *cobra.Command {
	var file, mosquitto string
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor -c FILE",
		Short: "Check whether a gateway would run well with this configuration",
		Args:  between(0, 0),
		Long: "Checks the configuration, the broker (also as a stranger, whom it must refuse), the store, the disk,\n" +
			"swap, keys, file permissions, the clock, the ledger, the witness and the policy; sensors without a\n" +
			"password or whose readings nothing can come of; certificates, addresses in use, and the broker's\n" +
			"files. It changes nothing. Exit codes: 0 all is well, 1 a check failed, 3 the configuration is\n" +
			"refused, 4 the broker or the store cannot be reached.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := readConfig(file)
			if err != nil {
				return err
			}
			var list []doctor.Finding
			err = withRules(func(rules *rego.Child) error {
				list = doctor.Examine(cmd.Context(), cfg, rules, mosquitto)
				return nil
			})
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), map[string]any{"findings": list})
			} else {
				printFindings(cmd.OutOrStdout(), list)
			}
			if err != nil {
				return err
			}
			return verdict(list)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "gateway.yaml", "configuration file of the gateway")
	c.Flags().StringVar(&mosquitto, "mosquitto", "", "configuration file of a mosquitto broker, to check as well")
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return c
}

func printFindings(w io.Writer, list []doctor.Finding) {
	for _, f := range list {
		found := strings.ReplaceAll(f.Found, "\n", "\n"+strings.Repeat(" ", 33))
		fmt.Fprintf(w, "%-12s %-19s %s\n", f.Verdict, f.Check, found)
		if f.Hint != "" {
			fmt.Fprintf(w, "%-12s %-19s -> %s\n", "", "", f.Hint)
		}
	}
}

// verdict is the error, with its exit code, for a list of findings.
func verdict(list []doctor.Finding) error {
	has := func(v doctor.Verdict) bool {
		return slices.ContainsFunc(list, func(f doctor.Finding) bool { return f.Verdict == v })
	}
	switch {
	case has(doctor.Fail):
		return &exitError{exitFailed, "something is wrong; see above"}
	case has(doctor.Away):
		return &exitError{exitUnreachable, "a component cannot be reached; see above"}
	}
	return nil
}
