package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"sluice/brief"
	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/workspace"
	"sluice/register"
)

// maxFaults is how many faults are printed.
const maxFaults = 1000

// registerFaults returns how many sensors a register has and its faults, by file and line. If a
// policy directory is given, the register must fit its policy as well.
func registerFaults(path, dir string) (sensors int, found []register.Fault, err error) {
	reg, found, err := register.Examine(path, os.ReadFile)
	if err != nil {
		return 0, nil, err
	}
	var kinds map[string]register.Kind
	var zones *register.Zones
	if dir != "" {
		p, err := workspace.Dir(dir).Draft()
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

// checkRegister returns the faults of the register named beside a policy; none if path is empty. If
// the policy cannot be read, the register is checked by itself.
func checkRegister(path, dir string) ([]register.Fault, error) {
	if path == "" {
		return nil, nil
	}
	if _, err := workspace.Dir(dir).Draft(); err != nil {
		dir = ""
	}
	_, found, err := registerFaults(path, dir)
	return found, err
}

// owners lists the owners in by_owner of decisions that the register does not know.
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
				return slices.Contains(d.AppliesTo.Kinds, s.Kind) && (d.Stream.Place.ByPoint() ||
					slices.Contains(d.AppliesTo.Zones, s.ZoneOf(p.Zones)))
			})...)
		}
	}
	return found
}

func faultLines(w io.Writer, found []register.Fault) error {
	for _, f := range found[:min(len(found), maxFaults)] {
		if _, err := fmt.Fprintln(w, brief.Report(f.Error())); err != nil {
			return err
		}
	}
	if n := len(found) - maxFaults; n > 0 {
		_, err := fmt.Fprintf(w, "and %d more; fix these first\n", n)
		return err
	}
	return nil
}

// faultFinding is a fault as JSON.
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
