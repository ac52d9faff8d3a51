package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/policy/bundle"
	"sluice/policy/workspace"
)

// dirArg is the policy directory: the argument, or this one.
func dirArg(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}

// findPolicyDir takes the policy directory from the first argument if that is a directory or a file
// in one, and returns the remaining arguments.
func findPolicyDir(dir string, args []string) (string, []string) {
	if dir != "." || len(args) == 0 {
		return dir, args
	}
	info, err := os.Stat(args[0])
	switch {
	case err != nil:
	case info.IsDir():
		return args[0], args[1:]
	case filepath.Base(filepath.Dir(args[0])) == "decisions":
		return filepath.Dir(filepath.Dir(args[0])), args
	case bundle.Belongs(filepath.Base(args[0])):
		return filepath.Dir(args[0]), args
	}
	return dir, args
}

// readPolicy reads a policy directory; its errors are those that check reports.
func readPolicy(ctx context.Context, v locale, dir string) (*bundle.Policy, error) {
	p, err := workspace.Dir(dir).Draft()
	if err != nil {
		return nil, failed(unreadable(ctx, v, dir, err))
	}
	return p, nil
}

// policyInForce is the policy of the last motion enacted in a policy directory, or nil.
func policyInForce(dir string) (*bundle.Policy, error) {
	chain, err := workspace.Dir(dir).Chain()
	if last := workspace.Last(chain); err == nil && last != nil {
		return last.Policy, nil
	}
	return nil, err
}

// choose finds decisions by id or file name.
func choose(p *bundle.Policy, names []string) ([]*bundle.Decision, error) {
	var out []*bundle.Decision
	for i := range p.Decisions {
		d := &p.Decisions[i]
		if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return isNamed(d, n) }) {
			out = append(out, d)
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(out, func(d *bundle.Decision) bool { return isNamed(d, n) }) {
			return nil, failed(noDecision(p, n))
		}
	}
	return out, nil
}

// maxListed is how many decisions an error lists when one is not found.
const maxListed = 20

// noDecision is the error for a decision that is not there; it lists those that are.
func noDecision(p *bundle.Policy, name string) error {
	var ids []string
	for _, d := range p.Decisions[:min(maxListed, len(p.Decisions))] {
		ids = append(ids, d.Decision)
	}
	if len(ids) == 0 {
		return fmt.Errorf("there is no decision %s here", name)
	}
	return fmt.Errorf("there is no decision %s here; the policy has %s", name, strings.Join(ids, ", "))
}

func isNamed(d *bundle.Decision, name string) bool {
	return d.Decision == name || strings.HasSuffix("/"+d.File, "/"+strings.TrimPrefix(name, "./")) ||
		strings.HasSuffix(name, "/"+d.File)
}
