package studio

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/policy/ballot"
	"sluice/policy/council"
	"sluice/policy/explain"
	"sluice/policy/rego"
	"sluice/test/raced"
)

// chamber is a studio over the example city with a council of three, of which two enact.
func chamber(t *testing.T) (s *Server, keys map[string][]byte) {
	t.Helper()
	raced.Skip(t)
	files := portalba.Policy()
	roster := "version: 1\nmembers:\n"
	keys = map[string][]byte{}
	for _, m := range []string{"anna", "bru", "carla", "stranger"} {
		private, line, err := ballot.Generate(m)
		if err != nil {
			t.Fatal(err)
		}
		if keys[m] = private; m != "stranger" {
			roster += "  - {id: " + m + ", name: " + strings.ToUpper(m[:1]) + m[1:] + ", keys: [\"" + line + "\"]}\n"
		}
	}
	files["council.yaml"] = []byte(roster)
	charter := regexp.MustCompile(`quorums: .*`).ReplaceAll(files["charter.yaml"],
		[]byte("quorums: {enact: 2, weaken: 2, charter: 2, roster: 2, suspend: 1}"))
	files["charter.yaml"] = bytes.Replace(charter, []byte("notice_days: 14"), []byte("notice_days: 0"), 1)
	dir := t.TempDir()
	if err := files.Write(dir); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Dir: dir, Addr: "127.0.0.1:0", Rules: rego.InProcess(),
		Now: func() time.Time { return time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.listener.Close()
		_ = s.desk.Close()
	})
	return s, keys
}

// send sends a form, and gives the answer or, of a redirect, where it leads.
func (s *Server) send(path string, form url.Values) (int, string) {
	return s.answer(s.request("POST", path, form.Encode()))
}

// hand sends files as the form for ballots does.
func (s *Server) hand(t *testing.T, motion string, files map[string][]byte) (int, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, raw := range files {
		part, err := w.CreateFormFile("files", name)
		if err == nil {
			_, err = part.Write(raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := s.request("POST", "/vote/"+motion+"/ballot", b.String())
	r.Header.Set("Content-Type", w.FormDataContentType())
	return s.answer(r)
}

func signed(t *testing.T, key, text []byte, space string) []byte {
	t.Helper()
	sig, err := ballot.Sign(key, text, space)
	if err != nil {
		t.Fatal(err)
	}
	return sig.File()
}

// TestAVoteInTheStudio goes from a draft to what is in force, and to a suspension, by forms alone.
func TestAVoteInTheStudio(t *testing.T) {
	s, keys := chamber(t)
	see := func(path string, wants ...string) {
		t.Helper()
		code, body := s.answer(s.request("GET", path, ""))
		for _, want := range wants {
			if code != 200 || !strings.Contains(body, want) {
				t.Errorf("%s: %d, and no %q in\n%.3000s", path, code, want, body)
			}
		}
	}
	do := func(want int, path string, form url.Values, says string) {
		t.Helper()
		if code, body := s.send(path, form); code != want || !strings.Contains(body, says) {
			t.Errorf("%s %v: %d, want %d with %q:\n%.1500s", path, form, code, want, says, body)
		}
	}
	see("/vote", "There is no motion yet")
	do(400, "/vote", url.Values{"id": {"../x"}}, `id="id-err">A motion&#39;s name is`)
	do(400, "/vote", url.Values{"id": {"../x"}}, `value="../x"`)
	bad := filepath.Join(s.o.Dir, "decisions", "bad.yaml")
	if err := os.WriteFile(bad, []byte("decision: bad\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	do(409, "/vote", url.Values{"id": {"first"}}, `/draft/bad">decisions/bad.yaml</a>`)
	if err := os.Remove(bad); err != nil {
		t.Fatal(err)
	}
	do(303, "/vote", url.Values{"id": {"first"}}, "")
	do(409, "/vote", url.Values{"id": {"first"}}, `id="id-err">A motion of this name is there, and nobody has signed`)
	do(303, "/vote", url.Values{"id": {"first"}, "replace": {"1"}}, "")
	see("/vote", "waits for votes", "0 of 2 for it", "Not voted yet: Anna, Bru and Carla.")
	see("/vote/first", "2 more members must be for it", "Decision 2026-15 is new.", `/dpia#d-2026-15">`,
		"is not written in dpia.yaml",
		"has not voted", "Sluice motion, format")
	text, err := os.ReadFile(filepath.Join(s.o.Dir, "motions/first/motion.txt"))
	if err != nil {
		t.Fatal(err)
	}
	do(409, "/vote/first/enact", nil, "Too few members")
	space := council.NamespaceOf("portalba")
	against, err := council.StatementOf(text, ballot.Against, "<no>")
	if err != nil {
		t.Fatal(err)
	}
	for _, files := range []map[string][]byte{
		{"motion.txt.sig": signed(t, keys["anna"], text, space)},
		{"x.txt": against.Bytes(), "x.txt.sig": signed(t, keys["carla"], against.Bytes(),
			ballot.StatementNamespace("portalba"))},
		{`C:\bru\motion.txt.sig`: signed(t, keys["bru"], text, space)},
	} {
		if code, body := s.hand(t, "first", files); code != 303 {
			t.Fatalf("%d\n%s", code, body)
		}
	}
	see("/vote/first", "can be enacted", "2 of 2 for it, 1 against, 0 abstentions", "/withdraw", "<q>&lt;no&gt;</q>")
	do(409, "/vote", url.Values{"id": {"first"}}, `id="id-err">A motion of this name has ballots already`)
	do(303, "/vote/first/enact", nil, "")
	see("/vote/first", "In force since", "first.sluice")
	see("/vote", "2 of 2 for it, 1 against")
	see("/draft/2026-14-footfall", "The city council, by motion first (version 1), signed by")
	do(409, "/draft/2026-14-footfall", url.Values{"do": {"discard"}}, "has voted this decision")
	if code, _ := s.hand(t, "first", map[string][]byte{"a.sig": signed(t, keys["anna"], text, space)}); code != 409 {
		t.Errorf("a ballot after the vote: %d", code)
	}
	for _, paper := range []string{"motion.txt", "page.html", "minutes.html?session=x", "mail.txt", "days.ics",
		"first.sluice", "allowed_signers"} {
		see("/vote/first/"+paper, "")
	}
	if _, body := s.answer(s.request("GET", "/vote/first", "")); strings.Contains(
		body[:strings.Index(body, "<details>")], "ssh-keygen") || strings.Contains(body, "/withdraw") {
		t.Error("an enacted motion says how to sign it, or lets ballots be taken out")
	}
	do(409, "/vote/first/withdraw", url.Values{"member": {"anna"}}, "The motion is enacted")
	do(400, "/vote/suspend", url.Values{"decision": {"2026-14"}}, `id="reason-err">The reason is missing`)
	do(400, "/vote/suspend", url.Values{"decision": {"2026-14"}, "reason-ca": {"x"},
		"reason-en": {strings.Repeat("x", 501)}}, `id="reason-err">The reason is one line`)
	do(404, "/vote/suspend", url.Values{"decision": {"9"}, "reason-en": {"x"}}, "")
	do(303, "/vote/suspend", url.Values{"decision": {"2026-14"}, "reason-en": {"a sensor was tampered with"}}, "")
	see("/vote/suspend-2026-14-v2", "0 of 1 for it")
	do(303, "/vote/suspend", url.Values{"decision": {"2026-14"}, "reason-en": {"again"}}, "")
	see("/vote", "in force", "suspend-2026-14-v2")
	const file = "decisions/2026-16-noise.yaml"
	weaker := strings.Replace(s.onDisk(t, file), "retain: P5Y", "retain: P9Y", 1)
	if err := os.WriteFile(filepath.Join(s.o.Dir, file), []byte(weaker), 0o600); err != nil {
		t.Fatal(err)
	}
	do(303, "/vote", url.Values{"id": {"weaker"}}, "")
	see("/vote/weaker", "Decision 2026-16 protects less than what is in force", "<li>numbers are kept for: 5 years", `/dpia#d-2026-16">`)
}

// TestAMemberWhoChangesTheirMind: what they signed is taken out, and kept, and they vote anew.
func TestAMemberWhoChangesTheirMind(t *testing.T) {
	s, keys := chamber(t)
	if code, body := s.send("/vote", url.Values{"id": {"first"}}); code != 303 {
		t.Fatalf("%d\n%s", code, body)
	}
	text, err := os.ReadFile(filepath.Join(s.o.Dir, "motions/first/motion.txt"))
	if err != nil {
		t.Fatal(err)
	}
	why, err := council.StatementOf(text, ballot.For, "The school asked.")
	if err != nil {
		t.Fatal(err)
	}
	abstains, err := council.StatementOf(text, ballot.Abstain, "")
	if err != nil {
		t.Fatal(err)
	}
	stated := func(who string, x ballot.Statement) map[string][]byte {
		return map[string][]byte{"x.txt": x.Bytes(), "x.txt.sig": signed(t, keys[who], x.Bytes(),
			ballot.StatementNamespace("portalba"))}
	}
	hand := func(want int, says string, files map[string][]byte) {
		t.Helper()
		if code, body := s.hand(t, "first", files); code != want || !strings.Contains(body, says) {
			t.Errorf("%d, want %d with %q\n%.1000s", code, want, says, body)
		}
	}
	see := func(want string) {
		t.Helper()
		if _, body := s.answer(s.request("GET", "/vote/first", "")); !strings.Contains(body, want) {
			t.Errorf("no %q in\n%.2000s", want, body)
		}
	}
	hand(409, "without that vote", stated("anna", why))
	hand(303, "", map[string][]byte{"motion.txt.sig": signed(t, keys["anna"], text, council.NamespaceOf("portalba"))})
	hand(303, "", stated("anna", why))
	hand(303, "", stated("bru", abstains))
	see("1 of 2 for it, 0 against, 1 abstention.")
	see("<q>The school asked.</q>")
	hand(409, "take out what they signed first", stated("anna", abstains))
	if code, _ := s.send("/vote/first/withdraw", url.Values{"member": {"../anna"}}); code != 404 {
		t.Errorf("nobody's ballot is taken out: %d", code)
	}
	for range 2 { // and once more
		if code, _ := s.send("/vote/first/withdraw", url.Values{"member": {"anna"}}); code != 303 {
			t.Fatalf("withdrawn: %d", code)
		}
		see("0 of 2 for it, 0 against, 1 abstention.")
		hand(303, "", stated("anna", abstains))
		see("0 of 2 for it, 0 against, 2 abstentions.")
	}
	left, err := os.ReadDir(filepath.Join(s.o.Dir, "motions/first/withdrawn"))
	var names []string
	for _, f := range left {
		names = append(names, f.Name())
	}
	want := "anna.sig anna.txt anna.txt.2 anna.txt.sig anna.txt.sig.2"
	if err != nil || strings.Join(names, " ") != want {
		t.Errorf("kept are %v, %v; want %s", names, err, want)
	}
}

// TestBallotsThatAreNone: each is refused in words, and leaves nothing behind.
func TestBallotsThatAreNone(t *testing.T) {
	s, keys := chamber(t)
	if code, body := s.send("/vote", url.Values{"id": {"first"}}); code != 303 {
		t.Fatalf("%d\n%s", code, body)
	}
	text, err := os.ReadFile(filepath.Join(s.o.Dir, "motions/first/motion.txt"))
	if err != nil {
		t.Fatal(err)
	}
	space, other := council.NamespaceOf("portalba"), ballot.StatementNamespace("portalba")
	against, err := council.StatementOf(text, ballot.Against, "")
	if err != nil {
		t.Fatal(err)
	}
	foreign := against
	foreign.Text = strings.Repeat("00", 32)
	for name, x := range map[string]struct {
		files map[string][]byte
		says  string
	}{
		"no signature":    {map[string][]byte{"a.sig": []byte("x")}, "no SSH signature"},
		"the text alone":  {map[string][]byte{"a.txt": against.Bytes()}, "nobody has signed"},
		"a stranger":      {map[string][]byte{"a.sig": signed(t, keys["stranger"], text, space)}, "roster that votes"},
		"another text":    {map[string][]byte{"a.sig": signed(t, keys["anna"], []byte("x"), space)}, "not over this"},
		"another purpose": {map[string][]byte{"a.sig": signed(t, keys["anna"], text, "file")}, "another purpose"},
		"without its text": {map[string][]byte{"a.sig": signed(t, keys["anna"], against.Bytes(), other)},
			"not over this"},
		"a private key": {map[string][]byte{"id_ed25519": keys["anna"]}, "private key, the half that nobody else"},
		"on another motion": {map[string][]byte{"a.txt": foreign.Bytes(),
			"a.txt.sig": signed(t, keys["anna"], foreign.Bytes(), other)}, "not over this"},
		"both": {map[string][]byte{"m.sig": signed(t, keys["anna"], text, space), "a.txt": against.Bytes(),
			"a.txt.sig": signed(t, keys["anna"], against.Bytes(), other)}, "has signed already"},
	} {
		code, body := s.hand(t, "first", x.files)
		if code != http.StatusConflict || !strings.Contains(body, x.says) ||
			!regexp.MustCompile(`<p class="wrong" id="files-err">[^<]+</p>`).MatchString(body) {
			t.Errorf("%s: %d, want %q at the field in\n%.2000s", name, code, x.says, body)
		}
		if left, err := os.ReadDir(filepath.Join(s.o.Dir, "motions/first/ballots")); err != nil || len(left) > 0 {
			t.Errorf("%s: %v is left, %v", name, left, err)
		}
	}
	if code, _ := s.hand(t, "first", nil); code != http.StatusBadRequest {
		t.Errorf("no file: %d", code)
	}
}

// TestVotesStayInside: no motion's name and no link leads out of the directory.
func TestVotesStayInside(t *testing.T) {
	s, _ := chamber(t)
	outside := t.TempDir()
	if err := os.MkdirAll(filepath.Join(outside, "ballots"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outside, "motion.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.o.Dir, "motions"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(s.o.Dir, "motions", "link")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/vote/link", "/vote/link/motion.txt", "/vote/..", "/vote/%2e%2e/charter.yaml",
		"/vote/first/..%2f..%2fcharter.yaml"} {
		if code, body := s.answer(s.request("GET", path, "")); code == 200 || strings.Contains(body, "secret") {
			t.Errorf("%s: %d %.300s", path, code, body)
		}
	}
	if code, _ := s.send("/vote", url.Values{"id": {"link"}}); code == 303 {
		t.Error("a motion is made behind a link")
	}
	left, err := os.ReadDir(outside)
	if err != nil || len(left) != 2 {
		t.Errorf("outside is %v, %v", left, err)
	}
}

// TestVoteInEachLanguage: no page of the vote names a sentence that is not there, and none says
// another language's.
func TestVoteInEachLanguage(t *testing.T) {
	s, keys := chamber(t)
	if code, body := s.send("/vote", url.Values{"id": {"first"}}); code != 303 {
		t.Fatalf("%d\n%s", code, body)
	}
	text, err := os.ReadFile(filepath.Join(s.o.Dir, "motions/first/motion.txt"))
	if err != nil {
		t.Fatal(err)
	}
	mess := map[string][]byte{"anna.sig": []byte("x"),
		"bru.sig": signed(t, keys["carla"], text, "sluice-vote@portalba"),
		"z.sig":   signed(t, keys["bru"], []byte("y"), "sluice-vote@portalba")}
	for name, raw := range mess {
		if err := os.WriteFile(filepath.Join(s.o.Dir, "motions/first/ballots", name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for l := range explain.Languages {
		for _, path := range []string{"/vote", "/vote/first", "/vote/nowhere"} {
			r := s.request("GET", "/", "")
			r.URL.Path = s.base(explain.Lang(l)) + path
			if _, body := s.answer(r); strings.Contains(body, "%!") || !strings.Contains(body, "<h1>") ||
				explain.Lang(l) != 0 && regexp.MustCompile(`>[^<]*\b(the|and|is not)\b[^<]*<`).MatchString(
					regexp.MustCompile(`(?s)<pre.*?</pre>|<code lang="en">.*?</code>`).ReplaceAllString(body, "")) {
				t.Errorf("%s in %s:\n%.3000s", path, explain.Lang(l), body)
			}
		}
	}
}
