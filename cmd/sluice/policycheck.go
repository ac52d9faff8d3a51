package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/brief"
	"sluice/gateway/config"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/compile"
	"sluice/policy/explain"
	"sluice/policy/rego"
	"sluice/register"
)

func policyCheck() *cobra.Command {
	var language, sensors string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check [DIR or FILE]",
		Short: "Check a policy; report every problem with its line and a fix",
		Args:  between(0, 1),
		Long: "Exit codes: 0 the policy can be put to the vote, 1 it has mistakes. Notice is measured against the\n" +
			"last motion enacted in DIR/motions, if there is one. With FILE, only the mistakes of that file are\n" +
			"reported. --register also runs sluice register check against this policy.",
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lang(language)
			if err != nil {
				return err
			}
			dir, only := findPolicyDir(".", args)
			if len(only) > 0 {
				if _, err := os.Stat(only[0]); err != nil {
					return failed(err)
				}
			}
			r, err := checkDirectory(cmd.Context(), dir, sensors)
			if err != nil {
				return err
			}
			if len(only) > 0 {
				r.found, r.fine = ofFile(only[0], r.found, r.fine)
			}
			if asJSON {
				return checkJSON(cmd.OutOrStdout(), l, r)
			}
			if err := faultLines(cmd.OutOrStdout(), r.faults); err != nil {
				return err
			}
			return checkText(cmd.OutOrStdout(), l, r)
		},
	}
	langFlag(c, &language)
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	c.Flags().StringVar(&sensors, "register", "", "register of sensors to check as well: a file or a directory")
	return c
}

// checkResult is what check finds in a policy directory, and in a register beside it.
type checkResult struct {
	files  bundle.Files
	found  []check.Finding
	fine   []check.Summary // of decisions without a mistake
	faults []register.Fault
}

// mistakes is how many findings are more than warnings.
func (r *checkResult) mistakes() int {
	n := register.Wrong(r.faults)
	for _, f := range r.found {
		if !f.Warning() {
			n++
		}
	}
	return n
}

// checkDirectory checks a policy directory against what is in force, and a register, where
// one is named.
func checkDirectory(ctx context.Context, dir, sensors string) (*checkResult, error) {
	files, err := compile.ReadDir(dir)
	if err != nil {
		return nil, failed(err)
	}
	r := &checkResult{files: files, found: check.PassedOver(dir)}
	if len(files)+len(r.found) == 0 {
		return nil, failed(check.ErrNothing)
	}
	inForce, err := policyInForce(dir)
	if err != nil {
		return nil, failed(err)
	}
	err = withRules(func(rules *rego.Child) error {
		found, fine := check.Directory(ctx, rules, files, inForce, day(time.Now()))
		r.found, r.fine = append(r.found, found...), fine
		return nil
	})
	if err != nil {
		return nil, err
	}
	if r.faults, err = checkRegister(sensors, dir); err != nil {
		return nil, &config.Refusal{Err: err}
	}
	return r, nil
}

// ofFile are the findings and summaries of one file.
func ofFile(path string, found []check.Finding, fine []check.Summary) ([]check.Finding, []check.Summary) {
	other := func(file string) bool { return !strings.HasSuffix("/"+filepath.ToSlash(path), "/"+file) }
	return slices.DeleteFunc(found, func(f check.Finding) bool { return other(f.File) }),
		slices.DeleteFunc(fine, func(s check.Summary) bool { return other(s.File) })
}

// snippet is how much of a line is shown, in letters.
const snippet = 160

func checkText(w io.Writer, l explain.Lang, r *checkResult) error {
	for _, f := range r.found {
		printFinding(w, l, r.files, f)
	}
	for _, s := range r.fine {
		fmt.Fprintf(w, "%s  %s\n", s.Decision, s.Text(l, nil))
	}
	if n := r.mistakes(); n > 0 {
		return &exitError{exitFailed, newLocale(l).Say("%d mistakes", n)}
	}
	fmt.Fprintf(w, "\n%s\n", newLocale(l).Say("Nothing is wrong."))
	return nil
}

// printFinding writes a finding, the line that it is about, and how to mend it.
func printFinding(w io.Writer, l explain.Lang, files bundle.Files, f check.Finding) {
	what, mend := findingText(f, l)
	if f.Warning() {
		what = newLocale(l).Say("warning") + ": " + what
	}
	fmt.Fprintf(w, "%s:%d:%d: %s: %s\n", brief.Text(f.File), f.Line, f.Column, f.Rule, what)
	lines := strings.Split(string(files[f.File]), "\n")
	if f.Line >= 1 && f.Line <= len(lines) && files[f.File] != nil {
		fmt.Fprintf(w, "  %5d | %s\n", f.Line, excerpt(lines[f.Line-1]))
		if f.Column <= snippet {
			fmt.Fprintf(w, "        | %s^\n", strings.Repeat(" ", max(0, f.Column-1)))
		}
	}
	if mend != "" {
		fmt.Fprintf(w, "        = %s: %s\n", newLocale(l).Say("fix"), mend)
	}
	fmt.Fprintln(w)
}

// excerpt is a line of a file, cut and cleaned for a terminal.
func excerpt(line string) string {
	text := strings.ReplaceAll(strings.TrimRight(line, "\r"), "\t", " ")
	if len(text) > 4*snippet { // before it is converted
		text = text[:4*snippet]
	}
	if r := []rune(text); len(r) > snippet {
		text = string(r[:snippet]) + "…"
	}
	return brief.Report(text)
}

func checkJSON(w io.Writer, l explain.Lang, r *checkResult) error {
	type finding struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Rule    string `json:"rule"`
		What    string `json:"what"`
		Mend    string `json:"mend"`
		Warning bool   `json:"warning"`
	}
	type decided struct {
		Decision   string             `json:"decision"`
		Unit       string             `json:"unit"`
		PublicFrom int64              `json:"public_from"`
		Errors     map[string]float64 `json:"typical_error"`
		Cost       float64            `json:"epsilon_per_day"`
		Cap        float64            `json:"cap_per_day"`
		ShareFrom  int64              `json:"bounded_share_from"`
	}
	out := struct {
		Findings  []finding `json:"findings"`
		Decisions []decided `json:"decisions"`
		// Register has the findings of --register; absent if there are none.
		Register []faultFinding `json:"register,omitempty"`
	}{[]finding{}, []decided{}, faultFindings(r.faults)}
	for _, f := range r.found {
		what, mend := findingText(f, l)
		out.Findings = append(out.Findings, finding{f.File, f.Line, f.Column, f.Rule, what, mend, f.Warning()})
	}
	for _, s := range r.fine {
		out.Decisions = append(out.Decisions,
			decided{s.Decision, s.Unit, s.PublicFrom, s.Errors, s.CostPerDay, s.Cap, s.ShareFrom})
	}
	if err := printJSON(w, out); err != nil {
		return err
	}
	if n := r.mistakes(); n > 0 {
		return &exitError{exitFailed, newLocale(l).Say("%d mistakes", n)}
	}
	return nil
}
