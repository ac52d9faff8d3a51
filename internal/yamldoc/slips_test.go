package yamldoc

import (
	"errors"
	"go/ast"
	"go/token"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sluice/internal/locales"
	"sluice/test/gofile"
)

// everySlip are the sentences of slips.yaml, so that none is forgotten.
func everySlip(t testing.TB) (all []said) {
	t.Helper()
	for _, key := range locales.In(0).Keys("slips") {
		all = append(all, said(strings.TrimPrefix(key, "slips.")))
	}
	if len(all) < 30 {
		t.Fatalf("there are %d slips", len(all))
	}
	return all
}

// text is the sentence with its verbs.
func (s said) text(lang int) string { return locales.In(lang).Say("slips." + string(s)) }

// form is what an error of a slip looks like in a language.
func (s said) form(lang int) *regexp.Regexp {
	text := regexp.QuoteMeta(s.text(lang))
	return regexp.MustCompile("^" + regexp.MustCompile(`%\\\[\d\\\][sd]`).ReplaceAllString(text, "(?s:.*)") + "$")
}

// TestSlips: each is said in each language, with what to do.
func TestSlips(t *testing.T) {
	for _, s := range everySlip(t) {
		said := map[string]bool{}
		for l, code := range locales.Languages {
			text := s.text(l)
			if what, _, does := strings.Cut(text, "; "); !does || strings.Contains(what, "|") {
				t.Errorf("%s in %s does not say what to do: %s", s, code, text)
			}
			if said[text] {
				t.Errorf("%s is not translated into %s", s, code)
			}
			said[text] = true
		}
	}
}

// written has what most files have, in the layouts that are used.
const written = `# why
decision: "2026-14"
title:
  en: "Footfall: all"   # a name
  ca: 'Vora l''aigua'
note: |
  one: "two
  [three
keep: [device, rssi]
where: [{field: rssi, op: ">=", value: -85}]
publish:
  every: PT1H
  measures:
    - {name: devices, of: "distinct(unit)"}
    - name: others
      of: count()
  by: [zone]
until: 2027-05-31
`

// TestWhatIsMeant: the slip is said, at its own place and not where the parser stumbles.
func TestWhatIsMeant(t *testing.T) {
	if _, err := ParseTree([]byte(written)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		old, new string
		want     said
		at       Position
	}{
		{`"Footfall: all"`, `"Footfall: all`, openQuote, Position{4, 7}},
		{`'Vora l''aigua'`, `'Vora l'aigua'`, behindQuote, Position{5, 14}},
		{`"Footfall: all"`, `"Foot"fall"`, behindQuote, Position{4, 12}},
		{`"Footfall: all"`, `Footfall: all`, colonInText, Position{4, 7}},
		{`"Footfall: all"`, `"C:\footfall"`, notYAML, Position{}}, // \f is an escape: nothing is wrong
		{`"Footfall: all"`, `"C:\law"`, badEscape, Position{4, 10}},
		{`[device, rssi]`, `[device, rssi`, openBracket, Position{9, 7}},
		{`[device, rssi]`, `[device, rssi}`, openBracket, Position{9, 7}},
		{`[device, rssi]`, `[device, "x" rssi]`, behindQuote, Position{9, 18}},
		{`value: -85}]`, `value: -85]`, openBracket, Position{10, 9}},
		{`[zone]`, `zone: ]`, colonInText, Position{17, 7}},
		{`of: "distinct(unit)"}`, `of: "distinct(unit)"}}`, strayBracket, Position{14, 44}},
		{"  every: PT1H", "  every:PT1H", missingBlank, Position{12, 9}},
		{"    - {name: devices", "    -{name: devices", missingDash, Position{14, 5}},
		{"    - name: others", "    -name: others", missingDash, Position{15, 5}},
		{"until: 2027-05-31", "until 2027-05-31", missingColon, Position{18, 1}},
		{"keep: [", "keep [", missingColon, Position{9, 1}},
		{"  by: [", "  by [", missingColon, Position{17, 3}},
		{"  every: PT1H", "   every: PT1H", indented, Position{13, 3}},
		{"  every: PT1H", "every: PT1H", indented, Position{12, 1}},
		{"  by: [zone]", "    by: [zone]", indented, Position{17, 5}},
		{"until: 2027-05-31", "until: @x", oddFirst, Position{18, 8}},
		{"until: 2027-05-31", "until: 2027-05-31\nkeep: [a]", twiceKey, Position{19, 1}},
		{"until: 2027-05-31", "\tuntil: 2027-05-31", aTab, Position{18, 1}},
		{"until: 2027-05-31", "until: &a 2027-05-31", anchors, Position{18, 8}},
		{"until: 2027-05-31", "until: !2027-05-31", tags, Position{18, 8}},
		{"until: 2027-05-31", "---\nuntil: 2027-05-31", manyDocuments, Position{18, 1}},
	} {
		text := strings.Replace(written, c.old, c.new, 1)
		if text == written {
			t.Fatalf("there is no %q", c.old)
		}
		_, err := ParseTree([]byte(text))
		var e *SyntaxError
		ok := errors.As(err, &e)
		if (c.at == Position{}) {
			if err != nil {
				t.Errorf("%q: %v", c.new, err)
			}
			continue
		}
		if !ok || e.said != c.want || e.Position != c.at {
			t.Errorf("%q: %v at %v; want %s at %v", c.new, err, e.Position, c.want, c.at)
		}
	}
}

// TestNoForeignWords: whatever a file is, what is said of it is one of our sentences, in
// each language; none of the parser's words comes through. The files are mutations of
// what people write, drawn from a fixed seed.
func TestNoForeignWords(t *testing.T) {
	var forms [len(locales.Languages)][]*regexp.Regexp
	for _, s := range everySlip(t) {
		for l := range forms {
			forms[l] = append(forms[l], s.form(l))
		}
	}
	files := []string{written}
	for _, pattern := range []string{"../../configs/portalba/policy/*.yaml",
		"../../configs/portalba/policy/decisions/*.yaml", "../../configs/*.yaml", "../../configs/portalba/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, string(raw))
		}
	}
	if len(files) < 10 {
		t.Fatalf("%d files are at hand", len(files))
	}
	r, tried := rand.New(rand.NewPCG(15, 5)), 0
	for range 3000 {
		text := mutated(r, files[r.IntN(len(files))])
		tree, err := ParseTree([]byte(text))
		if err == nil {
			_, err = tree.Value()
		}
		if err == nil {
			continue
		}
		tried++
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Fatalf("%v is not in our words: %q", err, text)
		}
		for l := range forms {
			if !ours(forms[l], e.In(l)) {
				t.Fatalf("in language %d: %q of %q", l, e.In(l), text)
			}
		}
		if n := strings.Count(text, "\n") + 1; e.Line < 1 || e.Line > n || e.Column < 1 {
			t.Fatalf("at %v of %d lines: %q", e.Position, n, text)
		}
	}
	if tried < 1000 {
		t.Errorf("%d files were refused; want more", tried)
	}
}

func ours(forms []*regexp.Regexp, text string) bool {
	for _, f := range forms {
		if f.MatchString(text) {
			return true
		}
	}
	return false
}

// mutated is a file with a slip or two.
func mutated(r *rand.Rand, text string) string {
	marks := []string{":", "\"", "'", "[", "]", "{", "}", ",", "-", "#", "|", ">", "&", "*", "!", "%", "@", "`", "?",
		" ", "\n", "  ", "\t", "\\", "---\n", "...\n", "<<: ", "\r"}
	for range 1 + r.IntN(3) {
		if len(text) == 0 {
			return text
		}
		i := r.IntN(len(text))
		switch r.IntN(3) {
		case 0:
			text = text[:i] + marks[r.IntN(len(marks))] + text[i:]
		case 1:
			text = text[:i] + text[min(len(text), i+1+r.IntN(3)):]
		default: // a mark that is there goes, which is the commonest slip
			if at := strings.IndexAny(text[i:], ":\"'[]{},- "); at >= 0 {
				text = text[:i+at] + text[i+at+1:]
			}
		}
	}
	return text
}

// TestTheParsersReasons: whatever reason the parser's source holds, it is said in our words.
func TestTheParsersReasons(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/goccy/go-yaml").Output()
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, pkg := range []string{"parser", "scanner"} {
		names, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), pkg, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := gofile.Parse(token.NewFileSet(), name)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.Count(lit.Value, " ") > 1 {
					text, _ := strconv.Unquote(lit.Value)
					reasons = append(reasons, text)
				}
				return true
			})
		}
	}
	if len(reasons) < 60 {
		t.Fatalf("%d reasons are found in the parser's source", len(reasons))
	}
	known := everySlip(t)
	for _, reason := range reasons {
		e := slipOf([]byte("a: 1\n"), Position{1, 1}, reason)
		found := false
		for _, s := range known {
			found = found || s == e.said
		}
		if !found || strings.Contains(e.Text, reason) {
			t.Errorf("%q is said as %q", reason, e.Text)
		}
	}
	for _, r := range ofReasons { // a row that no reason has is of another parser
		has := false
		for _, reason := range reasons {
			has = has || strings.Contains(reason, r.part)
		}
		if !has {
			t.Errorf("no reason of the parser has %q in it", r.part)
		}
	}
}
