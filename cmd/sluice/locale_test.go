package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"sluice/configs/portalba"
	"sluice/gateway"
	"sluice/policy/ballot"
	"sluice/policy/explain"
	"sluice/test/raced"
)

// TestMain is the program itself for stories, and lets verbs of the other tests start the
// rules in a process of their own, as the real binary does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == gateway.RulesVerb {
		os.Exit(Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	testscript.Main(m, map[string]func(){"sluice": main, "ear": ear})
}

// sluice runs a verb in this process and returns what it says, on both outputs.
func sluice(args ...string) (code int, out string) {
	var b bytes.Buffer
	code = Main(context.Background(), args, &b, &b)
	return code, b.String()
}

// verbs are all verbs under policy and motion.
func verbs() []*cobra.Command {
	return append(policyCommand().Commands(), motionCommand().Commands()...)
}

// TestALanguageWithItsRegion: --lang takes what LANG takes, and what browsers send.
func TestALanguageWithItsRegion(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	for asked, want := range map[string]string{"ca": "ca", "ca_ES": "ca", "ca-ES": "ca", "CA": "ca",
		"ca_ES.UTF-8": "ca", "ca@valencia": "ca", "es_ES.UTF-8": "es", "es-AR": "es", "en_GB": "en"} {
		if l, err := lang(asked); err != nil || l.String() != want {
			t.Errorf("--lang %s is %s (%v); want %s", asked, l, err, want)
		}
	}
	for _, asked := range []string{"fr_FR", "catalan", "c", "C", "_ca", "e"} {
		if l, err := lang(asked); err == nil {
			t.Errorf("--lang %s is %s", asked, l)
		}
	}
	_, out := sluice("policy", "check", t.TempDir(), "--lang", "ca_ES.UTF-8")
	if !strings.Contains(out, "cap política") {
		t.Errorf("an error in Catalan is %s", out)
	}
}

// TestEveryVerbHasALanguage: each verb for councils and clerks has --lang, and
// refuses a language that it does not speak.
func TestEveryVerbHasALanguage(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	n := 0
	for _, c := range verbs() {
		n++
		if c.Flag("lang") == nil {
			t.Errorf("%s has no --lang", c.CommandPath())
			continue
		}
		args := strings.Fields(c.CommandPath())
		for range regexp.MustCompile(`\b[A-Z]{2,}\b`).
			FindAllString(strings.Split(strings.ReplaceAll(c.Use, "TEXT", ""), "[")[0], -1) {
			args = append(args, "x")
		}
		if code, out := sluice(append(args, "--lang", "fr")...); code != exitUsage ||
			!strings.Contains(out, "--lang is one of en, ca, es") {
			t.Errorf("%s --lang fr ends with %d and %s", c.CommandPath(), code, out)
		}
	}
	if n < 13 {
		t.Errorf("only %d verbs were tried", n)
	}
}

// TestTemplates: every comment of what policy new writes is in the language asked for.
func TestTemplates(t *testing.T) {
	comments := func(text string) []string {
		var out []string
		for line := range strings.Lines(text) {
			if i := strings.LastIndex(line, "# "); i >= 0 && !strings.Contains(line, "$schema") {
				out = append(out, strings.TrimSpace(line[i+2:]))
			}
		}
		return out
	}
	written := func(lang string) (out []string) {
		dir := t.TempDir()
		t.Chdir(dir)
		for _, id := range []string{"one", "two"} { // the second finds the budget used
			if code, said := sluice("policy", "new", id, "--lang", lang); code != 0 {
				t.Fatal(said)
			}
		}
		for _, name := range []string{"charter.yaml", "council.yaml", "kinds.yaml", "decisions/one.yaml",
			"decisions/two.yaml"} {
			raw, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, comments(string(raw))...)
		}
		return out
	}
	english := written("en")
	for _, lang := range []string{"ca", "es"} {
		other := written(lang)
		if len(other) != len(english) || len(english) < 30 {
			t.Fatalf("%d comments in English, %d in %s", len(english), len(other), lang)
		}
		for i := range other {
			if other[i] == english[i] {
				t.Errorf("in %s: %s", lang, other[i])
			}
		}
	}
}

// betrayals are English words that no other language of ours has and that no file
// of the vote below says.
var betrayals = regexp.MustCompile(
	`(?i)\b(the|and|is|are|with|this|that|was|were|must|which|nothing|has|have|when|what|who|of the|signed|` +
		`needed|written|next|see|passed|days?|until|needs|not|there|its?|already|member|members)\b`)

// vote is a desk with a Catalan decision, and keys of three members.
func vote(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for name, raw := range portalba.Policy() {
		write(t, name, string(raw))
	}
	roster := "version: 1\nmembers:\n"
	for _, m := range []string{"anna", "bru", "carla"} {
		private, line, err := ballot.Generate(m)
		if err != nil {
			t.Fatal(err)
		}
		write(t, "keys/"+m, string(private))
		roster += "  - {id: " + m + ", name: " + strings.ToUpper(m[:1]) + m[1:] + ", keys: [\"" + line + "\"]}\n"
	}
	write(t, "council.yaml", roster)
	charter, err := os.ReadFile("charter.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`quorums: .*`).ReplaceAllString(string(charter),
		"quorums: {enact: 2, weaken: 2, charter: 2, roster: 2, suspend: 1}")
	write(t, "charter.yaml", strings.Replace(text, "notice_days: 14", "notice_days: 0", 1))
	names, err := filepath.Glob("decisions/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.Contains(name, "2026-14") {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func sign(t *testing.T, motion string, members ...string) {
	t.Helper()
	text, err := os.ReadFile("motions/" + motion + "/motion.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		key, err := os.ReadFile("keys/" + m)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := ballot.Sign(key, text, "sluice-vote@portalba")
		if err != nil {
			t.Fatal(err)
		}
		write(t, "motions/"+motion+"/ballots/"+m+".sig", string(sig.File()))
	}
}

// TestNoEnglish goes through a whole vote in Catalan and in Spanish, with the
// mistakes that people make: no English word comes out of any verb, and each is tried.
func TestNoEnglish(t *testing.T) {
	raced.Skip(t)
	for _, l := range []explain.Lang{1, 2} {
		vote(t)
		t.Setenv("LC_ALL", l.String()+"_ES.UTF-8")
		tried := map[string]bool{}
		do := func(code int, args ...string) string {
			t.Helper()
			got, out := sluice(args...)
			if got != code {
				t.Errorf("sluice %s: %d, want %d\n%s", strings.Join(args, " "), got, code, out)
			}
			tried[strings.Join(args[:2], " ")] = true
			for line := range strings.Lines(out) {
				if m := betrayals.FindString(line); m != "" {
					t.Errorf("sluice %s says %q in %s", strings.Join(args, " "), m, line)
				}
			}
			return out
		}
		do(0, "policy", "check")
		do(0, "policy", "fmt", "--check")
		do(0, "policy", "test")
		do(1, "policy", "explain", "9")
		do(0, "policy", "explain")
		do(0, "policy", "dpia")
		do(3, "policy", "studio", "--http", "8090")
		do(3, "policy", "studio", "--http", "0.0.0.0:0")
		do(3, "policy", "studio", "keys")
		do(2, "policy", "consult", "2026-14")
		do(0, "policy", "consult", "2026-14", "--out", "consulta")
		do(0, "motion", "show")
		do(1, "motion", "status", "prima")
		do(1, "motion", "enact", "prima")
		do(1, "motion", "suspend", "2026-14", "--reason", "x")
		do(2, "motion", "suspend", "2026-14")
		do(2, "motion", "create")
		do(2, "motion", "creat", "x")
		do(2, "motion", "show", "--lnag", "ca")
		do(0, "motion", "create", "prima")
		do(1, "motion", "enact", "prima")
		do(1, "motion", "status", "prima")
		sign(t, "prima", "anna")
		do(1, "motion", "enact", "prima")
		do(2, "motion", "ballot", "prima")
		do(0, "motion", "ballot", "prima", "--against", "--reason", "x")
		do(1, "motion", "ballot", "prima", "--against")
		do(1, "motion", "ballot", "prima", "--abstain", "--reason", "x\ny")
		write(t, "motions/prima/ballots/bru.sig", "x")
		do(1, "motion", "status", "prima")
		sign(t, "prima", "bru")
		do(0, "motion", "withdraw", "prima", "bru")
		do(1, "motion", "withdraw", "prima", "bru")
		sign(t, "prima", "bru")
		do(0, "motion", "status", "prima")
		for _, paper := range []string{"page", "mail", "minutes", "calendar"} {
			do(0, "motion", paper, "prima", "--out", paper)
			do(1, "motion", paper, "segona")
		}
		do(0, "motion", "enact", "prima")
		do(1, "motion", "create", "prima")
		do(0, "motion", "show")
		do(0, "motion", "show", "--at", "2026-12-10")
		do(2, "motion", "show", "--at", "x")
		do(0, "policy", "diff", "motions/prima/prima.sluice", ".")
		do(0, "motion", "suspend", "2026-14", "--reason", "x")
		do(1, "motion", "suspend", "2026-14", "--reason", "y")
		sign(t, "suspend-2026-14-v2", "anna")
		do(0, "motion", "enact", "suspend-2026-14-v2")
		do(0, "motion", "show")
		do(1, "policy", "simulate", "2026-14", "--svg", "") // it is suspended
		do(1, "motion", "suspend", "2026-14", "--reason", "x")
		do(0, "policy", "new", "2027-01", "--lang", l.String())
		do(1, "policy", "new", "2027-01")
		do(2, "policy", "new", "../x")
		write(t, "charter.yaml", "city: {id: x\n")
		for _, args := range [][]string{{"motion", "create", "m"}, {"policy", "fmt"}, {"policy", "test"},
			{"policy", "explain"}, {"policy", "new", "z"}, {"policy", "simulate", "2026-14"}, {"policy", "dpia"}} {
			do(1, args...)
		}
		t.Chdir(t.TempDir())
		for _, args := range [][]string{{"motion", "create", "m"}, {"motion", "show"}, {"policy", "fmt"},
			{"policy", "check"}} {
			do(1, args...)
		}
		for _, c := range verbs() {
			if !tried[strings.TrimPrefix(c.CommandPath(), "sluice ")] {
				t.Errorf("%s was not tried in %s", c.CommandPath(), l)
			}
		}
	}
}

// TestSimulateSpeaks: the report and the chart are in the language asked for.
func TestSimulateSpeaks(t *testing.T) {
	raced.Skip(t)
	vote(t)
	t.Setenv("LC_ALL", "C")
	code, out := sluice("policy", "simulate", "2026-14", "--lang", "ca", "--seed", "7")
	chart, err := os.ReadFile("simulation-2026-14.svg")
	if code != 0 || err != nil ||
		!strings.Contains(out, "Decisió 2026-14, durant 1 dia: la ciutat simulada, llavor 7") ||
		!strings.Contains(string(chart), "De traços: el que ha passat") {
		t.Fatalf("%d, %v\n%s\n%.500s", code, err, out, chart)
	}
	style := regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)
	for line := range strings.Lines(out + style.ReplaceAllString(string(chart), "")) {
		if m := betrayals.FindString(line); m != "" {
			t.Errorf("%q in %s", m, line)
		}
	}
}
