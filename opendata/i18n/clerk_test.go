package i18n

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/test/gofile"
)

// clerkFiles are the sources of the verbs for councils and clerks, and of what they
// say errors of.
var clerkFiles = []string{
	"../../cmd/sluice/locale.go", "../../cmd/sluice/arguments.go", "../../cmd/sluice/motion*.go",
	"../../cmd/sluice/policy*.go",
	"../../simulate/*.go", "../../policy/council/*.go", "../../policy/workspace/*.go", "../../policy/ballot/*.go",
	"../../policy/cases/*.go", "../../policy/bundle/*.go", "../../policy/compile/files.go", "../../studio/studio.go",
	"../../studio/desk.go", "../../policy/consult/answers.go", "../../policy/dpia/answers.go",
	"../../policy/templates/add.go",
	"../../policy/templates/like.go", "../../internal/yamldoc/decode.go",
}

// unspoken are texts of errors that no verb of a clerk shows: bugs, or the town's own.
var unspoken = []string{
	"%s", "%w", "%v", "%s: %w", "%q: %w", "%w: %q", "%s %w", "is missing from the policy directory", "%s: %s: %w",
	"%w\n%s", "%s:1: %w", "%s\n  %s\n%s", "the draft has no decision %s",
}

// byLibraries are texts of cobra and of the system, as they stand in their sources.
var byLibraries = []string{
	"unknown flag: %s", "unknown command %s for %s", "flag needs an argument: %s", "did you mean %s?",
	"invalid argument %s for %s flag: %s", "unknown shorthand flag: %s in %s", "no such file or directory",
	"permission denied", "file exists", "not a directory",
	"is a directory", "no space left on device", "read-only file system", "open %s: %s", "stat %s: %s", "mkdir %s: %s",
	"rename %s: %s",
}

// comment is the last of a line of a template.
var comment = regexp.MustCompile("(?m)^(?:.* )?# (.*)$")

// filledIn is what a template takes of a policy.
var filledIn = regexp.MustCompile(`\{\{[^{}]*\}\}`)

func clerkSays(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, pattern := range clerkFiles {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := gofile.Parse(token.NewFileSet(), name)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if text, ok := clerkSaying(n); ok && !slices.Contains(unspoken, text) {
					out[strings.ReplaceAll(text, "%w", "%v")] = true
				}
				return true
			})
		}
	}
	for _, text := range byLibraries {
		out[text] = true
	}
	return out
}

// clerkSaying is the sentence of a call that says one, or that makes an error.
func clerkSaying(n ast.Node) (string, bool) {
	var args []ast.Expr
	name := ""
	switch n := n.(type) {
	case *ast.CallExpr:
		args = n.Args
		switch f := n.Fun.(type) {
		case *ast.SelectorExpr:
			name = f.Sel.Name
			if x, ok := f.X.(*ast.Ident); ok && (x.Name == "fmt" || x.Name == "errors") {
				name = x.Name + "." + name
			}
		case *ast.Ident:
			name = f.Name
		}
	case *ast.KeyValueExpr: // of a yamldoc.SyntaxError
		if id, ok := n.Key.(*ast.Ident); ok && id.Name == "Text" {
			return literal(n.Value)
		}
	case *ast.CompositeLit:
		if id, ok := n.Type.(*ast.Ident); ok {
			args, name = n.Elts, id.Name
		}
	}
	at := -1
	switch name {
	case "Say", "say", "note", "some", "fmt.Errorf", "errors.New", "usageError":
		at = 0
	case "refuse", "exitError":
		at = 1
	}
	if at < 0 || len(args) <= at {
		return "", false
	}
	return literal(args[at])
}

// literal is the text of a literal, or of several in a row.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		a, first := literal(e.X)
		b, second := literal(e.Y)
		return a + b, first && second && e.Op == token.ADD
	}
	return "", false
}

// TestEveryClerksSentence holds the clerk's tables against what the verbs for
// councils say, errors too: none is missing, none is left over, and each takes the
// same parts in the same order.
func TestEveryClerksSentence(t *testing.T) {
	used := clerkSays(t)
	if len(used) < 150 {
		t.Fatalf("only %d sentences were found; the search is broken", len(used))
	}
	for _, w := range []string{ // sides and sentences that are chosen
		"in force", "motion %s ends it on %s", "motion %s changes it on %s", "motion %s suspends it on %s",
		"motion %s lifts the suspension on %s",
		"see sluice --help", "see sluice %s --help", "%s is missing from the policy directory",
		"strconv.ParseInt: parsing %s: invalid syntax",
		"there is no policy here: no charter.yaml and no decisions/; begin with sluice policy new", "%s is %s; want %s",
		"unknown field %q", "known keys are %s", "this key belongs elsewhere in the file",
		"keys with values are wanted here: %s", "%s is not among the fields that are sent",
		"%s is published every %s; want %s",
	} {
		used[w] = true
	}
	for _, name := range []string{"../../cmd/sluice/decision.yaml.tmpl", "../../configs/portalba/policy/charter.yaml",
		"../../configs/portalba/policy/council.yaml", "../../configs/portalba/policy/kinds.yaml"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range comment.FindAllStringSubmatch(string(raw), -1) {
			if text := filledIn.ReplaceAllString(m[1], "%s"); text != "%s" &&
				!strings.HasPrefix(text, "yaml-language-server") {
				used[text] = true
			}
		}
	}
	for text := range used {
		for _, code := range []string{"ca", "es"} {
			got, ok := clerk[code][text]
			if _, plural := clerkPlurals[text]; plural {
				continue
			}
			if _, page := catalan[text]; page && !ok {
				continue
			}
			if !ok {
				t.Errorf("%s has no %q", code, text)
				continue
			}
			if a, b := part.FindAllString(text, -1),
				part.FindAllString(got, -1); strings.Join(a, "") != strings.Join(b, "") {
				t.Errorf("%s: %q takes %v, and its translation %v", code, text, a, b)
			}
		}
	}
	for _, code := range []string{"ca", "es"} {
		for text := range clerk[code] {
			if !used[text] {
				t.Errorf("%s has %q, which nobody says", code, text)
			}
			if _, page := catalan[text]; page {
				t.Errorf("%q is translated twice", text)
			}
		}
	}
	for text := range clerkPlurals {
		if !used[text] {
			t.Errorf("there are plurals of %q, which nobody says", text)
		}
	}
}
