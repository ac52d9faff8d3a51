package studio

import (
	"regexp"
	"testing"

	"sluice/policy/explain"
)

// TestEachLanguageSaysAll: what one language has a sentence for the others have one for, with the
// same parts.
func TestEachLanguageSaysAll(t *testing.T) {
	part := regexp.MustCompile(`%[-+#0-9.\[\]]*[a-zA-Z]`)
	if len(own[0].Subjects()) < 7 {
		t.Errorf("only %v", own[0].Subjects())
	}
	for _, subject := range own[0].Subjects() {
		for l, code := range explain.Languages {
			for _, key := range own[0].Keys(subject) {
				english, _ := own[0].Text(key)
				text, ok := own[l].Text(key)
				if !ok || text == "" {
					t.Errorf("%s has no %s", code, key)
				} else if a, b := part.FindAllString(english, -1), part.FindAllString(text, -1); len(a) != len(b) {
					t.Errorf("%s of %s takes %v, and %v in English", key, code, b, a)
				}
			}
			for _, key := range own[l].Keys(subject) {
				if _, ok := own[0].Text(key); !ok {
					t.Errorf("only %s has %s", code, key)
				}
			}
		}
	}
}

// TestEveryPageInEachLanguage: no page names a sentence that is not there.
func TestEveryPageInEachLanguage(t *testing.T) {
	s := open(t)
	for _, path := range []string{"/", "/draft/2026-14-footfall", "/draft/2026-17-air", "/see", "/see/2026-14-footfall",
		"/dpia", "/consult", "/consult/2026-14",
		"/nowhere"} {
		want := 200
		if path == "/nowhere" {
			want = 404
		}
		for l := range explain.Languages {
			r := s.request("GET", "/", "")
			r.URL.Path = s.base(explain.Lang(l)) + path
			if got, body := s.answer(r); got != want || !regexp.MustCompile(`(?s)<html lang="`+explain.Lang(l).String()+
				`".*<h1`).MatchString(body) {
				t.Errorf("%s in %s: %d %.500s", path, explain.Lang(l), got, body)
			}
		}
	}
}
