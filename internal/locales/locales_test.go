package locales

import (
	"crypto/sha256"
	"encoding/hex"
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

// saidBy are the packages that say the sentences of a subject, from here.
var saidBy = map[string][]string{
	"check":     {"policy/check", "policy/rego", "policy/rules", "policy/compile"},
	"council":   {"policy/council"},
	"dates":     {"opendata/i18n"},
	"diff":      {"policy/diff"},
	"dpia":      {"policy/dpia"},
	"explain":   {"policy/explain"},
	"grammar":   {"opendata/i18n"},
	"papers":    {"policy/papers"},
	"slips":     {"internal/yamldoc"},
	"templates": {"policy/templates"},
	"consult":   {"policy/consult"},
}

// byData are keys that no source says in one piece: a step of them is a value of a policy, a
// number or the form that a number wants. TestAgreement of opendata/i18n knows the grammar's.
var byData = regexp.MustCompile(
	`^(check\.sort|council\.quorum|consult\.mark|dpia\.level|explain\.(unit|month-names|op|span)|dates\.[a-z-]+|grammar\.[a-z-]+)\.|` +
		`^explain\.m-l(eq|day|evening|night|den)$|\.(one|other)$`)

// TestSubjects: every subject has a file in each language, and a row here.
func TestSubjects(t *testing.T) {
	for l, code := range Languages {
		for subject := range saidBy {
			if In(l).subjects[subject] == nil {
				t.Errorf("%s/%s.yaml is missing", code, subject)
			}
		}
		for subject := range In(l).subjects {
			if saidBy[subject] == nil {
				t.Errorf("nobody says %s/%s.yaml", code, subject)
			}
		}
	}
}

// verbs are those of package fmt.
var verbs = regexp.MustCompile(`%(\[\d\])?[-+#0-9.]*[a-zA-Z%]`)

// parts are what a sentence takes: in their order, or sorted where they are numbered, each
// once, so that languages may order and repeat them as they like.
func parts(text string) []string {
	list := verbs.FindAllString(text, -1)
	if strings.Contains(verbs.ReplaceAllString(text, ""), "%") && len(list) > 0 {
		return append(list, "a % by itself, which is written %%")
	}
	if strings.Contains(text, "%[") {
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return list
}

// lacking are the keys that take another part in some language.
func lacking(keys []string, text func(key string, lang int) string) (out []string) {
	for _, key := range keys {
		want := parts(text(key, 0))
		for l := range Languages {
			if got := parts(text(key, l)); !slices.Equal(got, want) {
				out = append(out, key+" in "+Languages[l])
			}
		}
	}
	return out
}

// TestEachLanguage: no sentence is missing in a language, none is empty or left over, and
// each takes the same parts: the same verbs in the same order, or the same numbered ones.
func TestEachLanguage(t *testing.T) {
	for subject := range saidBy {
		keys := In(0).Keys(subject)
		if len(keys) < 12 {
			t.Fatalf("%s has only %d sentences", subject, len(keys))
		}
		for l, code := range Languages {
			here := In(l).Keys(subject)
			for _, key := range keys {
				if text, ok := In(l).Text(key); !ok || text == "" {
					t.Errorf("%s/%s.yaml has no %s", code, subject, key)
				}
			}
			for _, key := range here {
				if _, ok := In(0).Text(key); !ok {
					t.Errorf("%s/%s.yaml has %s, which en has not", code, subject, key)
				}
			}
		}
		for _, problem := range lacking(keys, func(key string, l int) string {
			text, _ := In(l).Text(key)
			return text
		}) {
			t.Errorf("%s takes other parts than in English", problem)
		}
	}
}

// TestTheTestSees: the check above notices a part that is missing, of another kind, or out
// of its order.
func TestTheTestSees(t *testing.T) {
	for _, c := range []struct {
		english, other string
		same           bool
	}{
		{"%s of %d", "%s de %d", true}, {"%s of %d", "%d de %s", false}, {"%s", "", false}, {"%d", "%s", false},
		{"%[1]s, %[2]d", "%[2]d, %[1]s, %[1]s", true}, {"%[1]s", "%[2]s", false}, {"%[1]s", "%[1]d", false},
		{"95 %%", "95 %%", true},
		{"% is a mark", "un % és un senyal", true}, {"%s of % all", "%s", false},
	} {
		if slices.Equal(parts(c.english), parts(c.other)) != c.same {
			t.Errorf("%q and %q: want %v", c.english, c.other, c.same)
		}
	}
}

// TestNoneIsLeftOver: each step of a key stands in a source of the packages that say its
// subject; what is said no more goes.
func TestNoneIsLeftOver(t *testing.T) {
	for subject, packages := range saidBy {
		said := steps(t, packages)
		for _, key := range In(0).Keys(subject) {
			if byData.MatchString(key) {
				continue
			}
			for _, step := range strings.Split(key, ".")[1:] {
				if !said[step] {
					t.Errorf("nobody says %s: no source of %v has %q", key, packages, step)
				}
			}
		}
	}
}

// steps are the words of all texts in the sources of packages that look like keys.
func steps(t *testing.T, packages []string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" && !strings.ContainsAny(text, " \n") {
			for _, step := range strings.Split(text, ".") {
				out[step] = true
			}
		}
	}
	for _, pkg := range packages {
		names, err := filepath.Glob("../../" + pkg + "/*.*")
		if err != nil || len(names) == 0 {
			t.Fatal(pkg, err)
		}
		for _, name := range names {
			switch {
			case strings.HasSuffix(name, "_test.go"):
			case filepath.Ext(name) == ".rego":
				raw, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(string(raw), -1) {
					add(m[1])
				}
			case filepath.Ext(name) == ".go":
				f, err := gofile.Parse(token.NewFileSet(), name)
				if err != nil {
					t.Fatal(err)
				}
				ast.Inspect(f, func(n ast.Node) bool {
					if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
						text, _ := strconv.Unquote(lit.Value)
						add(text)
					}
					return true
				})
			}
		}
	}
	return out
}

// signed are the subjects of which motions are made: council members sign these words.
var signed = []string{"council", "diff", "explain"}

// unsigned are sentences of them that stand in no motion: who voted is known afterwards.
var unsigned = []string{"explain.voted", "explain.unvoted"}

// TestSigned holds the sentences of motions of the formats 4 to 7 by the SHA-256 of each.
// Whoever signed one signed these bytes, and each gateway makes its text anew: a sentence
// that changes makes every motion in force void. What must be said otherwise gets a key of
// its own, for a new policy/council.Format. UPDATE=1 adds keys that are new to the list; it
// never changes a line.
func TestSigned(t *testing.T) {
	const name = "signed.txt"
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] != "#" {
			want[f[0]+" "+f[1]] = f[2]
		}
	}
	var added []string
	for _, subject := range signed {
		for _, key := range In(0).Keys(subject) {
			for l, code := range Languages {
				if slices.Contains(unsigned, key) {
					continue
				}
				text, _ := In(l).Text(key)
				sum := sha256.Sum256([]byte(text))
				id, got := key+" "+code, hex.EncodeToString(sum[:])
				switch want[id] {
				case got:
				case "":
					added = append(added, id+" "+got)
				default:
					t.Errorf("%s is no longer what members have signed; it says %q", id, text)
				}
				delete(want, id)
			}
		}
	}
	for id := range want {
		t.Errorf("%s is missing, and members have signed it", id)
	}
	if len(added) > 0 && os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(name, append(raw, strings.Join(added, "\n")+"\n"...), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, line := range added {
		t.Errorf("%s does not hold %s; UPDATE=1 adds it", name, line)
	}
}

// TestForm: the form is that which CLDR has for a number; a language without a file for it
// says "other".
func TestForm(t *testing.T) {
	for l := range Languages {
		for n, want := range map[int]string{0: "other", 1: "one", 2: "other", 21: "other", 1_000_000: "other"} {
			if got := In(l).Form("explain.span.day", n); got != "explain.span.day."+want {
				t.Errorf("%s: %d takes %s", Languages[l], n, got)
			}
		}
	}
}

// TestUnknown: a key that is in no file is found out at once.
func TestUnknown(t *testing.T) {
	for _, key := range []string{"", "check", "check.S02", "nobody.says", "check.S02.what.more"} {
		if text, ok := In(0).Text(key); ok {
			t.Errorf("%q says %q", key, text)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a sentence that is not there was said")
		}
	}()
	In(0).Say("check.S02")
}
