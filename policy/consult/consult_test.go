package consult_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/consult"
	"sluice/policy/dpia"
	"sluice/policy/explain"
)

// draft is the example city with a footfall that protects less.
func draft(t *testing.T) consult.Input {
	t.Helper()
	files := portalba.Policy()
	old, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	const name = "decisions/2026-14-footfall.yaml"
	next := portalba.Policy()
	next[name] = []byte(strings.Replace(string(files[name]), "min_units: 10", "min_units: 5", 1))
	next[name] = []byte(strings.Replace(string(next[name]), `"Footfall in the old town"`,
		`"Footfall <b>&amp; \"more\""`, 1))
	p, err := bundle.Read(next)
	if err != nil {
		t.Fatal(err)
	}
	a, err := dpia.ParseAnswers("dpia.yaml", []byte("decisions:\n  \"2026-14\": {context: \"Phones are counted.\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return consult.Input{Policy: p, Decision: p.Decision("2026-14"), InForce: old, Answers: a, To: "a+b@city.example",
		Post: "Plaça Major 1", Until: civil.Date{Year: 2027, Month: 1, Day: 31},
		Process:  "https://decidim.example/p/1?a=b&c=d",
		Pictures: map[string][]byte{"ca": []byte("<svg/>"), "en": []byte("<svg/>"), "es": []byte("<svg/>")}}
}

var (
	tag    = regexp.MustCompile(`<[^>]*>`)
	link   = regexp.MustCompile(`(?:href|src|action)="([^"#]*)"`)
	inside = regexp.MustCompile(`(?i)<script|javascript:|\son[a-z]+=|style="`)
)

// TestFolder: each page is whole, needs nothing from elsewhere and no script, and a title breaks nothing.
func TestFolder(t *testing.T) {
	files, err := consult.Folder(draft(t))
	if err != nil {
		t.Fatal(err)
	}
	said := map[string][]string{
		"en": {"31 January 2027", "protects less", "Phones are counted.", "Footfall &lt;b&gt;&amp;amp; &#34;more&#34;"},
		"ca": {"31 de gener de 2027", "protegeix menys", "Encara no s&#39;ha decidit res"},
		"es": {"31 de enero de 2027", "protege menos", "Todavía no se ha decidido nada"},
	}
	for _, l := range explain.Languages {
		page := string(files[l+".html"])
		for _, want := range append(said[l], `lang="`+l+`"`, "picture-"+l+".svg",
			"https://decidim.example/p/1?a=b&amp;c=d",
			"Plaça Major 1", "mailto:a&#43;b@city.example?subject=") {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %q", l, want)
			}
		}
		if found := inside.FindString(page); found != "" || strings.Contains(page, "%!") || strings.Contains(page,
			"ZgotmplZ") {
			t.Errorf("%s has %q", l, found)
		}
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			to, _, _ := strings.Cut(m[1], "?")
			switch {
			case to == "", strings.HasPrefix(m[1], "mailto:"), strings.HasPrefix(m[1], "https://decidim.example/"):
			case files[to] == nil:
				t.Errorf("%s leads to %s, which is not there", l, to)
			}
		}
		if n := strings.Count(page, "<h1"); n != 1 || !strings.Contains(page, "<h2") {
			t.Errorf("%s has %d first headings", l, n)
		}
	}
	if string(files["index.html"]) != string(files["ca.html"]) || len(files["decision.yaml"]) == 0 {
		t.Error("the first page is not the city's first language, or the draft is missing")
	}
	in := draft(t)
	in.InForce, in.To, in.Pictures, in.Answers = nil, "", nil, nil
	if files, err = consult.Folder(in); err != nil {
		t.Fatal(err)
	}
	page := tag.ReplaceAllString(string(files["en.html"]), "")
	if !strings.Contains(page, "The decision is new.") || strings.Contains(string(files["en.html"]), "mailto:a") {
		t.Error(page)
	}
}

// TestLetter: what a mail program begins with is read again, once it is filled in.
func TestLetter(t *testing.T) {
	files, err := consult.Folder(draft(t))
	if err != nil {
		t.Fatal(err)
	}
	for l, yes := range map[string]string{"en": "Yes.", "ca": "Sí", "es": "con cambios"} {
		m := regexp.MustCompile(`href="(mailto:[^"]*)"`).FindStringSubmatch(string(files[l+".html"]))
		u, err := url.Parse(html.UnescapeString(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		if all := u.Query(); len(all) != 2 || l == "en" && !strings.Contains(all.Get("subject"), `<b>&amp; "more"`) {
			t.Errorf("%s: a letter has %v", l, all)
		}
		body := u.Query().Get("body")
		body = strings.Replace(body, ":\r\n", ":\r\n"+yes+"\r\n", 1)
		body = strings.Replace(body, "[3]", "[3]", 1)
		list, err := consult.ParseAnswers("mail.txt", []byte("From: ana@x.example\r\nSubject: x\r\n\r\n"+body))
		if err != nil || len(list) != 1 || list[0].Opinion == "unclear" || list[0].Useful != "" || list[0].From {
			t.Errorf("%s: %v %+v\n%s", l, err, list, body)
		}
	}
}

func TestAnswers(t *testing.T) {
	mails := "Hello\n[1] Do you agree=yes\n[2] Useful=\n[3] What worries you=The clinic.\nAnd the school.\n[5] " +
		"Your name=Ana\n" +
		"> [1] D'acord (sí / no / amb canvis): amb canvis\n> [4] Què: menys\n[1] x:\n\n[1]: maybe\n"
	list, err := consult.ParseAnswers("a.txt", []byte(mails))
	if err != nil || len(list) != 3 {
		t.Fatalf("%v %+v", err, list)
	}
	if a := list[0]; a.Opinion != "yes" || a.Worry != "The clinic. And the school." || !a.From || a.At != "a.txt:2" {
		t.Errorf("%+v", a)
	}
	if a := list[1]; a.Opinion != "changes" || a.Change != "menys" || list[2].Opinion != "unclear" {
		t.Errorf("%+v", list)
	}
	sheet := "\ufeffopinion;worry;from\nsí;\"a; b\";Bru\nNO;;\n;;\n"
	if list, err = consult.ParseAnswers("a.csv", []byte(sheet)); err != nil || len(list) != 2 ||
		list[0].Worry != "a; b" || list[1].Opinion != "no" {
		t.Errorf("%v %+v", err, list)
	}
	for l := range explain.Languages {
		text := consult.Markdown(explain.Lang(l), "2026-14", list)
		if !strings.Contains(text, "1. (") || strings.Contains(text, "Bru") || strings.Contains(text, "%!") {
			t.Error(text)
		}
	}
	for raw, want := range map[string]string{
		"hello":                                "there is no answer in it",
		"opinion,mood\nyes,good\n":             "a:1: there is no column of this name",
		"opinion,worry\nyes\n":                 "line 2",
		"\xff[1]: yes":                         "not in UTF-8",
		strings.Repeat("x", consult.MaxFile+1): "split it",
	} {
		if _, err := consult.ParseAnswers("a", []byte(raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", raw, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	for address, good := range map[string]bool{"https://decidim.example/x": true, "http://x.example": false,
		"https://":            false,
		"javascript:alert(1)": false, "https://u:p@x.example": false} {
		if consult.GoodProcess(address) != good {
			t.Error(address)
		}
	}
	for address, good := range map[string]bool{"a@b.example": true, "A <a@b.example>": false, "a": false,
		"a@b,c@d": false} {
		if consult.GoodTo(address) != good {
			t.Error(address)
		}
	}
}

// FuzzAnswers: whatever came back is read or refused, and nothing of it moves a cursor.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("[1] a: yes\n[2] b=\x1b[2J"))
	f.Add([]byte("opinion,worry\nyes,\"x\ny\"\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := consult.ParseAnswers("f", raw)
		if err != nil {
			return
		}
		if text := consult.Markdown(0, "x", list); strings.ContainsAny(text, "\x1b\r\x00") {
			t.Errorf("%q", text)
		}
	})
}

// TestAnswersOfOneMail reads the longest mail that is taken, nearly all of it blank lines: a resident
// may send one, and it must take no longer than others.
func TestAnswersOfOneMail(t *testing.T) {
	raw := []byte("[1]: yes\n[3]: The clinic" + strings.Repeat("\n", consult.MaxFile-64) + "by the door")
	list, err := consult.ParseAnswers("mail", raw)
	if err != nil || len(list) != 1 || list[0].Opinion != "yes" || list[0].Worry != "The clinic by the door" {
		t.Errorf("%d answers, %v", len(list), err)
	}
}

// TestListIsNoMarkup: what strangers wrote is text to whoever renders the list.
func TestListIsNoMarkup(t *testing.T) {
	list, err := consult.ParseAnswers("a", []byte("[1]: yes\n"+
		"[2]: ![x](https://spy.example/1) <img src=x> `a` \\[b](c)\n"+
		"[3]: \u202egpj.exe\x1b[2J &lt;\n# Heading"))
	if err != nil {
		t.Fatal(err)
	}
	text := consult.Markdown(explain.ParseLang("en"), "2026-14", list)
	for _, bad := range []string{"![", "\n# Head", "\u202e", "\x1b", " <img", " `a", " &lt;"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in %s", bad, text)
		}
	}
	want := "1. (yes) !\\[x\\](https://spy.example/1) \\<img src=x\\> \\`a\\` \\\\\\[b\\](c)\n"
	if !strings.Contains(text, want) {
		t.Errorf("%q is not in %s", want, text)
	}
}

// TestHeadsOfMails: of several mails in one file, whom the next is from is in no answer.
func TestHeadsOfMails(t *testing.T) {
	for _, head := range []string{"From: Ana <ana@x.example>", "From ana@x.example Fri Nov 27", "De: ana@x.example",
		"Return-Path: <ana@x.example>"} {
		list, err := consult.ParseAnswers("mbox", []byte("[1]: yes\n[4]: less\nFrom: here on\n\n"+head+
			"\nSubject: Re: ana\n\nHello,\n[1]: no\n[3]: dust\n"))
		if err != nil || len(list) != 2 || list[0].Change != "less From: here on" || list[1].Worry != "dust" ||
			strings.Contains(consult.Markdown(explain.ParseLang("en"), "2026-14", list), "ana") {
			t.Errorf("%s: %+v, %v", head, list, err)
		}
	}
}
