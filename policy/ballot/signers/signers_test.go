package signers

import (
	"strings"
	"testing"

	"sluice/policy/ballot"
)

func generate(t testing.TB) string {
	t.Helper()
	_, line, err := ballot.Generate("")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestSigners: what would say something else to ssh-keygen is refused, with its line.
func TestSigners(t *testing.T) {
	line := generate(t)
	for text, want := range map[string]string{
		"":                              "nobody is in it",
		"lab":                           "line 1: write a name",
		"# x\n" + line:                  "line 2: write a name",
		"lab cert-authority " + line:    "line 1: of the options",
		`lab valid-before="1" ` + line:  "line 1: of the options",
		`lab namespaces="*" ` + line:    "line 1: of the options",
		`lab namespaces="a ` + line:     "line 1: of the options",
		"lab " + line[:len(line)/2]:     "line 1: write a name",
		"\"lab\" " + line:               "line 1: write a name",
		strings.Repeat("x", 1<<17):      "too long",
		strings.Repeat("#\n", 1<<19+1):  "larger than 1 MiB",
		"lab\x1b[2J " + line:            "line 1: write a name",
		"lab namespaces=\"a\"" + line:   "line 1: of the options",
		"lab\tzone-not-a-key AAAA" + "": "line 1: write a name",
	} {
		if _, err := Parse("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

// FuzzSigners: whatever the file, reading it ends, and whoever is in it has a name that can be shown.
func FuzzSigners(f *testing.F) {
	line := generate(f)
	f.Add([]byte("lab " + line))
	f.Add([]byte(`lab namespaces="a,b" ` + line))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := Parse("f", raw)
		if err == nil && len(list) == 0 {
			t.Error("nobody, and no error")
		}
		for _, s := range list {
			if !visible(s.Name) {
				t.Error("a name that cannot be shown")
			}
		}
	})
}
