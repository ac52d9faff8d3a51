package sensors

import (
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/test/gofile"
	"sluice/test/harness"
)

// sentences cuts docs/wire.md into what it claims: the sentences of its paragraphs, the
// rows of its tables and its examples. Headings, and those of tables, claim nothing.
func sentences(text string) (all []string) {
	var paragraph, code []string
	end := func() {
		joined := strings.Join(paragraph, " ")
		for paragraph = nil; joined != ""; {
			at := sentenceEnd.FindStringIndex(joined)
			if at == nil {
				at = []int{len(joined) - 1, len(joined)}
			}
			all = append(all, joined[:at[0]+1])
			joined = strings.TrimLeft(joined[at[0]+1:], " ")
		}
	}
	fenced, rows := false, 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, "|") {
			rows = 0
		}
		switch {
		case strings.HasPrefix(line, "```"):
			end()
			if fenced {
				all = append(all, strings.Join(code, "\n"))
			}
			fenced, code = !fenced, nil
		case fenced:
			code = append(code, line)
		case strings.HasPrefix(line, "|"):
			end()
			if rows++; rows > 2 {
				all = append(all, line)
			}
		case line == "" || strings.HasPrefix(line, "#"):
			end()
		default:
			paragraph = append(paragraph, line)
		}
	}
	end()
	return all
}

var sentenceEnd = regexp.MustCompile("[.?!] [A-Z`\"(]")

// documented is how a test claims sentences of docs/wire.md: what stands behind it holds them
// against a running product. It fails for a sentence that is not there, so that a change
// of the document is a change of the test.
func documented(t *testing.T, claimed ...string) {
	t.Helper()
	all := sentences(harness.Read(t, "../../docs/wire.md"))
	for _, s := range claimed {
		if !slices.Contains(all, s) {
			t.Errorf("docs/wire.md does not say %q (any more)", s)
		}
	}
}

// claims are the sentences that the tests of this package claim with documented, and where.
func claims(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]string)
	for _, name := range files {
		file, err := gofile.Parse(token.NewFileSet(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if name, is := calls(call, ok); is && name == "documented" {
					for _, arg := range call.Args[1:] {
						lit, ok := arg.(*ast.BasicLit)
						if !ok {
							t.Fatalf("%s: documented takes sentences as they are", f.Name.Name)
						}
						s, err := strconv.Unquote(lit.Value)
						if err != nil {
							t.Fatal(err)
						}
						out[s] = append(out[s], f.Name.Name)
					}
				}
				return true
			})
		}
	}
	return out
}

func calls(c *ast.CallExpr, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	id, ok := c.Fun.(*ast.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}

// TestWireDocument: each sentence of docs/wire.md is claimed by exactly one test, or
// claims nothing, with the reason. One that is new, changed or gone fails here until it
// is claimed again.
func TestWireDocument(t *testing.T) {
	t.Parallel()
	claimed := claims(t)
	for test, list := range claimedElsewhere {
		exists(t, test)
		for _, s := range list {
			claimed[s] = append(claimed[s], test)
		}
	}
	for s, why := range claimsNothing {
		claimed[s] = append(claimed[s], "nobody: "+why)
	}
	for _, s := range sentences(harness.Read(t, "../../docs/wire.md")) {
		switch by := claimed[s]; len(by) {
		case 1:
			delete(claimed, s)
		case 0:
			t.Errorf("no test claims %q", s)
		default:
			t.Errorf("%q is claimed by %s; want one test", s, strings.Join(by, " and "))
			delete(claimed, s)
		}
	}
	for s, by := range claimed {
		t.Errorf("docs/wire.md does not say %q, as %s claims", s, strings.Join(by, " and "))
	}
}

// exists insists on a test DIR.NAME.
func exists(t *testing.T, test string) {
	t.Helper()
	at := strings.LastIndex(test, ".")
	files, err := filepath.Glob(filepath.Join("..", "..", test[:at], "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.Contains(harness.Read(t, name), "\nfunc "+test[at+1:]+"(t *testing.T) {") {
			return
		}
	}
	t.Errorf("there is no test %s", test)
}

// TestSentences: how the document is cut.
func TestSentences(t *testing.T) {
	t.Parallel()
	got := sentences("# A b. C\n\nOne goes\non (e.g. here). `Two` is 1.5 long.\n\n| a | b |\n|---|---|\n| c. D | d " +
		"|\n\n```sh\nx. Y\n\nz\n```\n\nis three: yes? No!\nFour. (Five.)\n")
	want := []string{"One goes on (e.g. here).", "`Two` is 1.5 long.", "| c. D | d |", "x. Y\n\nz", "is three: yes?",
		"No!", "Four.", "(Five.)"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// outcome sends and says what became of it, and of how many readings: "ok" where it
// counts, or waits to be counted.
func outcome(c *harness.City, readings float64, send func()) string {
	c.T.Helper()
	before, had := codesNow(c), c.Metric("sluice_received_total")
	send()
	c.Received(had + readings)
	var out []string
	rest := readings
	for code, n := range codesNow(c) {
		if n -= before[code]; n > 0 && code != "" {
			out = append(out, fmt.Sprintf("%s×%v", code, n))
			rest -= n
		}
	}
	if rest > 0 {
		out = append(out, fmt.Sprintf("ok×%v", rest))
	}
	slices.Sort(out)
	return strings.ReplaceAll(strings.Join(out, " ")+" ", "×1 ", " ")
}

var codeMetric = regexp.MustCompile(`sluice_readings_total\{code="(\w*)",state="\w+"\} (\d+)`)

func codesNow(c *harness.City) map[string]float64 {
	c.T.Helper()
	out := make(map[string]float64)
	for _, m := range codeMetric.FindAllStringSubmatch(c.Metrics(), -1) {
		n, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			c.T.Fatal(err)
		}
		out[m[1]] += n
	}
	return out
}

// becomes insists on the outcome of one message of some readings.
func becomes(c *harness.City, sensor, payload, want string) {
	c.T.Helper()
	n := 0.0
	for _, part := range strings.Fields(want) {
		_, times, many := strings.Cut(part, "×")
		k := 1.0
		if many {
			var err error
			if k, err = strconv.ParseFloat(times, 64); err != nil {
				c.T.Fatal(err)
			}
		}
		n += k
	}
	if got := outcome(c, n, func() { c.Send(sensor, payload) }); strings.TrimSpace(got) != want {
		c.T.Errorf("%s sends %.200s: %s; want %s", sensor, payload, got, want)
	}
}
