package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"sluice/policy/explain"
	"sluice/policy/workspace"
)

func policyExplain() *cobra.Command {
	var language, dir string
	c := &cobra.Command{
		Use:   "explain [DIR or DECISION...]",
		Short: "Explain decisions in plain words",
		Long:  "DECISION is an id or a file. Explains all decisions of the directory by default.",
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
			chain, err := workspace.Dir(dir).Chain()
			if err != nil {
				return failed(err)
			}
			for _, d := range list {
				vote := explain.Vote{}
				if e := workspace.Author(chain, d.Decision, d.YAML); e != nil {
					vote = explain.Vote{Motion: e.ID, Version: e.Version, Members: e.Members()}
				}
				text, err := explain.Decision(l, p, d, vote)
				if err != nil {
					return failed(err)
				}
				fmt.Fprintln(cmd.OutOrStdout(), text)
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", ".", "policy directory")
	langFlag(c, &language)
	return c
}
