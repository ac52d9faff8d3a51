package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/gateway/doctor"
)

// Exit codes of verbs that check something.
const (
	exitWrong = 1
	exitAway  = 4
)

func doctorCommand() *cobra.Command {
	var file, mosquitto string
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor -c FILE", Short: "Say whether a gateway with this configuration would run well, and what to mend", Args: cobra.NoArgs,
		Long: "Doctor looks at the configuration, the broker (also as a stranger, who must be refused), the store, the disk,\n" +
			"swap, keys, files that others can write or read, clock, ledger, witness and policy; at sensors without a password or that nothing\n" +
			"can come of; at certificates, addresses that are taken, and the broker's files. It mends nothing. Exit codes: 0 well, 1 something is wrong,\n" +
			"3 the configuration is refused, 4 the broker or the store cannot be reached.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Read(file)
			if err != nil {
				return err
			}
			rules, err := childRules()
			if err != nil {
				return err
			}
			defer rules.Close()
			list := doctor.Examine(cmd.Context(), cfg, rules, mosquitto)
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", " ")
				if err := enc.Encode(map[string]any{"findings": list}); err != nil {
					return err
				}
			} else {
				for _, f := range list {
					fmt.Fprintf(cmd.OutOrStdout(), "%-12s %-19s %s\n", f.Verdict, f.Check, strings.ReplaceAll(f.Found, "\n", "\n"+strings.Repeat(" ", 33)))
					if f.Hint != "" {
						fmt.Fprintf(cmd.OutOrStdout(), "%-12s %-19s -> %s\n", "", "", f.Hint)
					}
				}
			}
			return verdict(list)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "gateway.yaml", "configuration file of the gateway")
	c.Flags().StringVar(&mosquitto, "mosquitto", "", "configuration file of the broker, where it is mosquitto")
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return c
}

func verdict(list []doctor.Finding) error {
	has := func(v doctor.Verdict) bool {
		return slices.ContainsFunc(list, func(f doctor.Finding) bool { return f.Verdict == v })
	}
	switch {
	case has(doctor.Fail):
		return &exit{exitWrong, "something is wrong; see above"}
	case has(doctor.Away):
		return &exit{exitAway, "a component cannot be reached; see above"}
	}
	return nil
}

// exit is an error with an exit code of its own.
type exit struct {
	code int
	text string
}

func (e *exit) Error() string { return e.text }
