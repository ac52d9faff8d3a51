package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"sluice/policy/dpia"
	"sluice/register"
)

func policyDPIA() *cobra.Command {
	var language, reg string
	c := &cobra.Command{
		Use:   "dpia [DIR]",
		Short: "Draft an impact assessment and an article 30 record, in Markdown",
		Args:  between(0, 1),
		Long: "Fills in what the policy and the register say (GDPR, articles 35 and 30); what only people can\n" +
			"answer is left to them.",
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lang(language)
			if err != nil {
				return err
			}
			p, err := readPolicy(cmd.Context(), newLocale(l), dirArg(args))
			if err != nil {
				return err
			}
			sensors := &register.Register{}
			for _, near := range []string{"register.yaml", "../register.yaml"} {
				if path := filepath.Join(dirArg(args), near); reg == "" && isFile(path) {
					reg = path
				}
			}
			if reg != "" {
				if sensors, err = register.Load(reg, os.ReadFile); err != nil {
					return failed(err)
				}
			}
			text, err := dpia.Markdown(l, p, sensors)
			if err != nil {
				return failed(err)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
	langFlag(c, &language)
	c.Flags().StringVar(&reg, "register", "", "register of sensors (default: register.yaml in the policy directory "+
		"or beside it)")
	return c
}
