package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/brief"
	"sluice/gateway"
	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/compile"
	"sluice/policy/desk"
	"sluice/policy/explain"
	"sluice/register"
)

func policyCommand() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "Write, check and understand the rules that the council votes", Args: cobra.NoArgs, RunE: showHelp}
	c.AddCommand(policyNew(), policyCheck(), policyFmt(), policyTest(), policyExplain(), policyDiff(), policySimulate(), policyDPIA())
	return c
}

// showHelp is what a verb does that only has others under it; what is none of them is
// no argument.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// langFlag is the language of texts: --lang, else the environment's LC_ALL,
// LC_MESSAGES or LANG, as for every program that people read.
func langFlag(c *cobra.Command, into *string) { c.Flags().StringVar(into, "lang", "", langUsage) }

const langUsage = "language: en, ca or es; by default the environment's LC_ALL, LC_MESSAGES or LANG"

func lang(flag string) (explain.Lang, error) {
	if flag != "" {
		if l, ours := explain.Understand(flag); ours {
			return l, nil
		}
		return 0, &usageError{"--lang is one of en, ca, es"}
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return explain.ParseLang(v), nil
		}
	}
	return 0, nil
}

// dirArg is the policy directory: the argument, or this one.
func dirArg(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}

// around finds the policy directory where an argument stands for it: a directory
// itself, or a file in one. Other arguments are left as they are.
func around(dir string, args []string) (string, []string) {
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

// readPolicy reads a policy directory and says what is wrong with it as check does.
func readPolicy(ctx context.Context, v voice, dir string) (*bundle.Policy, error) {
	p, err := desk.Desk(dir).Draft()
	if err != nil {
		return nil, wrong(unreadable(ctx, v, dir, err))
	}
	return p, nil
}

func policyCheck() *cobra.Command {
	var language, sensors string
	var asJSON bool
	c := &cobra.Command{
		Use: "check [DIR or FILE]", Short: "Say everything that is wrong, each under its line, and how to mend it", Args: cobra.MaximumNArgs(1),
		Long: "Exit code 0 when the policy can be put to the vote, 1 when something is wrong. Where motions/ holds an enacted motion,\n" +
			"what is in force is what notice is measured against. With a FILE only its mistakes are shown. With --register, what sluice register\n" +
			"check says of that register beside this policy is said as well.",
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lang(language)
			if err != nil {
				return err
			}
			dir, only := around(".", args)
			files, err := compile.ReadDir(dir)
			if err != nil {
				return wrong(err)
			}
			passed := check.PassedOver(dir)
			if len(files)+len(passed) == 0 {
				return wrong(check.ErrNothing)
			}
			rules, err := childRules()
			if err != nil {
				return err
			}
			defer rules.Close()
			chain, err := desk.Desk(dir).Chain()
			if err != nil {
				return wrong(err)
			}
			var inForce *bundle.Policy
			if last := desk.Last(chain); last != nil {
				inForce = last.Policy
			}
			y, m, d := time.Now().Date()
			found, fine := check.Directory(cmd.Context(), rules, files, inForce, civil.Date{Year: y, Month: int(m), Day: d})
			found = append(passed, found...)
			if len(only) > 0 {
				found, fine = ofFile(only[0], found, fine)
			}
			faults, err := besidePolicy(sensors, dir)
			if err != nil {
				return &gateway.Refusal{Err: err}
			}
			if asJSON {
				return checkJSON(cmd.OutOrStdout(), l, found, fine, faults)
			}
			if err := faultLines(cmd.OutOrStdout(), faults); err != nil {
				return err
			}
			return checkText(cmd.OutOrStdout(), l, files, found, fine, register.Wrong(faults))
		},
	}
	langFlag(c, &language)
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	c.Flags().StringVar(&sensors, "register", "", "register of sensors, a file or a directory, to be checked as well")
	return c
}

// ofFile are the findings and summaries of one file.
func ofFile(path string, found []check.Finding, fine []check.Summary) ([]check.Finding, []check.Summary) {
	other := func(file string) bool { return !strings.HasSuffix("/"+filepath.ToSlash(path), "/"+file) }
	return slices.DeleteFunc(found, func(f check.Finding) bool { return other(f.File) }), slices.DeleteFunc(fine, func(s check.Summary) bool { return other(s.File) })
}

// snippet is how much of a line is shown, in letters.
const snippet = 160

// findingText is what is wrong and how to mend it, each bounded: a parser may quote
// all of a file.
func findingText(f check.Finding, l explain.Lang) (what, mend string) {
	what, mend = f.Text(l)
	return brief.Report(what), brief.Report(mend)
}

func checkText(w io.Writer, l explain.Lang, files bundle.Files, found []check.Finding, fine []check.Summary, more int) error {
	for _, f := range found {
		what, mend := findingText(f, l)
		if f.Warning() {
			what = [3]string{"warning", "avís", "aviso"}[l] + ": " + what
		}
		fmt.Fprintf(w, "%s:%d:%d: %s: %s\n", brief.Text(f.File), f.Line, f.Column, f.Rule, what)
		lines := strings.Split(string(files[f.File]), "\n")
		if f.Line >= 1 && f.Line <= len(lines) && files[f.File] != nil {
			text := strings.ReplaceAll(strings.TrimRight(lines[f.Line-1], "\r"), "\t", " ")
			if len(text) > 4*snippet { // before it is taken apart
				text = text[:4*snippet]
			}
			if r := []rune(text); len(r) > snippet {
				text = string(r[:snippet]) + "…"
			}
			fmt.Fprintf(w, "  %5d | %s\n", f.Line, brief.Report(text))
			if f.Column <= snippet {
				fmt.Fprintf(w, "        | %s^\n", strings.Repeat(" ", max(0, f.Column-1)))
			}
		}
		if mend != "" {
			fmt.Fprintf(w, "        = %s: %s\n", [3]string{"mend", "arregleu-ho", "arréglelo"}[l], mend)
		}
		fmt.Fprintln(w)
	}
	for _, s := range fine {
		fmt.Fprintf(w, "%s  %s\n", s.Decision, summaryLine(l, s))
	}
	if n := mistakes(found) + more; n > 0 {
		return &exit{exitWrong, newVoice(l).Say("%d mistakes", n)}
	}
	fmt.Fprintf(w, "\n%s\n", [3]string{"Nothing is wrong.", "No hi ha cap error.", "No hay ningún error."}[l])
	return nil
}

// mistakes is how many findings are more than warnings.
func mistakes(found []check.Finding) (n int) {
	for _, f := range found {
		if !f.Warning() {
			n++
		}
	}
	return n
}

// summaryLine is what a decision gives, in figures.
func summaryLine(l explain.Lang, s check.Summary) string {
	if s.Unit == "none" {
		return [3]string{"exact; about nobody", "exacte; sobre ningú", "exacto; sobre nadie"}[l]
	}
	var errs []string
	for _, name := range sortedKeys(s.Errors) {
		if s.Errors[name] > 0 {
			errs = append(errs, fmt.Sprintf("%s ±%s", name, l.Number(s.Errors[name])))
		}
	}
	line := ""
	if len(errs) > 0 {
		line = fmt.Sprintf([3]string{"typical error %s (95 of 100 within); ", "error típic %s (95 de cada 100); ", "error típico %s (95 de cada 100); "}[l], strings.Join(errs, ", "))
	}
	line += fmt.Sprintf([3]string{
		"published from about %d %s on; epsilon %s of %s a day",
		"es publica a partir d'uns %d %s; èpsilon %s de %s al dia",
		"se publica a partir de unos %d %s; épsilon %s de %s al día",
	}[l], s.PublicFrom, l.Many(s.Unit), l.Number(s.CostPerDay), l.Number(s.Cap))
	if s.ShareFrom == 0 {
		return line
	}
	return line + fmt.Sprintf([3]string{
		", a twenty-fifth of it for how many there were and which share reached the limit of %d, shown from about %d on",
		", una vint-i-cinquena part per saber quants n'hi ha hagut i quina proporció ha arribat al límit de %d, que es mostra a partir d'uns %d",
		", una veinticincoava parte para saber cuántos ha habido y qué proporción ha llegado al límite de %d, que se muestra a partir de unos %d",
	}[l], s.MaxContributions, s.ShareFrom)
}

func checkJSON(w io.Writer, l explain.Lang, found []check.Finding, fine []check.Summary, faults []register.Fault) error {
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
		// Register is of --register; absent where nothing is wrong with it.
		Register []faultFinding `json:"register,omitempty"`
	}{[]finding{}, []decided{}, faultFindings(faults)}
	for _, f := range found {
		what, mend := findingText(f, l)
		out.Findings = append(out.Findings, finding{f.File, f.Line, f.Column, f.Rule, what, mend, f.Warning()})
	}
	for _, s := range fine {
		out.Decisions = append(out.Decisions, decided{s.Decision, s.Unit, s.PublicFrom, s.Errors, s.CostPerDay, s.Cap, s.ShareFrom})
	}
	if err := printJSON(w, out); err != nil {
		return err
	}
	if n := mistakes(found) + register.Wrong(faults); n > 0 {
		return &exit{exitWrong, newVoice(l).Say("%d mistakes", n)}
	}
	return nil
}

func policyFmt() *cobra.Command {
	var language string
	var list bool
	c := &cobra.Command{
		Use: "fmt [FILE or DIR...]", Short: "Lay files out as usual; comments stay, and what they say stays the same",
		Long: "Rewrites YAML files in place. With --check it only lists those that would change, with\n" +
			"the lines, and exits with 1 if there are any. Two blanks a level, one behind colons and commas; comments, order and quotes stay.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := speak(cmd)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{"."}
			}
			files, err := yamlFiles(args)
			if err != nil {
				return wrong(err)
			}
			changed := 0
			for _, name := range files {
				raw, err := os.ReadFile(name)
				if err != nil {
					return wrong(err)
				}
				out, err := yamldoc.Tidy(raw)
				var slip *yamldoc.SyntaxError
				if errors.As(err, &slip) {
					return &exit{exitWrong, fmt.Sprintf("%s:%d:%d: %s", name, slip.Line, slip.Column, slip.In(int(v.Lang)))}
				}
				if err != nil {
					return wrong(fmt.Errorf("%s: %w", name, err))
				}
				if string(out) == string(raw) {
					continue
				}
				changed++
				if list {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", name, differing(raw, out))
					continue
				}
				fmt.Fprintln(cmd.OutOrStdout(), name)
				if err := os.WriteFile(name, out, 0o644); err != nil {
					return &gateway.Refusal{Err: err}
				}
			}
			if list && changed > 0 {
				return &exit{exitWrong, v.Say("%d files are not laid out as usual; sluice policy fmt does it", changed)}
			}
			return nil
		},
	}
	langFlag(c, &language)
	c.Flags().BoolVar(&list, "check", false, "change nothing, list the files that would change")
	return c
}

// maxLines is how many lines of a file are named.
const maxLines = 10

// differing are the first lines that are otherwise in another layout of a file.
func differing(raw, out []byte) string {
	was, is := strings.Split(string(raw), "\n"), strings.Split(string(out), "\n")
	var lines []string
	for i := range was {
		if i >= len(is) || was[i] != is[i] {
			lines = append(lines, strconv.Itoa(i+1))
		}
		if len(was) != len(is) && len(lines) > 0 || len(lines) == maxLines {
			lines = append(lines, "…") // what is below has moved, or is much
			break
		}
	}
	return strings.Join(lines, ", ")
}

func yamlFiles(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, arg)
			continue
		}
		for _, pattern := range []string{"*.yaml", "decisions/*.yaml", "tests/*.yaml"} {
			names, err := filepath.Glob(filepath.Join(arg, pattern))
			if err != nil {
				return nil, err
			}
			out = append(out, names...)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("there is no YAML file here; name a file or a policy directory")
	}
	return out, nil
}
