package papers_test

import (
	"bytes"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/policy/ballot"
	"sluice/policy/council"
	"sluice/policy/dpia"
	"sluice/policy/explain"
	"sluice/policy/papers"
	"sluice/policy/workspace"
)

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

const reason = `Massa <poc>; "una hora", l'any que ve`

// desk is a clerk's directory with a motion that anna is for, bru against and carla abstains from.
func desk(t *testing.T) workspace.Dir {
	t.Helper()
	dir := t.TempDir()
	files := portalba.Policy()
	keys := map[string][]byte{}
	roster := "version: 1\nmembers:\n"
	for _, m := range []string{"anna", "bru", "carla", "dani"} {
		private, line, err := ballot.Generate(m)
		check(t, err)
		keys[m] = private
		roster += "  - {id: " + m + ", name: \"" + strings.ToUpper(m[:1]) + m[1:] + " <b>\", keys: [\"" + line +
			"\"]}\n"
	}
	files["council.yaml"] = []byte(roster)
	files["charter.yaml"] = regexp.MustCompile(`quorums: .*`).ReplaceAll(files["charter.yaml"],
		[]byte("quorums: {enact: 2, weaken: 2, charter: 2, roster: 2, suspend: 1}"))
	check(t, files.Write(dir))
	d := workspace.Dir(dir)
	p, err := d.Draft()
	check(t, err)
	m, err := d.Create(workspace.Order{ID: "first", Now: now, Policy: p})
	check(t, err)
	text, err := os.ReadFile(filepath.Join(d.Motion("first"), council.TextName))
	check(t, err)
	put := func(name string, raw []byte) {
		check(t, os.WriteFile(filepath.Join(d.Motion("first"), "ballots", name), raw, 0o644))
	}
	sig, err := ballot.Sign(keys["anna"], text, council.NamespaceOf(m.City))
	check(t, err)
	put("anna.sig", sig.File())
	for who, choice := range map[string]ballot.Choice{"bru": ballot.Against, "carla": ballot.Abstain} {
		why := ""
		if choice == ballot.Against {
			why = reason
		}
		s, err := council.StatementOf(text, choice, why)
		check(t, err)
		sig, err := ballot.Sign(keys[who], s.Bytes(), ballot.StatementNamespace(m.City))
		check(t, err)
		put(who+".txt", s.Bytes())
		put(who+".txt.sig", sig.File())
	}
	return d
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, d workspace.Dir, at time.Time) *papers.Papers {
	t.Helper()
	p, err := papers.Open(d, "first", at)
	check(t, err)
	return p
}

// TestPapersSayTheVote: each paper, in each language, has who voted how, and the exact lines; what
// documents and members say is text, and no element.
func TestPapersSayTheVote(t *testing.T) {
	p := open(t, desk(t), now)
	if p.Left() != 2 || p.Enactable() || len(p.Missing()) != 1 || p.Missing()[0].ID != "dani" {
		t.Fatalf("%d left, missing %v", p.Left(), p.Missing())
	}
	for l := range explain.Languages {
		lang := explain.Lang(l)
		page, err := p.Page(lang)
		check(t, err)
		minutes, err := p.Minutes(lang, "Ple <12>/2026")
		check(t, err)
		for name, raw := range map[string][]byte{"page": page, "minutes": minutes} {
			for _, want := range []string{"Massa &lt;poc&gt;; &#34;una hora&#34;", "Anna &lt;b&gt;", "SHA256:",
				`lang="` + lang.String() + `"`} {
				if !bytes.Contains(raw, []byte(want)) {
					t.Errorf("the %s in %s has no %s", name, lang, want)
				}
			}
			if bytes.Contains(raw, []byte("%!")) || bytes.Contains(raw, []byte("<b>")) {
				t.Errorf("the %s in %s is not whole, or has markup of a member's", name, lang)
			}
			if bytes.Count(raw, []byte("<h1>")) != 1 || !bytes.HasSuffix(raw, []byte("</html>\n")) {
				t.Errorf("the %s in %s is no page", name, lang)
			}
		}
		if !bytes.Contains(minutes, []byte("Ple &lt;12&gt;/2026")) {
			t.Errorf("the minutes in %s do not name the session", lang)
		}
		mail := string(p.Mail(lang))
		for _, want := range []string{"-n sluice-vote@portalba motion.txt", "-n sluice-ballot@portalba against.txt",
			"  - Dani <b>", council.Sum(p.Text)} {
			if !strings.Contains(mail, want) {
				t.Errorf("the letter in %s has no %q", lang, want)
			}
		}
		if strings.Contains(mail, "  - Anna") || strings.Contains(mail, "  - Bru") {
			t.Errorf("the letter in %s asks who has voted", lang)
		}
	}
}

// TestTheLettersLinesAreABallot: what a member types is a text that is taken.
func TestTheLettersLinesAreABallot(t *testing.T) {
	p := open(t, desk(t), now)
	for l := range explain.Languages {
		rest := string(p.Mail(explain.Lang(l)))
		for _, choice := range []ballot.Choice{ballot.For, ballot.Against} {
			text := ""
			_, rest, _ = strings.Cut(rest, "<<'END'\n")
			text, rest, _ = strings.Cut(rest, "END\n")
			s, err := ballot.ParseStatement([]byte(text))
			if err != nil || s.Text != council.Sum(p.Text) || s.Choice != choice || s.Reason == "" {
				t.Errorf("%q is %+v (%v)", text, s, err)
			}
		}
	}
}

// TestResults: minutes say what has become of the motion at each time.
func TestResults(t *testing.T) {
	d := desk(t)
	for at, want := range map[time.Time]string{
		now: "Not decided yet: 2 more must be for it",
		time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC): "so it is void",
	} {
		raw, err := open(t, d, at).Minutes(0, "")
		check(t, err)
		if !bytes.Contains(raw, []byte(want)) {
			t.Errorf("at %s the minutes do not say %q", at, want)
		}
	}
}

// TestCalendar holds the file against RFC 5545: lines of at most 75 octets that end with CR LF and
// break no character, and each day once, the same whenever it is asked for.
func TestCalendar(t *testing.T) {
	d := desk(t)
	p := open(t, d, now)
	for l := range explain.Languages {
		raw := p.Calendar(explain.Lang(l))
		if !bytes.Equal(raw, open(t, d, now.AddDate(0, 0, 3)).Calendar(explain.Lang(l))) {
			t.Error("three days later it is another")
		}
		for line := range strings.Lines(string(raw)) {
			if !strings.HasSuffix(line, "\r\n") || len(line) > 77 || !strings.Contains(line, ":") && line[0] != ' ' ||
				strings.ToValidUTF8(line, "") != line {
				t.Errorf("%q", line)
			}
		}
		text := strings.ReplaceAll(string(raw), "\r\n ", "")
		uids := map[string]bool{}
		for _, uid := range regexp.MustCompile(`UID:\S+`).FindAllString(text, -1) {
			uids[uid] = true
		}
		events := strings.Count(text, "BEGIN:VEVENT")
		if events < 4 || events != len(uids) || events != strings.Count(text, "END:VEVENT") {
			t.Errorf("%d events, %d identifiers", events, len(uids))
		}
		for _, want := range []string{"DTSTART;VALUE=DATE:20270531\r\n", "TRIGGER:-P60D",
			"DTSTART;VALUE=DATE:20261212"} {
			if !strings.Contains(text, want) {
				t.Errorf("there is no %s in\n%s", want, text)
			}
		}
	}
}

// TestPapersAskForTheAssessment: the letter and the page say of each decision that is new or protects less
// what it is that protects less, and whether dpia.yaml says that it was assessed as it is now.
func TestPapersAskForTheAssessment(t *testing.T) {
	d := desk(t)
	p := open(t, d, now)
	said := func(l explain.Lang) (string, string) {
		page, err := p.Page(l)
		check(t, err)
		return string(p.Mail(l)), string(page)
	}
	for l, open := range map[explain.Lang]string{0: "is not written in dpia.yaml", 1: "no consta que s'hagi avaluat",
		2: "no consta que se haya evaluado"} {
		if mail, page := said(l); strings.Count(mail, open) != 4 ||
			strings.Count(html.UnescapeString(page), open) != 4 {
			t.Errorf("in %s it is not asked for:\n%s", l, mail)
		}
	}
	digest := dpia.Digest(p.Policy, p.Policy.Decision("2026-14"))
	check(t, d.Put(dpia.AnswersName,
		[]byte("decisions: {\"2026-14\": {assessed: {on: 2026-11-20, of: \""+digest+"\"}}}\n")))
	p = open(t, d, now)
	mail, page := said(0)
	if strings.Count(mail, "is not written in dpia.yaml") != 3 ||
		!strings.Contains(mail, "Decision 2026-14 is new. It was assessed as it is now on 20 November 2026.") ||
		!strings.Contains(page, "It was assessed as it is now on 20 November 2026.") {
		t.Errorf("it was assessed:\n%s", mail)
	}
	check(t, d.Put(dpia.AnswersName, []byte("decisions: [what?")))
	if p = open(t, d, now); len(p.Assessments(0)) != 4 || p.Assessments(0)[0].Done {
		t.Error("a file that cannot be read has assessed something")
	}
}
