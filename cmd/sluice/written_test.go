package main

import (
	"bytes"
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/test/raced"

	"sluice/test/fenced"
	"sluice/test/gofile"
)

// verb is one command of the program, as its own --help has it.
type verb struct {
	below map[string]bool // names of its commands
	flags map[string]bool // with their hyphens, global ones too
	above map[string]bool // the global ones of them
	short map[string]string
}

// helped walks --help from the top. Keys are the words after sluice.
func helped(t *testing.T) map[string]verb {
	t.Helper()
	all := map[string]verb{}
	var walk func(words []string)
	walk = func(words []string) {
		var out bytes.Buffer
		if code := Main(t.Context(), append(words, "--help"), &out, &out); code != 0 {
			t.Fatalf("sluice %v --help: %d", words, code)
		}
		v := verb{map[string]bool{}, map[string]bool{"--help": true, "-h": true}, map[string]bool{},
			map[string]string{}}
		_, list, _ := strings.Cut(out.String(), "Available Commands:\n")
		list, _, _ = strings.Cut(list, "\n\n")
		for line := range strings.Lines(list) {
			if name := strings.Fields(line); len(name) > 0 && name[0] != "help" && name[0] != "completion" &&
				name[0] != "Flags:" {
				v.below[name[0]] = true
			}
		}
		own, global, _ := strings.Cut(out.String(), "Global Flags:")
		flag := regexp.MustCompile(`(?m)^ +(?:(-\w), )?(--[a-z-]+)`)
		for _, m := range flag.FindAllStringSubmatch(own+global, -1) {
			v.flags[m[1]], v.flags[m[2]], v.short[m[2]] = true, true, m[1]
		}
		for _, m := range flag.FindAllStringSubmatch(global, -1) {
			v.above[m[2]] = true
		}
		all[strings.Join(words, " ")] = v
		for name := range v.below {
			walk(append(append([]string(nil), words...), name))
		}
	}
	walk(nil)
	if len(all) < 25 {
		t.Errorf("only %d verbs were found", len(all))
	}
	return all
}

// command is `sluice` and what comes behind it in a text, up to what cannot be of it.
var command = regexp.MustCompile("(?:^|[^\\w./@-])(?:bin/|/)?sluice((?: +(?:[A-Za-z0-9_.:/=\"'$…<>{}%*-]+))+)")

// derivation is what a key is derived for, and the number of its form: it looks like a command and is none.
var derivation = regexp.MustCompile(`^ cluster [a-z]+ 1$`)

// misused says what the program would not take of a command line: a verb or a flag that
// is not there. Empty where it is not certain to be a command at all.
func misused(all map[string]verb, line string) string {
	words := strings.Fields(line)
	name := ""
	if len(words) == 0 || !all[""].below[words[0]] {
		return ""
	}
	for len(words) > 0 && all[name].below[words[0]] {
		name = strings.TrimPrefix(name+" "+words[0], " ")
		words = words[1:]
	}
	if len(all[name].below) > 0 && len(words) > 0 && regexp.MustCompile(`^[a-z]{3,}$`).MatchString(words[0]) {
		return "sluice " + name + " has no command " + words[0]
	}
	for _, w := range words {
		flag, _, _ := strings.Cut(strings.Trim(w, "\"'."), "=")
		if strings.HasPrefix(flag, "--") && len(flag) > 2 && !all[name].flags[flag] {
			return "sluice " + name + " has no flag " + flag
		}
	}
	return ""
}

// TestWrittenCommands: each command of ours that a document, a configuration or a
// message of the program names is one that the program has, with its flags.
func TestWrittenCommands(t *testing.T) {
	raced.Skip(t)
	all := helped(t)
	for line, bad := range map[string]bool{
		" policy check DIR": false, " policy chek": true, " policy check --langs ca": true,
		" doctor -c FILE --json": false, " gateway is there": false,
		" motion create --dir X": false, " ledger recover --send": true, " is a gate": false,
	} {
		if (misused(all, line) != "") != bad {
			t.Errorf("of %q is said %q", line, misused(all, line))
		}
	}
	top, err := fenced.Top()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	look := func(where, text string) {
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			found++
			if derivation.MatchString(m[1]) {
				continue
			}
			if w := misused(all, m[1]); w != "" {
				t.Errorf("%s names `sluice%s`: %s", where, m[1], w)
			}
		}
	}
	docs, err := fenced.Documents(top)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range docs {
		raw, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "CHANGELOG.md" || strings.HasPrefix(name, "docs/decisions/") {
			continue // they tell of what was
		}
		for n, line := range strings.Split(string(raw), "\n") {
			look(name+":"+strconv.Itoa(n+1), line)
		}
	}
	literals(t, top, look)
	if found < 150 {
		t.Errorf("only %d commands were found", found)
	}
}

// literals looks at the texts in the program's own source.
func literals(t *testing.T, top string, look func(where, text string)) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "test" || len(d.Name()) > 1 && d.Name()[0] == '.') {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".tmpl" {
			raw, err := os.ReadFile(path)
			for line := range strings.Lines(string(raw)) {
				look(path, line)
			}
			return err
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		f, err := gofile.Parse(set, path)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					look(set.Position(lit.Pos()).String(), s)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryFlag: each flag of each verb is given in a document, on the line of its verb,
// or by a test of those below test/ or of this package, in the same call or list, or by a story.
func TestEveryFlag(t *testing.T) {
	top, err := fenced.Top()
	if err != nil {
		t.Fatal(err)
	}
	given := slices.Concat(givenByDocuments(t, top), givenByTests(t, top), givenByStories(t))
	for name, v := range helped(t) {
		words := strings.Fields(name)
		for flag := range v.flags {
			if !strings.HasPrefix(flag, "--") || flag == "--help" || v.above[flag] {
				continue
			}
			if !slices.ContainsFunc(given, func(list []string) bool {
				for _, w := range words {
					if !slices.Contains(list, w) {
						return false
					}
				}
				return slices.Contains(list, flag) || slices.Contains(list, v.short[flag])
			}) {
				t.Errorf("no document and no test gives sluice %s %s", name, flag)
			}
		}
	}
}

// givenByDocuments are the words of each line of the documents.
func givenByDocuments(t *testing.T, top string) (lines [][]string) {
	t.Helper()
	docs, err := fenced.Documents(top)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range docs {
		raw, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "CHANGELOG.md" {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			lines = append(lines, strings.FieldsFunc(line, func(r rune) bool {
				return strings.ContainsRune(" `,;:()[]=\"\n", r)
			}))
		}
	}
	return lines
}

// givenByStories are the words of each line of the stories.
func givenByStories(t *testing.T) (lines [][]string) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			lines = append(lines, strings.Fields(line))
		}
	}
	return lines
}

// givenByTests are the literals of each call and list in tests.
func givenByTests(t *testing.T, top string) (calls [][]string) {
	t.Helper()
	for _, pattern := range []string{"test/*/*_test.go", "test/harness/*.go", "cmd/sluice/*_test.go"} {
		paths, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, paths, err)
		}
		for _, path := range paths {
			f, err := gofile.Parse(token.NewFileSet(), path)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				var args []ast.Expr
				switch n := n.(type) {
				case *ast.CallExpr:
					args = n.Args
				case *ast.CompositeLit:
					args = n.Elts
				}
				var words []string
				for _, a := range args {
					if lit, ok := a.(*ast.BasicLit); ok && lit.Kind == token.STRING {
						if s, err := strconv.Unquote(lit.Value); err == nil {
							words = append(words, s)
						}
					}
				}
				if len(words) > 1 {
					calls = append(calls, words)
				}
				return true
			})
		}
	}
	return calls
}
