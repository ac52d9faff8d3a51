package studio

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const footfall = "/draft/2026-14-footfall"

// post sends a form of a page, and returns the page that follows.
func (s *Server) post(t *testing.T, path string, form url.Values) string {
	t.Helper()
	got, body := s.answer(s.request("POST", path, form.Encode()))
	if got != http.StatusSeeOther {
		t.Fatalf("%s with %v: %d %.300s", path, form, got, body)
	}
	_, body = s.answer(s.request("GET", path, ""))
	return body
}

func (s *Server) onDisk(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.o.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// shows fails where a page does not have all parts.
func shows(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !regexp.MustCompile(p).MatchString(page) {
			t.Errorf("the page does not show %s:\n%.200000s", p, page)
		}
	}
}

// TestDraftByForms edits a decision without a script: form and file each change the other, mistakes
// stand at their fields, and nothing is written until it is saved.
func TestDraftByForms(t *testing.T) {
	s := open(t)
	const file = "decisions/2026-14-footfall.yaml"
	before := s.onDisk(t, file)
	page := s.post(t, footfall, url.Values{"protect.min_units": {"12"}, "do": {"keep"}})
	shows(t, page, `value="12"`, `  min_units: 12\n`, "Not saved yet", "fewer than 12 devices",
		"all else is dropped at the door")
	page = s.post(t, footfall, url.Values{"protect.min_units": {"5"}, "do": {"keep"}})
	shows(t, page, `(?s)id="f-protect-min_units"[^>]*aria-invalid="true">\s*`+
		`<ul class="err" id="f-protect-min_units-err"><li class="wrong">`,
		`href="#f-protect-min_units"`, "1 mistake")
	if s.onDisk(t, file) != before {
		t.Error("it is saved already")
	}
	page = s.post(t, footfall, url.Values{"do": {"undo"}})
	shows(t, page, `value="12"`)
	page = s.post(t, footfall, url.Values{"do": {"undo"}})
	shows(t, page, `value="10"`, `class="plain undo" disabled`, `>\s*Saved\.`)
	page = s.post(t, footfall, url.Values{"do": {"redo"}})
	shows(t, page, `value="12"`)
	next := strings.Replace(before, "epsilon: 1 ", "epsilon: 0.5 ", 1)
	page = s.post(t, footfall, url.Values{"yaml": {strings.ReplaceAll(next, "\n", "\r\n")}, "do": {"save"}})
	shows(t, page, `name="protect.epsilon" value="0.5"`, `>\s*Saved\.`)
	if now := s.onDisk(t, file); now != next {
		t.Errorf("saved is\n%s", now)
	}
	page = s.post(t, footfall, url.Values{"do": {"undo"}}) // over what was saved
	shows(t, page, `value="12"`, "Not saved yet")
	page = s.post(t, footfall, url.Values{"yaml": {"a: [\n"}, "do": {"keep"}})
	shows(t, page, "there is no form of it", "line [12]:", "There is no text yet")
	page = s.post(t, footfall, url.Values{"yaml": {"\n"}, "do": {"add where"}})
	shows(t, page, "there is no form of it")
}

// TestErrorsHaveNames: how exact a number is, is said of what it is called.
func TestErrorsHaveNames(t *testing.T) {
	s := open(t)
	page := s.post(t, footfall, url.Values{"publish.measures.0.names.en": {"phones nearby"}, "do": {"keep"}})
	shows(t, page, "typical error phones nearby ±")
}

// TestAddedIsShown: a button that adds an entry leads to it, whichever list it is in.
func TestAddedIsShown(t *testing.T) {
	s := open(t)
	for _, list := range []string{"publish.measures", "publish.measures.1.limits", "where", "generalise", "blackouts",
		"consultation"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, s.request("POST", footfall, url.Values{"do": {"add " + list}}.Encode()))
		_, at, _ := strings.Cut(w.Header().Get("Location"), "#")
		_, page := s.answer(s.request("GET", footfall, ""))
		if w.Code != http.StatusSeeOther || at == "" || !strings.Contains(page, `<fieldset class="group" id="`+at+`"`) {
			t.Errorf("%s: %d leads to %q", list, w.Code, at)
		}
	}
}

// TestAtItsField: a mistake stands at the field of what is missing, or wrong.
func TestAtItsField(t *testing.T) {
	for _, c := range []struct{ field, said, at string }{
		{"review", "", "review"}, {"legal_basis", "", "legal_basis"}, {"title.es", "", "title-es"},
		{"until", "", "until"},
		{"publish.measures.0.names.en", "", "publish-measures-0-names-en"}, {"protect.epsilon", "2", "protect-epsilon"},
		{"protect.epsilon", "much", "protect-epsilon"}, {"publish.every", "", "publish-every"},
		{"stream", "A b", "stream"},
		{"where.0.value", "x", "where-0-value"}, {"from", "soon", "from"}, {"unit", "none", "unit-none-ca"},
	} {
		s := open(t)
		page := s.post(t, footfall, url.Values{c.field: {c.said}})
		shows(t, page, `<ul class="err" id="f-`+c.at+`-err"><li class="(wrong|warn)">`)
	}
}

// TestLinks: what a decision links to is written in its form; a link that no page could show is a mistake at
// its field, and is nowhere a link.
func TestLinks(t *testing.T) {
	s := open(t)
	s.post(t, footfall, url.Values{"do": {"add consultation"}})
	for _, bad := range []string{"javascript:alert(1)", "https://a.example/\u202ex", "https://u:p@a.example/",
		"https://a.example/" + strings.Repeat("x", 100_000)} {
		page := s.post(t, footfall, url.Values{"consultation.0.link": {bad}})
		shows(t, page, `<ul class="err" id="f-consultation-0-link-err"><li class="wrong">`)
		if strings.Contains(page, `href="`+bad) {
			t.Errorf("%.40s is a link", bad)
		}
	}
	page := s.post(t, footfall, url.Values{"consultation.0.link": {"https://decidim.example/1"},
		"consultation.0.kind": {"session"}, "consultation.0.from": {"2026-10-02"}})
	shows(t, page, "The record of the session: https://decidim.example/1 .2 October 2026.")
}

// TestOlderForm: a form that was made of an older state changes only what was changed in it.
func TestOlderForm(t *testing.T) {
	s := open(t)
	_, page := s.answer(s.request("GET", footfall, ""))
	base := regexp.MustCompile(`name="base" value="([0-9a-f]+)"`).FindStringSubmatch(page)[1]
	s.post(t, footfall, url.Values{"base": {base}, "protect.epsilon": {"0.5"}, "protect.min_units": {"10"}})
	page = s.post(t, footfall, url.Values{"base": {base}, "protect.epsilon": {"1"}, "protect.min_units": {"20"},
		"protect.delta": {"0.000001"}})
	shows(t, page, `name="protect.epsilon" value="0.5"`, `name="protect.min_units" value="20"`,
		`name="protect.delta" value="1e-6"`)
}

// TestConflict: what somebody else has written in between is not lost, whichever of the two goes on.
func TestConflict(t *testing.T) {
	for _, which := range []string{"take", "over"} {
		s := open(t)
		const file = "decisions/2026-14-footfall.yaml"
		theirs := strings.Replace(s.onDisk(t, file), "Footfall", "Steps", 1)
		s.post(t, footfall, url.Values{"protect.min_units": {"12"}})
		if err := os.WriteFile(filepath.Join(s.o.Dir, file), []byte(theirs), 0o644); err != nil {
			t.Fatal(err)
		}
		page := s.post(t, footfall, url.Values{"do": {"save"}})
		shows(t, page, "Somebody else has changed this file", "Steps in the old town", "min_units: 12")
		if got, _ := s.answer(s.request("GET", footfall, "")); got != http.StatusConflict {
			t.Errorf("the page of two files is %d", got)
		}
		if s.onDisk(t, file) != theirs {
			t.Fatal("theirs is lost")
		}
		page = s.post(t, footfall, url.Values{"do": {which}})
		if which == "take" {
			shows(t, page, `value="Steps in the old town"`, `value="10"`, `>\s*Saved\.`)
			continue
		}
		shows(t, page, `value="12"`, `>\s*Saved\.`)
		if now := s.onDisk(t, file); !strings.Contains(now, "min_units: 12") || strings.Contains(now, "Steps") {
			t.Errorf("saved is\n%s", now)
		}
	}
}

// TestOthersEdits: a file that was changed elsewhere is read anew where nothing here is unsaved.
func TestOthersEdits(t *testing.T) {
	s := open(t)
	s.answer(s.request("GET", footfall, ""))
	const file = "decisions/2026-14-footfall.yaml"
	theirs := strings.Replace(s.onDisk(t, file), "Footfall", "Steps", 1)
	if err := os.WriteFile(filepath.Join(s.o.Dir, file), []byte(theirs), 0o644); err != nil {
		t.Fatal(err)
	}
	got, page := s.answer(s.request("GET", footfall, ""))
	if shows(t, page, "Steps in the old town"); got != 200 {
		t.Error(got)
	}
}

// TestMarkupStaysText: what a file says is text in the page, and in every field.
func TestMarkupStaysText(t *testing.T) {
	s := open(t)
	const bad = `"><script>alert(1)</script></textarea>`
	page := s.post(t, footfall, url.Values{"title.en": {bad}, "legal_basis": {bad}, "stream": {bad}})
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "</textarea>\"") {
		t.Errorf("it is markup:\n%s", page)
	}
	shows(t, page, `value="&#34;&gt;&lt;script&gt;alert`)
}

// TestHistoryIsBounded: as many states are remembered as fit, the newest ones.
func TestHistoryIsBounded(t *testing.T) {
	h := &history{}
	for i := range 3 * maxStates {
		h.add(strings.Repeat("x", i))
	}
	if len(h.states) != maxStates || len(h.text()) != 3*maxStates-1 {
		t.Errorf("%d states, the last of %d bytes", len(h.states), len(h.text()))
	}
	for i := range 30 {
		h.add(strings.Repeat("y", maxFile-i))
	}
	if size := len(strings.Join(h.states, "")); size > maxRemembered || len(h.text()) != maxFile-29 {
		t.Errorf("%d bytes are remembered", size)
	}
	if h.move(-1000); h.at != 0 {
		t.Error(h.at)
	}
}

// TestFilesAreShown: charter, kinds and council are shown with what is wrong with them.
func TestFilesAreShown(t *testing.T) {
	s := open(t)
	charter := strings.Replace(s.onDisk(t, "charter.yaml"), "min_units: 10", "min_units: ten", 1)
	if err := os.WriteFile(filepath.Join(s.o.Dir, "charter.yaml"), []byte(charter), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"charter", "kinds", "council"} {
		got, page := s.answer(s.request("GET", "/file/"+name, ""))
		if shows(t, page, name+`\.yaml`); got != 200 {
			t.Errorf("%s: %d", name, got)
		}
		if name == "charter" {
			shows(t, page, "mistake", "min_units: ten")
		}
	}
	_, page := s.answer(s.request("GET", footfall, "")) // one can be drafted all the same
	shows(t, page, `name="title.en" value="Footfall in the old town"`)
}

// TestDiscard: a draft goes with its history, unless somebody else has written it; what the council
// has voted stays.
func TestDiscard(t *testing.T) {
	s := open(t)
	name := filepath.Join(s.o.Dir, "decisions", "2026-14-footfall.yaml")
	shows(t, s.post(t, footfall, url.Values{"title.en": {"Mine"}, "do": {"keep"}}), "Discard this draft", "Mine")
	if err := os.WriteFile(name, []byte("decision: theirs\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.send(footfall, url.Values{"do": {"discard"}})
	if s.onDisk(t, "decisions/2026-14-footfall.yaml") != "decision: theirs\n" {
		t.Error("what somebody else wrote is removed")
	}
	s.send(footfall, url.Values{"do": {"take"}})
	if got, _ := s.send(footfall, url.Values{"do": {"discard"}}); got != http.StatusSeeOther {
		t.Errorf("discarding: %d", got)
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
	if got, _ := s.answer(s.request("GET", footfall, "")); got != http.StatusNotFound {
		t.Errorf("what was removed is shown: %d", got)
	}
}

// TestTwoPagesOfADraft: what one page has written is kept when another one, opened before, writes
// elsewhere; where both write the same place that is said before it is saved, and can be undone. A page
// that sends twice before it is answered does not clash with itself.
func TestTwoPagesOfADraft(t *testing.T) {
	s := open(t)
	const path, file = "/draft/2026-14-footfall", "decisions/2026-14-footfall.yaml"
	base := func() string {
		t.Helper()
		_, page := s.answer(s.request("GET", path, ""))
		m := regexp.MustCompile(`name="base" value="(\w+)"`).FindStringSubmatch(page)
		if m == nil {
			t.Fatal(page)
		}
		return m[1]
	}
	send := func(do, base, page, key, value string) string {
		t.Helper()
		return s.post(t, path, url.Values{key: {value}, "do": {do}, "base": {base}, "page": {page}})
	}
	has := func(wants ...string) {
		t.Helper()
		for _, want := range wants {
			if now := s.onDisk(t, file); !strings.Contains(now, want) {
				t.Errorf("no %q in\n%s", want, now)
			}
		}
	}
	const clash = "This was written on two pages at once"
	for _, page := range [][2]string{{"", ""}, {"1-1", "2-2"}} {
		old := base()
		send("save", old, page[0], "title.ca", "De l'una -"+page[0])
		if body := send("save", old, page[1], "title.es", "De la otra -"+page[1]); strings.Contains(body, clash) {
			t.Error("two fields clash")
		}
		has("De l'una -"+page[0], "De la otra -"+page[1])
		if body := send("save", old, page[1], "title.ca", "De l'altra -"+page[1]); !strings.Contains(body, clash) {
			t.Errorf("what another page has written is overwritten without a word\n%.3000s", body)
		}
		has("De l'una -" + page[0]) // nothing is saved by that
		if body := send("undo", base(), page[0], "title.es", "De la otra -"+page[1]); strings.Contains(body, clash) ||
			!strings.Contains(body, "De l&#39;una -"+page[0]) {
			t.Errorf("undone it is\n%.2000s", body)
		}
		send("save", old, page[1], "title.ca", "De l'altra -"+page[1])
		if body := send("save", base(), page[1], "title.ca", "De l'altra -"+page[1]); strings.Contains(body, clash) {
			t.Error("said again when it was saved")
		}
		has("De l'altra -" + page[1])
		whole := s.onDisk(t, file)
		body := send("save", old, page[0], "yaml", whole+"# more\n")
		if page[0] != "" && !strings.Contains(body, clash) {
			t.Error("a whole file is overwritten without a word")
		}
		send("undo", "", page[0], "title.ca", "De l'altra -"+page[1])
	}
	old := base()
	send("keep", old, "3-3", "title.ca", "u")
	if body := send("keep", old, "3-3", "title.ca", "un"); strings.Contains(body, clash) {
		t.Error("a page clashes with itself")
	}
}

// TestRemarks: a mistake names its field as the page does, and what no rule forbids is said at its field.
func TestRemarks(t *testing.T) {
	s := open(t)
	const path = "/draft/2026-14-footfall"
	page := s.post(t, path, url.Values{"from": {""}, "do": {"keep"}})
	shows(t, page, "“First day” is missing")
	page = s.post(t, path, url.Values{"from": {"2026-11-01"}, "title.ca": {strings.Repeat("é", 121)},
		"decision": {"2027-88"}, "do": {"keep"}})
	shows(t, page, "This day, 1 November 2026, is over already", "It has 121 characters",
		"The number is 2027-88 now, and the file keeps its name, decisions/2026-14-footfall.yaml")
	page = s.post(t, path, url.Values{"from": {"2026-12-01"}, "title.ca": {"x"}, "decision": {"2026-14"},
		"do": {"keep"}})
	for _, gone := range []string{"is over already", "It has 1", "keeps its name"} {
		if strings.Contains(page, gone) {
			t.Errorf("%q is still there", gone)
		}
	}
}
