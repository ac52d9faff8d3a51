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
	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
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
			sensors, found, err := registerFaults(args[0], dir)
			if err != nil {
				return &gateway.Refusal{Err: err}
			}
			if asJSON {
				err = faultsJSON(cmd.OutOrStdout(), sensors, found)
			} else {
				err = faultsText(cmd.OutOrStdout(), sensors, found)
			}
			if n := register.Wrong(found); err == nil && n > 0 {
				return &exit{exitWrong, newVoice(0).Say("%d mistakes", n)}
			}
			return err
		},
	}
	c.Flags().StringVar(&dir, "policy", "", "policy directory, to look up zones, kinds and fields")
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return c
}

// registerFaults is how many sensors a register has, and all that is wrong with it, by
// file and line; where a policy directory is given, by what that knows as well.
func registerFaults(path, dir string) (sensors int, found []register.Fault, err error) {
	reg, found, err := register.Examine(path, os.ReadFile)
	if err != nil {
		return 0, nil, err
	}
	var kinds map[string]register.Kind
	var zones *register.Zones
	if dir != "" {
		p, err := desk.Desk(dir).Draft()
		if err != nil {
			return 0, nil, fmt.Errorf("%w\nsee sluice policy check %s", err, dir)
		}
		kinds, zones = p.Kinds, p.Zones
		found = append(found, owners(reg, dir, p)...)
	}
	found = append(found, reg.Check(kinds, zones)...)
	slices.SortStableFunc(found, register.Fault.Compare)
	return len(reg.Sensors), found, nil
}

// besidePolicy is what is wrong with a register where a policy is checked; nothing where
// no register is named. Beside a policy that cannot be read the register is looked at alone.
func besidePolicy(path, dir string) ([]register.Fault, error) {
	if path == "" {
		return nil, nil
	}
	if _, err := desk.Desk(dir).Draft(); err != nil {
		dir = ""
	}
	_, found, err := registerFaults(path, dir)
	return found, err
}

// owners are those that decisions name in by_owner and the register does not know.
func owners(reg *register.Register, dir string, p *bundle.Policy) (found []register.Fault) {
	for _, d := range p.Decisions {
		var named []string
		for _, part := range d.Stream.OwnerParts() {
			named = append(named, part.Owner)
		}
		if tree, err := yamldoc.ParseTree(d.YAML); err == nil && len(named) > 0 {
			at := tree.At([]string{"protect", "by_owner"}, false)
			found = append(found, reg.CheckOwners(filepath.Join(dir, d.File), at.Line, d.Decision, named)...)
			found = append(found, reg.LeftOut(d.Decision, named, func(s *register.Sensor) bool {
				return slices.Contains(d.AppliesTo.Kinds, s.Kind) && (d.Stream.Place.ByPoint() || slices.Contains(d.AppliesTo.Zones, s.ZoneOf(p.Zones)))
			})...)
		}
	}
	return found
}

func faultsText(w io.Writer, sensors int, found []register.Fault) error {
	if err := faultLines(w, found); err != nil || register.Wrong(found) > 0 || sensors == 0 {
		return err
	}
	_, err := fmt.Fprintf(w, "%d %s. Nothing is wrong.\n", sensors, plural(sensors, "sensor"))
	return err
}

func faultLines(w io.Writer, found []register.Fault) error {
	for _, f := range found[:min(len(found), maxFaults)] {
		if _, err := fmt.Fprintln(w, brief.Report(f.Error())); err != nil {
			return err
		}
	}
	if n := len(found) - maxFaults; n > 0 {
		_, err := fmt.Fprintf(w, "and %d more; mend these first\n", n)
		return err
	}
	return nil
}

// faultFinding is a fault for machines.
type faultFinding struct {
	File string `json:"file"`
	Line int    `json:"line"`
	ID   string `json:"id,omitempty"`
	What string `json:"what"`
	Note bool   `json:"note,omitempty"`
}

func faultFindings(found []register.Fault) []faultFinding {
	list := []faultFinding{}
	for _, f := range found[:min(len(found), maxFaults)] {
		list = append(list, faultFinding{f.File, f.Line, brief.Text(f.ID), brief.Report(f.What()), f.Note})
	}
	return list
}

func faultsJSON(w io.Writer, sensors int, found []register.Fault) error {
	return printJSON(w, map[string]any{"sensors": sensors, "findings": faultFindings(found), "more": max(0, len(found)-maxFaults)})
}

// plural is an English word for so many.
func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
