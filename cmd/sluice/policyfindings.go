package main

import (
	"context"
	"fmt"
	"strings"

	"sluice/brief"
	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/compile"
	"sluice/policy/explain"
	"sluice/policy/rego"
)

// shownFindings is how many mistakes are printed by a verb other than check.
const shownFindings = 5

// findingText is what is wrong and how to fix it, each bounded: a parser may quote a whole file.
func findingText(f check.Finding, l explain.Lang) (what, mend string) {
	what, mend = f.Text(l)
	return brief.Report(what), brief.Report(mend)
}

// findingsIn lists the mistakes that check finds in a policy, or in one file of it, one a line;
// none if the rules cannot run.
func findingsIn(ctx context.Context, v locale, files bundle.Files, only string) []string {
	var found []check.Finding
	if len(files) > 0 {
		_ = withRules(func(rules *rego.Child) error { // without rules there are no findings
			found, _ = check.Directory(ctx, rules, files, nil, civil.Date{})
			return nil
		})
	}
	return findingLines(v, found, only)
}

// findingLines formats the mistakes, or those of one file, one a line.
func findingLines(v locale, found []check.Finding, only string) []string {
	var out []string
	for _, f := range found {
		if f.Warning() || only != "" && f.File != only {
			continue
		}
		what, mend := findingText(f, v.Lang)
		if mend != "" {
			mend = " (" + mend + ")"
		}
		out = append(out, fmt.Sprintf("%s:%d: %s: %s%s", brief.Text(f.File), f.Line, f.Rule, what, mend))
	}
	return out
}

// unreadable is the error for a policy directory that cannot be read: some of what check finds,
// and where to see all of it.
func unreadable(ctx context.Context, v locale, dir string, err error) error {
	files, readErr := compile.ReadDir(dir)
	passed := check.PassedOver(dir)
	switch {
	case readErr != nil:
		return err
	case len(files)+len(passed) == 0:
		return check.ErrNothing
	}
	list := append(findingLines(v, passed, ""), findingsIn(ctx, v, files, "")...)
	if len(list) == 0 {
		return fmt.Errorf("%w\n%s", err, v.Say("see: sluice policy check %s", dir))
	}
	return unusable(v, dir, list)
}

// unusable lists some of what check finds, and where to see all of it.
func unusable(v locale, dir string, list []string) error {
	return fmt.Errorf("%s\n  %s\n%s", v.Say("the policy cannot be used as it is:"),
		strings.Join(list[:min(shownFindings, len(list))], "\n  "), v.Say("see: sluice policy check %s", dir))
}
