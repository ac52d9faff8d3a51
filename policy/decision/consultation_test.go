package decision

import (
	"html/template"
	"os"
	"strings"
	"testing"
)

// hostile are addresses that no public page may link to.
var hostile = []string{
	"", "javascript:alert(1)", "JaVaScRiPt:alert(1)//https://a.example", "data:text/html,<script>",
	"http://a.example/p",
	"//a.example/p", "https://", "https:///p", "https://:443/p", "https://ana:secret@a.example/",
	"https://a@b.example/",
	"https://a.example/\u202egpj.exe", "https://a.example/\u2066x", "https://а.example/", "https://a.example/\x00",
	"https://a.example/\n", " https://a.example/", "https://a.example/a b", "https://a.example/\"onclick=x",
	"https://a.example/<b>", "https://a.example\\@b.example/", "https://a.example/%zz\u200b",
	"https://a.example/" + strings.Repeat("a", MaxLink), "https://" + strings.Repeat("x", 100_000),
}

func TestCheckLink(t *testing.T) {
	for _, good := range []string{"https://decidim.city.example/processes/footfall?a=b&c=d#e",
		"https://a.example:8443/",
		"https://xn--80ak6aa92e.example/%C3%A0", "https://[2001:db8::1]/p",
		"https://a.example/" + strings.Repeat("a", MaxLink-18)} {
		if err := CheckLink(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range hostile {
		err := CheckLink(bad)
		if err == nil {
			t.Errorf("%.60q can be linked to", bad)
			continue
		}
		if len(bad) > 8 && strings.Contains(err.Error(), bad) {
			t.Errorf("%.60q is in its error", bad)
		}
	}
}

// FuzzCheckLink: what can be linked to is seen whole, and stays a link of https on a page.
func FuzzCheckLink(f *testing.F) {
	for _, s := range append(hostile, "https://a.example/p?q#r") {
		f.Add(s)
	}
	page := template.Must(template.New("").Parse(`<a href="{{.}}">{{.}}</a>`))
	f.Fuzz(func(t *testing.T, s string) {
		if CheckLink(s) != nil {
			return
		}
		var b strings.Builder
		if err := page.Execute(&b, s); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(strings.ToLower(b.String()), `<a href="https://`) ||
			strings.Contains(b.String(), "ZgotmplZ") ||
			strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q becomes %s", s, b.String())
		}
	})
}

// TestConsultation: what a gateway reads is held against the same rules as what check reads.
func TestConsultation(t *testing.T) {
	raw, err := os.ReadFile("../../configs/portalba/policy/decisions/2026-14-footfall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for text, wrong := range map[string]string{
		"[{kind: decidim, link: \"https://a.example/1\", from: 2026-10-01, until: 2026-10-31}]": "",
		"[{kind: session, link: \"https://a.example/1\"}]":                                      "",
		"[{kind: petition, link: \"https://a.example/1\"}]":                                     "1 needs a kind",
		"[{kind: other, link: \"javascript:alert(1)\"}]":                                        "https://HOST/PAGE",
		"[{kind: other}]": "https://HOST/PAGE",
		"[{kind: other, link: \"https://a.example\", from: 2026-10-02, until: 2026-10-01}]": "ends before it begins",
		"[" + strings.Repeat("{kind: other, link: \"https://a.example\"},", 5) + "]":        "more than 4",
		"[{kind: other, link: \"https://a.example\", note: x}]":                             "note",
		"https://a.example": "consultation",
	} {
		d, err := Parse("x.yaml", []byte(string(raw)+"\nconsultation: "+text+"\n"))
		switch {
		case wrong == "" && (err != nil || len(d.Consultation) != 1):
			t.Errorf("%s: %v", text, err)
		case wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)):
			t.Errorf("%s: %v, want %s", text, err, wrong)
		}
	}
}
