package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"sluice/brief"
	"sluice/gateway"
	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/desk"
	"sluice/register"
)

func registerCommand() *cobra.Command {
	c := &cobra.Command{Use: "register", Short: "For the register's keeper"}
	c.AddCommand(registerCheck())
	return c
}

// maxFaults is how many faults are shown.
const maxFaults = 1000

func registerCheck() *cobra.Command {
	var dir string
	var asJSON bool
	c := &cobra.Command{
		Use: "check FILE or DIR", Short: "Say everything that is wrong with a register, each with its line, and how to mend it", Args: cobra.ExactArgs(1),
		Long: "Reads one file, or all *.yaml files of a directory. With --policy, zones, kinds and mapped fields are looked up in it.\n" +
			"Exit code 0 when nothing is wrong, 1 when something is, 3 when the register or the policy cannot be read at all.",
		RunE: func(cmd *cobra.Command, args []string) error {
			reg, found, err := register.Examine(args[0], os.ReadFile)
			if err != nil {
				return &gateway.Refusal{Err: err}
			}
			var kinds map[string]decision.Kind
			var zones *register.Zones
			if dir != "" {
				p, err := desk.Desk(dir).Draft()
				if err != nil {
					return &gateway.Refusal{Err: fmt.Errorf("%w\nsee sluice policy check %s", err, dir)}
				}
				kinds, zones = p.Kinds, p.Zones
				found = append(found, owners(reg, dir, p)...)
			}
			found = append(found, reg.Check(kinds, zones)...)
			slices.SortStableFunc(found, register.Fault.Compare)
			if asJSON {
				err = faultsJSON(cmd.OutOrStdout(), len(reg.Sensors), found)
			} else {
				err = faultsText(cmd.OutOrStdout(), len(reg.Sensors), found)
			}
			if err == nil && len(found) > 0 {
				return &exit{exitWrong, fmt.Sprintf("mistakes: %d", len(found))}
			}
			return err
		},
	}
	c.Flags().StringVar(&dir, "policy", "", "policy directory, to look up zones, kinds and fields")
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return c
}

// owners are those that decisions name in by_owner and the register does not know.
func owners(reg *register.Register, dir string, p *bundle.Policy) (found []register.Fault) {
	for _, d := range p.Decisions {
		var named []string
		for _, part := range d.Stream.OwnerParts() {
			named = append(named, part.Owner)
		}
		if tree, err := decision.ParseTree(d.YAML); err == nil && len(named) > 0 {
			at := tree.At([]string{"protect", "by_owner"}, false)
			found = append(found, reg.CheckOwners(filepath.Join(dir, d.File), at.Line, d.Decision, named)...)
		}
	}
	return found
}

func faultsText(w io.Writer, sensors int, found []register.Fault) error {
	for _, f := range found[:min(len(found), maxFaults)] {
		if _, err := fmt.Fprintln(w, brief.Report(f.Error())); err != nil {
			return err
		}
	}
	switch n := len(found) - maxFaults; {
	case n > 0:
		_, err := fmt.Fprintf(w, "and %d more; mend these first\n", n)
		return err
	case len(found) > 0:
		return nil
	}
	_, err := fmt.Fprintf(w, "%d sensors. Nothing is wrong.\n", sensors)
	return err
}

func faultsJSON(w io.Writer, sensors int, found []register.Fault) error {
	type finding struct {
		File string `json:"file"`
		Line int    `json:"line"`
		ID   string `json:"id,omitempty"`
		What string `json:"what"`
	}
	list := []finding{}
	for _, f := range found[:min(len(found), maxFaults)] {
		list = append(list, finding{f.File, f.Line, brief.Text(f.ID), brief.Report(f.What())})
	}
	return printJSON(w, map[string]any{"sensors": sensors, "findings": list, "more": max(0, len(found)-maxFaults)})
}
