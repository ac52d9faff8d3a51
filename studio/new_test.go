package studio

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/policy/templates"
)

// TestNewDecisions begins a decision from each template, and continues one that is there: each is a
// draft with a form and something still to be written, and none passes as it is.
func TestNewDecisions(t *testing.T) {
	s := open(t)
	_, page := s.answer(s.request("GET", "/new", ""))
	shows(t, page, `name="id" class="short" value="2026-18"`)
	for _, like := range templates.List() {
		shows(t, page, `name="like" value="`+like.ID+`"`)
		s.begun(t, "t-"+like.ID, like.ID)
	}
	s.begun(t, "2027-01", "2026-14")
	_, page = s.answer(s.request("GET", "/draft/t-noise", ""))
	shows(t, page, "Save", "[0-9]+ mistakes", `id="f-legal_basis"[^>]*aria-invalid="true"`)
	if now := s.onDisk(t, "decisions/2027-01.yaml"); !strings.Contains(now, "# all else is dropped at the door") ||
		!strings.Contains(now, "from: 2027-06-01") {
		t.Errorf("the decision that goes on is\n%s", now)
	}
	if charter := s.onDisk(t, "charter.yaml"); !strings.Contains(charter, "# What residents read instead of an id.") {
		t.Errorf("a comment of the charter is lost:\n%s", charter)
	}
}

// begun sends the form of a new decision.
func (s *Server) begun(t *testing.T, id, like string) {
	t.Helper()
	r := s.request("POST", "/new", url.Values{"id": {id}, "like": {like}}.Encode())
	if got, page := s.answer(r); got != http.StatusSeeOther {
		t.Errorf("%s is %d: %.600s", like, got, page)
	}
}

// TestNoNewDecision: a number that is taken, or none, or nothing to begin with is said at the form,
// which keeps what was written; a policy that cannot be read has no new decisions.
func TestNoNewDecision(t *testing.T) {
	s := open(t)
	for _, c := range []struct{ id, like, want string }{
		{"2026-14", "cycling", "with this number already"},
		{"2026-14-footfall", "cycling", "with this number already"},
		{"../2026", "cycling", "only letters"},
		{"a/b", "cycling", "only letters"},
		{"", "cycling", "only letters"},
		{".x", "cycling", "only letters"},
		{"2027-01", "cycle", `id="like-err">Choose what to begin with`},
		{"2027-01", "", `id="like-err">Choose what it begins with`},
	} {
		form := url.Values{"id": {c.id}, "like": {c.like}}
		got, page := s.answer(s.request("POST", "/new", form.Encode()))
		if got != http.StatusUnprocessableEntity || !strings.Contains(page, c.want) ||
			!strings.Contains(page, `value="`+c.id+`"`) {
			t.Errorf("%v is %d: %.3000s", c, got, page)
		}
	}
	left, err := filepath.Glob(filepath.Join(s.o.Dir, "decisions", "*"))
	if err != nil || len(left) != 4 {
		t.Errorf("%v, %v", left, err)
	}
	if err := os.WriteFile(filepath.Join(s.o.Dir, "decisions", "broken.yaml"), []byte("a: [\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*http.Request{s.request("GET", "/new", ""),
		s.request("POST", "/new", "id=2027-01&like=cycling")} {
		if got, page := s.answer(r); got != http.StatusConflict || !strings.Contains(page, "cannot be read") {
			t.Errorf("%s is %d: %.600s", r.Method, got, page)
		}
	}
}
