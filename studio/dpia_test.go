package studio

import (
	"archive/zip"
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAssessmentByForms answers without a script: what is written is in dpia.yaml, in the page's
// language, beside what was there; and an assessment is done once it is said so.
func TestAssessmentByForms(t *testing.T) {
	s := open(t)
	const file = "dpia.yaml"
	if err := os.WriteFile(filepath.Join(s.o.Dir, file), []byte("# ours\ncity:\n  consent: \"None.\"   # why\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	_, page := s.answer(s.request("GET", "/dpia", ""))
	shows(t, page, `None\.</textarea>`, `name="assessed/2026-14/now"`, `2 \(limited\)`)
	base := regexp.MustCompile(`name="base" value="(\w+)"`).FindStringSubmatch(page)[1]
	form := url.Values{"base": {base}, "city/consent": {"None.\r\nReally."}, "city/information": {"A notice."},
		"decisions/2026-14/necessity": {"Counts by hand are slow."}, "assessed/2026-14/now": {"on"},
		"city/outcome/is": {"approved"}, "city/officer/name": {"Ona"}, "decisions/nowhere/risks": {"x"},
		"city/nothing": {"x"}}
	page = s.post(t, "/dpia", form)
	got := s.onDisk(t, file)
	for _, want := range []string{"# ours\n", `"None.\nReally."   # why`, "information: {en: ", "necessity",
		"is: approved", "sha256:"} {
		if !strings.Contains(got, want) {
			t.Errorf("it lacks %q:\n%s", want, got)
		}
	}
	for _, never := range []string{"nowhere", "nothing"} {
		if strings.Contains(got, never) {
			t.Errorf("it has %q", never)
		}
	}
	shows(t, page, "Counts by hand are slow", "Assessed as it is now on", `selected>Approved`)
	if strings.Contains(page, `name="assessed/2026-14/now"`) {
		t.Error("it still asks")
	}
	if code, _ := s.answer(s.request("POST", "/dpia", form.Encode())); code != http.StatusConflict {
		t.Errorf("what somebody else has changed is written over: %d", code)
	}
	for file, want := range map[string]string{"dpia.md": "Counts by hand", "pia.json": `"reference_to": 111`} {
		if code, body := s.answer(s.request("GET", "/dpia/"+file, "")); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.300s", file, code, body)
		}
	}
	if err := os.WriteFile(filepath.Join(s.o.Dir, file), []byte("city: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, body := s.answer(s.request("GET", "/dpia", "")); code == 200 || !strings.Contains(body, "dpia.yaml") {
		t.Errorf("%d %.300s", code, body)
	}
}

// TestFirstAnswers begin a file, and one that is taken back leaves nothing.
func TestFirstAnswers(t *testing.T) {
	s := open(t)
	_, page := s.answer(s.request("GET", "/dpia", ""))
	base := regexp.MustCompile(`name="base" value="(\w+)"`).FindStringSubmatch(page)[1]
	s.post(t, "/dpia", url.Values{"base": {base}, "decisions/2026-14/risks": {"A \"clinic\"."},
		"city/access": {"By mail."}})
	got := s.onDisk(t, "dpia.yaml")
	if want := "city:\n  access:\n    en: \"By mail.\"\ndecisions:\n  \"2026-14\":\n    risks:\n      en: \"A " +
		"\\\"clinic\\\".\"\n"; got != want {
		t.Errorf("it is\n%s", got)
	}
	_, page = s.answer(s.request("GET", "/dpia", ""))
	base = regexp.MustCompile(`name="base" value="(\w+)"`).FindStringSubmatch(page)[1]
	s.post(t, "/dpia", url.Values{"base": {base}, "city/access": {""}})
	if got := s.onDisk(t, "dpia.yaml"); strings.Contains(got, "By mail") {
		t.Errorf("it is\n%s", got)
	}
}

// TestConsultByForms: pages to download and to look at, and answers that are counted and kept nowhere.
func TestConsultByForms(t *testing.T) {
	s := open(t)
	code, body := s.answer(s.request("GET", "/consult/2026-14/pages.zip?to=a@b.example&until=2099-01-31", ""))
	z, err := zip.NewReader(bytes.NewReader([]byte(body)), int64(len(body)))
	if code != 200 || err != nil {
		t.Fatalf("%d %v %.300s", code, err, body)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	if all := strings.Join(names, " "); !strings.Contains(all, "consultation-2026-14/index.html") ||
		!strings.Contains(all, "consultation-2026-14/picture-ca.svg") {
		t.Error(all)
	}
	for bad, want := range map[string]string{"to=nobody": "Answers go to one", "until=2020-01-01": "a day to come",
		"process=http://x.example": "address of a page"} {
		if code, body := s.answer(s.request("GET", "/consult/2026-14/pages.zip?"+bad, "")); code != 422 ||
			!strings.Contains(body, want) {
			t.Errorf("%s: %d %.300s", bad, code, body)
		}
	}
	for path, want := range map[string]int{"/consult/2026-14/pages/ca.html": 200,
		"/consult/2026-14/pages/style.css":    200,
		"/consult/2026-14/pages/council.yaml": 404, "/consult/2026-14/pages/..%2fcharter.yaml": 404,
		"/consult/none": 404} {
		if code, _ := s.answer(s.request("GET", path, "")); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	post := func(text string) (int, string) {
		r := s.request("POST", "/consult/2026-14",
			"--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n"+text+"\r\n--x--\r\n")
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		return s.answer(r)
	}
	code, body = post("[1] Do you agree: yes\n[3] Worry: The <clinic>.\n[5] Name: Ona")
	if code != 200 || !strings.Contains(body, "The &lt;clinic&gt;.") || !strings.Contains(body, "Yes: <b>1</b>") ||
		strings.Contains(body, "Ona") {
		t.Errorf("%d %s", code, body)
	}
	if code, body = post("hello"); code != 422 || !strings.Contains(body, "There is no answer in this") {
		t.Errorf("%d %.300s", code, body)
	}
}

// TestConsultPreview: what is looked at is what was typed, in each language; what cannot be is said at its field.
func TestConsultPreview(t *testing.T) {
	s := open(t)
	_, page := s.answer(s.request("GET", "/consult/2026-14", ""))
	shows(t, page, `<button class="plain" formaction="[^"]*/consult/2026-14/pages/index\.html">`)
	const typed = "?to=a%26b%40c.example&until=2099-01-31&process=https%3A%2F%2Fd.example%2F%3Fx%3D1%26y"
	_, page = s.answer(s.request("GET", "/consult/2026-14/pages/index.html"+typed, ""))
	shows(t, page, `mailto:a&amp;b@c\.example`, "31 de gener de 2099", `href="https://d\.example/\?x=1&amp;y"`,
		`href="es\.html\?process=https%3A%2F%2Fd\.example%2F%3Fx%3D1%26y&amp;to=a%26b%40c\.example&amp;until=2099-01-31"`)
	for bad, at := range map[string]string{"to=nobody": "c-to", "until=2020-01-01": "c-until",
		"process=javascript:alert(1)": "c-process"} {
		for _, what := range []string{"pages.zip", "pages/index.html"} {
			code, page := s.answer(s.request("GET", "/consult/2026-14/"+what+"?"+bad, ""))
			shows(t, page, `<ul class="err" id="`+at+`-err"><li class="wrong">`, `aria-describedby="[^"]*`+at+`-err"`,
				`role="alert"`)
			if code != http.StatusUnprocessableEntity || strings.Contains(page, "href=\"javascript") {
				t.Errorf("%s with %s: %d", what, bad, code)
			}
		}
	}
}
