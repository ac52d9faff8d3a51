package sluice_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/test/gofile"
)

// codeWord is a code that people meet: of a reading (E001), a rule (C05), a policy (R02)
// or a motion (V08).
var codeWord = regexp.MustCompile(`^(E\d{3}|[CDKLNPRSTVWY]\d{2})$`)

// TestCodes: each code that the program can say is in a document's table, each one in a
// table can be said, and a test makes it be said.
func TestCodes(t *testing.T) {
	told := tabled(t)
	can, constants := said(t)
	made := map[string]bool{}
	words := regexp.MustCompile(`\b[A-Z]\d{2,3}\b`)
	tests(t, func(_ string, _ *token.FileSet, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if code := constants[n.Name]; code != "" {
					made[code] = true
				}
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
					for _, code := range words.FindAllString(s, -1) {
						made[code] = true
					}
				}
			}
			return true
		})
	})
	if len(told) < 120 || len(can) < 120 {
		t.Errorf("%d codes are told, %d can be said", len(told), len(can))
	}
	for _, code := range slices.Sorted(maps.Keys(can)) {
		if !told[code] {
			t.Errorf("%s can be said (%s), and no table in docs/ has it", code, can[code])
		}
	}
	for _, code := range slices.Sorted(maps.Keys(told)) {
		if can[code] == "" {
			t.Errorf("a table in docs/ has %s, and nothing says it", code)
		}
		if !made[code] {
			t.Errorf("no test has %s said", code)
		}
	}
}

// tabled are the codes in the first column of the documents' tables.
func tabled(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, page := range []string{"docs/policy.md", "docs/wire.md"} {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllStringSubmatch(string(raw), -1) {
			for _, word := range strings.Split(row[1], ", ") {
				from, to, isRange := strings.Cut(word, "–")
				if !codeWord.MatchString(from) {
					continue
				}
				all[from] = true
				if !isRange {
					continue
				}
				low, err1 := strconv.Atoi(from[1:])
				high, err2 := strconv.Atoi(to[1:])
				if err1 != nil || err2 != nil || from[0] != to[0] || high <= low {
					t.Errorf("%s: %s is no range of codes", page, word)
				}
				for n := low; n <= high; n++ {
					all[from[:1]+strconv.Itoa(n + 1000)[4-len(from[1:]):]] = true
				}
			}
		}
	}
	return all
}

// said are the codes in the program's own literals, with where, and the names of
// constants that are codes.
func said(t *testing.T) (codes, constants map[string]string) {
	t.Helper()
	codes, constants = map[string]string{}, map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() &&
			(path == "test" || path == "firmware-sim" || d.Name() == "testdata" ||
				len(d.Name()) > 1 && d.Name()[0] == '.') {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".rego" && !strings.HasSuffix(path, "_test.rego") {
			raw, err := os.ReadFile(path)
			for _, m := range regexp.MustCompile(`"([A-Z]\d{2,3})"`).FindAllStringSubmatch(string(raw), -1) {
				codes[m[1]] = path
			}
			return err
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := gofile.Parse(token.NewFileSet(), path)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, v := range n.Values {
					if code := literal(v); codeWord.MatchString(code) && i < len(n.Names) {
						constants[n.Names[i].Name] = code
					}
				}
			case *ast.BasicLit:
				if code := literal(n); codeWord.MatchString(code) {
					codes[code] = path
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return codes, constants
}
