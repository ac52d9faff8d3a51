package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"sluice/policy/council"
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
			since := lastChanged(chain)
			for _, d := range list {
				vote := explain.Vote{}
				if e := since[d.Decision]; e != nil && string(e.Policy.Decision(d.Decision).YAML) == string(d.YAML) {
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

// lastChanged finds the motion that gave each decision its present text.
func lastChanged(chain []*council.Enacted) map[string]*council.Enacted {
	out, texts := make(map[string]*council.Enacted), make(map[string]string)
	for _, e := range chain {
		for _, d := range e.Policy.Decisions {
			if texts[d.Decision] != string(d.YAML) {
				out[d.Decision], texts[d.Decision] = e, string(d.YAML)
			}
		}
	}
	return out
}
