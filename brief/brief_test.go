package brief_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"sluice/brief"
)

// harmless fails for text that is too long, or does more than stand there.
func harmless(t *testing.T, s string, most int) {
	t.Helper()
	if len(s) > most || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) && r != '\n'
	}) {
		t.Errorf("%d bytes, %.80q", len(s), s)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                             "",
		"as it is":                     "as it is",
		" two\nlines\t\tend ":          "two lines end",
		"\x1b[2Jgone":                  `\x1b[2Jgone`,
		"right\u202eleft":              `right\u202eleft`,
		"half \xff a letter":           "half \ufffd a letter",
		"zero\x00":                     `zero\x00`,
		strings.Repeat("a", brief.Max): strings.Repeat("a", brief.Max),
	} {
		if got := brief.Text(in); got != want {
			t.Errorf("%q becomes %q; want %q", in, got, want)
		}
	}
	long := brief.Text("mend this: " + strings.Repeat("€", 1<<20) + " with that")
	if !strings.HasPrefix(long, "mend this: ") || !strings.HasSuffix(long, " with that") ||
		!strings.Contains(long, "…") {
		t.Errorf("neither end is kept: %q", long)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	const snippet = "[3:1] unknown field\n   2 | a:  1\n>  3 | b: 2\n       ^"
	if got := brief.Report(snippet); got != snippet {
		t.Errorf("a snippet becomes\n%s", got)
	}
}

func FuzzBrief(f *testing.F) {
	for _, s := range []string{"", "a\nb", "\xff\x1b[2J", strings.Repeat("é", 500), strings.Repeat("x\n", 9999),
		strings.Repeat(" ", 5000) + "\x07"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := brief.Text(s)
		harmless(t, text, brief.Max)
		if strings.Contains(text, "\n") {
			t.Errorf("several lines: %q", text)
		}
		report := brief.Report(s)
		harmless(t, report, brief.MaxReport)
		if n := strings.Count(report, "\n"); n > brief.MaxLines {
			t.Errorf("%d lines", n)
		}
	})
}

// TestLog: whatever an attribute is, its text is bounded; a caught panic's places
// are not.
func TestLog(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ab\n", 1<<18)
	var out bytes.Buffer
	log := brief.NewLogger(&out, slog.LevelInfo)
	log.Warn(long, "text", long, "error", errors.New(long), "list", []string{long}, slog.Group("in", "text", long),
		"value", slog.AnyValue(stringer(long)))
	if n := out.Len(); n < 6*200 || n > 6*(brief.Max+40)+100 || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%d bytes: %.400q", n, out.String())
	}
	out.Reset()
	if log.Error("a bug", "error", placed(long)); out.Len() < len(long) {
		t.Error("the places are cut")
	}
}

type stringer string

func (s stringer) String() string { return string(s) }

type placed string

func (p placed) Error() string  { return string(p) }
func (p placed) Places() string { return string(p) }
