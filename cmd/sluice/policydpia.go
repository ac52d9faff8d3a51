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
	var language, dir, reg string
	c := &cobra.Command{
		Use:   "dpia [DIR or DECISION...]",
		Short: "Draft an impact assessment and an article 30 record, in Markdown",
		Long: "Fills in what the policy and the register say (GDPR, articles 35 and 30); what only people can\n" +
			"answer is left to them. DECISION is an id or a file; all decisions of the directory by default.",
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lang(language)
			if err != nil {
				return err
			}
			dir, args := findPolicyDir(dir, args)
			p, err := readPolicy(cmd.Context(), newLocale(l), dir)
			if err != nil {
				return err
			}
			list, err := choose(p, args)
			if err != nil {
				return err
			}
			sensors := &register.Register{}
			for _, near := range []string{"register.yaml", "../register.yaml"} {
				if path := filepath.Join(dir, near); reg == "" && isFile(path) {
					reg = path
				}
			}
			if reg != "" {
				if sensors, err = register.Load(reg, os.ReadFile); err != nil {
					return failed(err)
				}
			}
			text, err := dpia.Markdown(l, p, list, sensors)
			if err != nil {
				return failed(err)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
	c.Flags().StringVar(&dir, "dir", ".", "policy directory")
	langFlag(c, &language)
	c.Flags().StringVar(&reg, "register", "", "register of sensors (default: register.yaml in the policy directory "+
		"or beside it)")
	return c
}
