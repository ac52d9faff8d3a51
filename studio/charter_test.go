package studio

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/internal/yamldoc"
	"sluice/policy/ballot"
	"sluice/policy/council"
	"sluice/policy/explain"
)

// key is the line of a new public key.
func key(t *testing.T) string {
	t.Helper()
	_, line, err := ballot.Generate("x@y")
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// TestCharterFormKeepsAll: a form of charter or council that is sent as it is shown changes nothing,
// in any language.
func TestCharterFormKeepsAll(t *testing.T) {
	files := portalba.Policy()
	files["council.yaml"] = []byte("# Who.\nmembers:\n  - {id: a, name: A, keys: [\"" + key(t) +
		"\"], from: 2026-01-01}\n  - id: b   # the second\n    name: B\n    keys:\n      - " + key(t) +
		"\n      - " + key(t) + "\nrevoked: [\"" + key(t) + "\"]\n")
	for _, file := range []string{"charter.yaml", "council.yaml"} {
		for l := range explain.Languages {
			v, err := value(string(files[file]))
			if err != nil {
				t.Fatal(err)
			}
			f := formFor(file, choicesOf(files, explain.Lang(l)), v)
			got, err := f.fill(v, sentBy(f))
			if err != nil || !yamldoc.Same(got, v) {
				t.Errorf("%s: %v: %v is now %v", file, err, v, got)
			}
		}
	}
}

// TestCharterByForm: a limit is changed, comments stay, and nothing else is; mistakes are at their fields.
// What a change needs is said, and nothing is in force by it.
func TestCharterByForm(t *testing.T) {
	s := open(t)
	before := s.onDisk(t, "charter.yaml")
	page := s.post(t, "/file/charter", url.Values{"min_units": {"20"}, "do": {"save"}})
	shows(t, page, "Nothing is in force yet", `>\s*Saved\.`, "Smallest group")
	want := strings.Replace(before, "min_units: 10", "min_units: 20", 1)
	if now := s.onDisk(t, "charter.yaml"); now != want {
		t.Errorf("saved is\n%s", now)
	}
	for _, c := range []struct{ name, wrong, right, id string }{
		{"city.responsible.email", "nobody", "a@b.example", "city-responsible-email"},
		{"city.timezone", "Europe/Nowhere", "Europe/Madrid", "city-timezone"},
		{"quorums.enact", "0", "2", "quorums-enact"}, {"quorums.weaken", "1", "5", "quorums-enact"},
		{"city.name", "<the name>", "Portalba", "city-name"},
	} {
		page = s.post(t, "/file/charter", url.Values{c.name: {c.wrong}, "do": {"keep"}})
		shows(t, page, `(?s)id="f-`+c.id+`"[^>]*aria-invalid="true"`)
		s.post(t, "/file/charter", url.Values{c.name: {c.right}, "do": {"keep"}})
	}
	page = s.post(t, "/file/charter", url.Values{"city.dpo.name": {""}, "city.dpo.email": {""}, "city.dpo.web": {""},
		"do": {"keep"}})
	if strings.Contains(page, "\n  dpo:") {
		t.Errorf("nobody is still in the file:\n%s", page)
	}
	for _, path := range []string{"/file/kinds", "/file/nothing"} {
		if got, _ := s.answer(s.request("POST", path, "do=save&yaml=x")); got != http.StatusNotFound {
			t.Errorf("%s is %d", path, got)
		}
	}
	if got, _ := s.answer(s.request("POST", "/file/charter", "do=discard")); got != http.StatusNotFound {
		t.Errorf("the charter is discarded: %d", got)
	}
}

// TestCouncilByForm: members come and go with their keys; keys that are none, of two members or private
// are refused where they are.
func TestCouncilByForm(t *testing.T) {
	s := open(t)
	anna := key(t)
	s.post(t, "/file/council", url.Values{"do": {"add members"}})
	s.post(t, "/file/council", url.Values{"members.0.name": {"Anna"}, "members.0.id": {"anna"},
		"members.0.keys": {" " + anna + "\r\n"}, "do": {"add members"}})
	page := s.post(t, "/file/council", url.Values{"members.1.name": {"Bru"}, "members.1.id": {"bru"},
		"members.1.keys": {anna}, "do": {"keep"}})
	shows(t, page, `(?s)id="f-members-1-keys"[^>]*aria-invalid="true"`, "have the same key")
	page = s.post(t, "/file/council", url.Values{"members.1.keys": {"ssh-ed25519 AAAA"}, "do": {"keep"}})
	shows(t, page, `(?s)id="f-members-1-keys"[^>]*aria-invalid="true"`, "cannot be used")
	page = s.post(t, "/file/council", url.Values{"do": {"drop members.1"}})
	if strings.Contains(page, "members-1-") {
		t.Errorf("the member is still there:\n%s", page)
	}
	s.post(t, "/file/council", url.Values{"do": {"save"}})
	if now := s.onDisk(t, "council.yaml"); !strings.Contains(now, anna) || !strings.Contains(now, "# Who may vote") {
		t.Errorf("saved is\n%s", now)
	}
	secret := "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\n"
	got, page := s.answer(s.request("POST", "/file/council",
		url.Values{"members.0.keys": {secret}, "do": {"save"}}.Encode()))
	if got != http.StatusUnprocessableEntity || !strings.Contains(page, "no public key") ||
		strings.Contains(page, "b3BlbnNzaC1rZXk") || strings.Contains(s.onDisk(t, "council.yaml"), "b3BlbnNzaC1rZXk") {
		t.Errorf("a private key is %d: %s", got, page)
	}
}

// TestACouncilThatIsTooSmall: the council's page says which of the charter's quorums its members
// cannot reach, with both numbers.
func TestACouncilThatIsTooSmall(t *testing.T) {
	s := open(t)
	roster := "members:\n  - {id: a, name: A, keys: [\"" + key(t) + "\"]}\n"
	if _, body := s.answer(s.request("GET", "/file/council", "")); strings.Contains(body, "council.yaml has 1") {
		t.Error("a council of many is too small")
	}
	page := s.post(t, "/file/council", url.Values{"yaml": {roster}, "do": {"keep"}})
	shows(t, page, "The quorum enact asks for 4 members, and council.yaml has 1")
}

// TestTheVoteThatACharterNeeds: what is in force is compared with the draft, and it says how many must be
// for the change, why, and that residents have notice of it.
func TestTheVoteThatACharterNeeds(t *testing.T) {
	s, keys := chamber(t)
	for _, path := range []string{"/file/charter", "/file/council"} {
		_, page := s.answer(s.request("GET", path, ""))
		shows(t, page, "The first motion brings the charter and the council", `class="state draft"`)
	}
	if code, body := s.send("/vote", url.Values{"id": {"first"}}); code != 303 {
		t.Fatalf("%d\n%s", code, body)
	}
	text := s.raw(t, "motions/first/motion.txt")
	for _, member := range []string{"anna", "bru"} {
		sig := signed(t, keys[member], text, council.NamespaceOf("portalba"))
		if code, body := s.hand(t, "first", map[string][]byte{"motion.txt.sig": sig}); code != 303 {
			t.Fatalf("%d\n%s", code, body)
		}
	}
	if code, body := s.send("/vote/first/enact", nil); code != 303 {
		t.Fatalf("%d\n%s", code, body)
	}
	_, page := s.answer(s.request("GET", "/vote/first", ""))
	shows(t, page, `policy: {inbox: &#34;[^&]+&#34;, every: PT1M, roster: &#34;sha256:[0-9a-f]{64}&#34;}`)
	_, page = s.answer(s.request("GET", "/file/charter", ""))
	shows(t, page, "as it was voted, so no vote is needed", `class="state voted"`)
	page = s.post(t, "/file/charter", url.Values{"min_units": {"9"}, "do": {"keep"}})
	shows(t, page, "needs [0-9] of the 3 members", "because of what it changes: .*the charter",
		`class="mark weaker"`, "Saving changes the draft only")
	page = s.post(t, "/file/council", url.Values{"members.0.name": {"Anna Puig"}, "do": {"keep"}})
	shows(t, page, "because of what it changes: .*the council")
}
