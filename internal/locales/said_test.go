package locales

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sluice/test/gofile"
)

// sayers are the functions and methods of each package that say a sentence by its key, with what
// stands before the key there.
var sayers = map[string]map[string]string{
	"internal/yamldoc": {".Say": ""},
	"policy/check":     {".Say": ""},
	"policy/council":   {".Say": "", ".Form": "", "say": "council.", "line": "council.page.", "part": "council.page."},
	"policy/diff":      {".Say": "", "say": "diff.", "texts": "diff."},
	"policy/dpia":      {".Say": "", ".say": "dpia.", ".todo": "dpia."},
	"policy/consult":   {".Say": "", "say": "consult.", "word": "consult.", "heading": "consult.list."},
	"policy/templates": {".Say": "", "say": "templates."},
	"policy/papers":    {".Say": "", "say": "papers."},
	"policy/explain":   {".Say": "", ".Form": "", "say": "explain.", ".say": "explain.", ".section": "explain."},
}

// heading is a line of a motion's head, which is in English only.
var heading = regexp.MustCompile(`^[A-Z]`)

// TestNoneIsMissing: what a source says stands in the files, and is given as many parts as it
// takes, so that no key is found missing by who reads.
func TestNoneIsMissing(t *testing.T) {
	seen := 0
	for pkg, prefixes := range sayers {
		for _, f := range parsed(t, pkg) {
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				prefix, says := prefixes[called(call)]
				if !says {
					return true
				}
				whole, begun, at := keyOf(call)
				if heading.MatchString(whole) {
					return true
				}
				if whole != "" {
					seen++
					hold(t, pkg, prefix+whole, call, at)
				} else if begun != "" && !isPrefix(prefix+begun) {
					t.Errorf("%s says %s…, with which no key begins", pkg, prefix+begun)
				}
				return true
			})
		}
	}
	if seen < 130 {
		t.Errorf("only %d sentences were found; the search is broken", seen)
	}
}

// TestSlipsAreThere: each slip of package yamldoc has its sentence.
func TestSlipsAreThere(t *testing.T) {
	seen := 0
	for _, f := range parsed(t, "internal/yamldoc") {
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if typ, ok := v.Type.(*ast.Ident); !ok || typ.Name != "said" {
				return true
			}
			for _, value := range v.Values {
				seen++
				if _, there := In(0).Text("slips." + text(value)); !there {
					t.Errorf("slips.%s is missing", text(value))
				}
			}
			return true
		})
	}
	if seen < 30 {
		t.Errorf("only %d slips were found; the search is broken", seen)
	}
}

// hold holds a call against the sentence that it says.
func hold(t *testing.T, pkg, key string, call *ast.CallExpr, at int) {
	t.Helper()
	sentence, ok := In(0).Text(key)
	if !ok {
		if sentence, ok = In(0).Text(key + ".other"); !ok || called(call) != ".Form" {
			t.Errorf("%s says %s, which is missing", pkg, key)
		}
		return
	}
	given := len(call.Args) - at - 1
	// parts come in elsewhere, or are none
	if call.Ellipsis.IsValid() || pkg == "policy/diff" || called(call) == ".section" {
		return
	}
	wants := map[string]bool{}
	for _, v := range verbs.FindAllString(sentence, -1) {
		if n := strings.IndexByte(v, ']'); n > 0 {
			v = v[:n]
		} else {
			v += strconv.Itoa(len(wants))
		}
		if !strings.HasPrefix(v, "%%") {
			wants[v] = true
		}
	}
	if len(wants) != given {
		t.Errorf("%s gives %s %d parts, and it takes %d: %q", pkg, key, given, len(wants), sentence)
	}
}

// keyOf is the key that a call says, whole or as it begins, and which argument it is. It is the
// first or, behind a language, the second one.
func keyOf(call *ast.CallExpr) (whole, begun string, at int) {
	for at, arg := range call.Args[:min(2, len(call.Args))] {
		switch arg := arg.(type) {
		case *ast.BasicLit:
			return text(arg), "", at
		case *ast.BinaryExpr:
			left := arg.X
			for b, ok := left.(*ast.BinaryExpr); ok; b, ok = left.(*ast.BinaryExpr) {
				left = b.X
			}
			return "", text(left), at
		}
	}
	return "", "", 0
}

// called is the name of the function that is called; behind a point that of a method.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return "." + f.Sel.Name
	}
	return ""
}

// text is the text of a literal.
func text(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(lit.Value)
	return s
}

func isPrefix(begun string) bool {
	subject, _, _ := strings.Cut(begun, ".")
	for _, key := range In(0).Keys(subject) {
		if strings.HasPrefix(key, begun) {
			return true
		}
	}
	return false
}

// parsed are the sources of a package.
func parsed(t *testing.T, pkg string) (out []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("../../" + pkg + "/*.go")
	if err != nil || len(names) == 0 {
		t.Fatal(pkg, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := gofile.Parse(token.NewFileSet(), name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}
