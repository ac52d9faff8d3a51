// Package consult makes a folder of plain pages of which a draft decision is put to the public before
// the vote, and reads the answers that come back by post or e-mail.
//
//	DIR/index.html           the page in the city's first language
//	DIR/ca.html es.html ...  one for each of the city's languages
//	DIR/picture-ca.svg ...   what a simulation of it shows, if there is one
//	DIR/decision.yaml        the draft itself
//	DIR/style.css
//
// The pages need no server, no script and nothing from elsewhere: a folder on a web server, a USB
// stick, or printed. The answers' form is numbered, so that an answer is read in whatever language it
// was asked; see ParseAnswers.
package consult

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"sync"

	"sluice/internal/civil"
	"sluice/internal/locales"
	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/diff"
	"sluice/policy/dpia"
	"sluice/policy/explain"
)

//go:embed page.html style.css
var assets embed.FS

var page = sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(assets, "page.html")) })

// Input is what is put to the public.
type Input struct {
	Policy   *bundle.Policy
	Decision *bundle.Decision
	// InForce is what is in force, or nil.
	InForce *bundle.Policy
	// Answers are those of the impact assessment; nil for none.
	Answers *dpia.Answers
	// To is the e-mail address that answers go to, Post the postal one; either may be empty.
	To, Post string
	// Until is the last day on which answers are taken.
	Until civil.Date
	// Process is the address of a page about this consultation, beside those that the decision names;
	// may be empty.
	Process string
	// Pictures are SVG by language; none where it cannot be simulated.
	Pictures map[string][]byte
}

// GoodProcess reports whether an address can be linked to.
func GoodProcess(address string) bool { return decision.CheckLink(address) == nil }

// GoodTo reports whether answers can be sent to an e-mail address.
func GoodTo(address string) bool {
	a, err := mail.ParseAddress(address)
	return err == nil && a.Address == address
}

// section is a part of the decision's text.
type section struct {
	Title string
	Lines []string
}

// risk is a grade in words.
type risk struct{ What, Severity, Likelihood, Why string }

// link is a page elsewhere.
type link struct{ Address, Words string }

// links are the pages that the decision names, and the process.
func (in Input) links(l explain.Lang) (out []link) {
	list := in.Decision.Consultation
	named := func(c decision.Consultation) bool { return c.Link == in.Process }
	if in.Process != "" && !slices.ContainsFunc(list, named) {
		list = append(slices.Clone(list), decision.Consultation{Link: in.Process})
	}
	for i, words := range explain.Consulted(l, list) {
		out = append(out, link{list[i].Link, words})
	}
	return out
}

// change is one difference in words.
type change struct{ Mark, Words string }

// view is one page.
type view struct {
	Lang, City, ID, Title, Until, Post, To string
	Links                                  []link
	Langs                                  []string
	Picture                                bool
	Sections                               []section
	Changes                                []change
	Fresh                                  bool
	Notice, Necessity, Own                 string
	Risks                                  []risk
	Questions                              []Question
	Mail                                   template.URL
	Action                                 template.URL
	T                                      map[string]string
}

// Question is one of the form.
type Question struct {
	// Name is what a mail has before the answer: [1] and the words.
	Name, Words string
	// Choices are the answers to choose from, if it has any.
	Choices []string
}

// Folder makes the files, by name.
func Folder(in Input) (map[string][]byte, error) {
	style, err := assets.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{"style.css": style, "decision.yaml": in.Decision.YAML}
	langs := spoken(in.Policy.Charter.City.Languages)
	for i, code := range langs {
		raw, err := in.page(explain.ParseLang(code), langs)
		if err != nil {
			return nil, err
		}
		out[code+".html"] = raw
		if i == 0 {
			out["index.html"] = raw
		}
		if svg := in.Pictures[code]; len(svg) > 0 {
			out["picture-"+code+".svg"] = svg
		}
	}
	return out, nil
}

// spoken are the city's languages, as far as there are words in them.
func spoken(langs []string) []string {
	out := slices.DeleteFunc(slices.Clone(langs), func(l string) bool { return !slices.Contains(explain.Languages, l) })
	if len(out) == 0 {
		return []string{"en"}
	}
	return out
}

func (in Input) page(l explain.Lang, langs []string) ([]byte, error) {
	say := func(key string, parts ...any) string { return locales.In(int(l)).Say("consult."+key, parts...) }
	d := in.Decision
	text, err := explain.Decision(l, in.Policy, d, explain.Vote{})
	if err != nil {
		return nil, err
	}
	v := view{Lang: l.String(), City: in.Policy.Charter.City.Name, ID: d.Decision, Title: l.Title(d.Title),
		Until: l.Date(in.Until), Post: in.Post, To: in.To, Links: in.links(l), Langs: langs,
		Picture: len(in.Pictures[l.String()]) > 0, Sections: sections(text), Questions: questions(l), T: words(l)}
	v.changes(l, in, say)
	if in.Answers != nil {
		a := in.Answers.Decisions[d.Decision]
		v.Notice, v.Necessity, v.Own = a.Context.In(l), a.Necessity.In(l), a.Risks.In(l)
	}
	v.risks(l, in)
	if in.To != "" {
		v.letter(say("subject", d.Decision, v.Title), in.To)
	}
	var b bytes.Buffer
	if err := page().Execute(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// changes are those of the decision, and of charter and kinds, which hold for it.
func (v *view) changes(l explain.Lang, in Input, say func(string, ...any) string) {
	v.Fresh = in.InForce == nil || in.InForce.Decision(v.ID) == nil
	for _, c := range diff.Compare(diff.Before{Policy: in.InForce}, in.Policy) {
		if in.InForce != nil && (c.About == v.ID || c.About == "charter.yaml" || c.About == "kinds.yaml") {
			v.Changes = append(v.Changes, change{say("mark." + c.Mark.String()), c.Words(l)})
		}
	}
}

func (v *view) risks(l explain.Lang, in Input) {
	var a dpia.Answer
	if in.Answers != nil {
		a = in.Answers.Decisions[v.ID]
	}
	ofDPIA := func(key string) string { return locales.In(int(l)).Say("dpia." + key) }
	for _, g := range dpia.Grades(l, in.Policy, in.Decision, a) {
		v.Risks = append(v.Risks, risk{ofDPIA("risk." + string(g.Risk)), ofDPIA(fmt.Sprintf("level.%d", g.Severity)),
			ofDPIA(fmt.Sprintf("level.%d", g.Likelihood)), g.Why})
	}
}

// letter is the mail that a click begins, with the questions in it; and what a form sends.
func (v *view) letter(subject, to string) {
	var b strings.Builder
	for _, q := range v.Questions {
		words := q.Name
		if len(q.Choices) > 0 {
			words += " (" + strings.Join(q.Choices, " / ") + ")"
		}
		b.WriteString(words + ":\r\n\r\n")
	}
	head := "mailto:" + url.PathEscape(to) + "?subject=" + ofLetter(subject)
	v.Action = template.URL(head)
	v.Mail = template.URL(head + "&body=" + ofLetter(b.String()))
}

// ofLetter is the value of a header of a mailto URI (RFC 6068): a title with & begins no other header.
func ofLetter(text string) string { return strings.ReplaceAll(url.PathEscape(text), "&", "%26") }

// questions are the form's, each with its number.
func questions(l explain.Lang) []Question {
	say := func(key string) string { return locales.In(int(l)).Say("consult." + key) }
	list := []Question{{Words: say("opinion"), Choices: []string{say("yes"), say("no"), say("changes")}},
		{Words: say("useful")}, {Words: say("worry")}, {Words: say("change")}, {Words: say("from")}}
	for i := range list {
		list[i].Name = fmt.Sprintf("[%d] %s", i+1, list[i].Words)
	}
	return list
}

// words are those of the page.
func words(l explain.Lang) map[string]string {
	out := make(map[string]string)
	for _, key := range []string{"draft", "until", "what", "picture", "differences", "fresh", "same", "people",
		"answer",
		"mail", "post", "print", "send", "files", "yaml", "privacy", "risk", "severity", "likelihood",
		"why", "alt", "languages"} {
		out[key] = locales.In(int(l)).Say("consult.page." + key)
	}
	return out
}

// sections takes a decision's text apart at its headings, which are underlined.
func sections(text string) (out []section) {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		switch {
		case line == "":
		case i+1 < len(lines) && len(lines[i+1]) > 2 && strings.Trim(lines[i+1], "-") == "":
			out = append(out, section{Title: line})
			i++
		case len(out) > 0:
			last := &out[len(out)-1]
			last.Lines = append(last.Lines, line)
		}
	}
	return out
}
