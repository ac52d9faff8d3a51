package sluice_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMakeTestsAll: make test runs the tests of each package, as make itself says; with the
// race detector but where neither code nor tests of a package begin a goroutine, or where tests
// are stories of programs that have none of it, and without it, too, where a package's tests or
// limits are others under it.
func TestMakeTestsAll(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("make is not installed")
	}
	said := makeSays(t, "test")
	tested := map[bool]map[string]bool{false: {}, true: {}} // with the race detector or without
	for line := range strings.Lines(said) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "go" || words[1] != "test" {
			continue
		}
		var names []string
		for n, w := range words[2:] {
			switch {
			case !strings.HasPrefix(w, "-") && words[n+1] != "-timeout":
				names = append(names, w)
			case strings.HasPrefix(w, "-run"), strings.HasPrefix(w, "-skip"), strings.HasPrefix(w, "-short"):
				t.Errorf("make test leaves tests out: %s", line)
			}
		}
		for _, name := range goList(t, names...) {
			tested[slices.Contains(words, "-race")][name] = true
		}
	}
	if strings.Contains(said, "-vet=off") && !regexp.MustCompile(`(?m)^go vet \./\.\.\.$`).MatchString(said) {
		t.Error("make test runs go vet neither by itself nor before each package's tests")
	}
	all := goList(t, "./...")
	for _, name := range all {
		files, err := filepath.Glob(filepath.Join(".",
			filepath.FromSlash(strings.TrimPrefix(strings.TrimPrefix(name, "sluice"), "/")), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files (%v)", name, err)
		}
		var begins, differs, tests, alone, story bool
		for _, path := range files {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			tests = tests || strings.HasSuffix(path, "_test.go")
			begins = begins || !watched[path] && goes.Match(raw)
			story = story || bytes.Contains(raw, []byte("harness.Main(")) && path != "make_test.go"
			if name == "sluice/test/raced" {
				continue
			}
			alone = alone || also.Match(raw) || turns.Match(raw)
			differs = differs || raced.Match(raw) || turns.Match(raw)
			for _, test := range never(t, path, raw) {
				t.Errorf("make test runs %s neither with the race detector nor without", test)
			}
		}
		switch {
		case !tested[true][name] && !tested[false][name]:
			t.Errorf("make test leaves %s out", name)
		case begins && tests && !story && !tested[true][name]:
			t.Errorf("make test runs %s without the race detector, and it begins goroutines; name it in RACED", name)
		case alone && !tested[true][name]:
			t.Errorf("make test skips tests of %s that it runs with the race detector alone, and does not", name)
		case differs && !tested[false][name]:
			t.Errorf("make test runs %s with the race detector alone, which has its tests do less", name)
		}
	}
	if len(all) < 50 {
		t.Errorf("there are %d packages; the search is broken", len(all))
	}
}

// TestMakeShortStartsNothing: make test-short runs no package that builds the programs and runs them.
func TestMakeShortStartsNothing(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("make is not installed")
	}
	short := makeSays(t, "test-short")
	seen := 0
	for _, name := range goList(t, "./...") {
		files, err := filepath.Glob(filepath.FromSlash(strings.TrimPrefix(name+"/*_test.go", "sluice/")))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(raw, []byte("harness.Main(")) || file == "make_test.go" {
				continue
			}
			if seen++; slices.Contains(strings.Fields(short), name) {
				t.Errorf("make test-short runs %s, which builds the programs; name it in STORIES", name)
			}
		}
	}
	if seen < 6 {
		t.Errorf("only %d packages build the programs; the search is broken", seen)
	}
}

// TestRaceLeavesOnlyC: of all packages the race detector is left out of SQLite's C alone. What is
// generic is compiled where it is used, and one of several equals is linked: C uses none of Go's.
func TestRaceLeavesOnlyC(t *testing.T) {
	raw, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	const c = "modernc.org/sqlite/lib"
	said := regexp.MustCompile(`(?m)^RACE  := -race (.*)$`).FindSubmatch(raw)
	if said == nil || string(said[1]) != "-gcflags="+c+"=-race=false" ||
		bytes.Count(raw, []byte("-race=")) != 1 {
		t.Fatalf("the race detector is left out of more than %s: %q", c, said)
	}
	list := strings.Fields(output(t, exec.Command("go", "list", "-f",
		`{{range .Imports}}{{.}} {{end}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}} {{end}}`, c)))
	files := 0
	for _, name := range list {
		switch name {
		case "modernc.org/libc", "reflect", "runtime/debug", "sync", "sync/atomic", "unsafe":
			continue
		}
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatalf("%s uses %s, which may be generic", c, name)
		}
		files++
		if m := generic.Find(code); m != nil {
			t.Errorf("%s has %s", name, m)
		}
	}
	if files < 5 {
		t.Errorf("%s has %d files; the search is broken", c, files)
	}
}

// generic is what the packages that SQLite's C imports have of it.
var generic = regexp.MustCompile(`atomic\.Pointer|sync\.OnceValue|reflect\.TypeFor|reflect\.TypeAssert|X__sync_(add|sub)_and_fetch\(`)

// makeSays is what make would run for a target.
func makeSays(t *testing.T, target string) string {
	t.Helper()
	cmd := exec.Command("make", "-n", "--no-print-directory", target, "SEED=1")
	cmd.Env = slices.DeleteFunc(os.Environ(), func(x string) bool { // of a make that runs this test
		return strings.HasPrefix(x, "MAKE") || strings.HasPrefix(x, "MFLAGS=") || strings.HasPrefix(x, "GOFLAGS=")
	})
	return output(t, cmd)
}

// TestMakeFuzzesAll: make fuzz runs each fuzz test that there is, where it is.
func TestMakeFuzzesAll(t *testing.T) {
	raw, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(raw), "\nFUZZ := ")
	list, _, _ = strings.Cut(list, "\n\n")
	made := map[string]bool{}
	for _, word := range strings.Fields(strings.ReplaceAll(list, "\\\n", " ")) {
		made[word] = true
	}
	target := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(f \*testing\.F\)`)
	for _, file := range sources(t) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range target.FindAllSubmatch(raw, -1) {
			name := string(m[1]) + ":" + path.Dir(file)
			if !made[name] {
				t.Errorf("make fuzz leaves %s out", name)
			}
			delete(made, name)
		}
	}
	for name := range made {
		t.Errorf("make fuzz runs %s, which is not there", name)
	}
}

// TestSkippedNowhereInCI: a test that is skipped where a tool is missing fails in CI.
func TestSkippedNowhereInCI(t *testing.T) {
	seen := 0
	for _, file := range sources(t) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, raw, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			body := raw[set.Position(fn.Pos()).Offset:set.Position(fn.End()).Offset]
			if !bytes.Contains(body, []byte("exec.LookPath(")) || !bytes.Contains(body, []byte(".Skip")) {
				continue
			}
			if seen++; !bytes.Contains(body, []byte(`os.Getenv("CI")`)) {
				t.Errorf("%s: %s skips in CI, too, where a tool is missing", set.Position(fn.Pos()), fn.Name.Name)
			}
		}
	}
	if seen < 4 {
		t.Errorf("only %d tests look for a tool; the search is broken", seen)
	}
}

// watched are tests whose goroutines share nothing: one is waited for at a time, others run the compiler.
var watched = map[string]bool{"policy/mechanism/law_test.go": true, "breach_test.go": true}

// raced is code that is otherwise with the race detector, and a test that is skipped with it.
var raced = regexp.MustCompile(`(?m)\A//go:build race$|^\s*raced\.Skip\(t\)`)

// also is a test that make test runs with the race detector alone.
var also = regexp.MustCompile(`(?m)^\s*raced\.Also\(t\)`)

// turns is code that has parts run with the race detector, and others without it.
var turns = regexp.MustCompile(`\braced\.Turn\(`)

// never are the tests of a file that are skipped both with the race detector and without it.
func never(t *testing.T, path string, raw []byte) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, raw, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if text := raw[f.Pos()-1 : f.End()-1]; also.Match(text) && raced.Match(text) {
			names = append(names, path+": "+f.Name.Name)
		}
	}
	return names
}

// goes is code that begins a goroutine.
var goes = regexp.MustCompile(`(?m)^\s*go [a-z(]|\.Go\(|AfterFunc\(|\bhttptest\.NewServer|\bt\.Parallel\(\)`)

// goList is the packages of patterns.
func goList(t *testing.T, patterns ...string) []string {
	t.Helper()
	return strings.Fields(output(t, exec.Command("go", append([]string{"list"}, patterns...)...)))
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var wrong bytes.Buffer
	cmd.Stderr = &wrong
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, wrong.String())
	}
	return string(raw)
}
