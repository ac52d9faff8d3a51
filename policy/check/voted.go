package check

import (
	"context"
	"fmt"
	"slices"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/rego"
)

// Unvoted are those errors of a draft that the policy in force has not as well, at the same
// place of a file that is the same byte for byte. Rules grow: what a council voted before
// one was there is wrong today, and must not keep it from voting something else. In a file
// that is changed everything is to be right, and so is whatever gets wrong by a change
// elsewhere. That it begins before the notice is over is none: a motion lengthens it.
func Unvoted(
	ctx context.Context, rules rego.Evaluator, files bundle.Files, inForce *bundle.Policy, today civil.Date,
) []Finding {
	found, _ := Directory(ctx, rules, files, inForce, today)
	found = slices.DeleteFunc(found, func(f Finding) bool { return f.Warning() || f.Rule == soon })
	if inForce == nil || len(found) == 0 {
		return found
	}
	old, _ := Directory(ctx, rules, inForce.Files, inForce, today)
	before := make(map[string]bool)
	for _, f := range old {
		if f.Rule == "T01" && alone(f.File, inForce) {
			continue // nobody voted that
		}
		before[f.in(inForce.Files)] = true
	}
	return slices.DeleteFunc(found, func(f Finding) bool { return files[f.File] != nil && before[f.in(files)] })
}

// in is a mistake in the bytes of its file, whatever that is called.
func (f Finding) in(files bundle.Files) string {
	return fmt.Sprintf("%s %d:%d %s %s %v %q", f.Rule, f.Line, f.Column, f.Case, f.Note, f.Args, files[f.File])
}
