package papers

import (
	"bytes"
	_ "embed" // page.html
	"html/template"
	"slices"
	"strings"
	"sync"

	"sluice/policy/council"
	"sluice/policy/explain"
)

//go:embed page.html
var layout string

var sheet = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(layout)) })

// Section is a part of a motion's page: a title, its paragraphs, and perhaps a command and what
// follows it.
type Section struct {
	Title string
	Lines []string
	Code  string // a command, between the lines
	After []string
}

// table is of people: who, what they have signed, and why or with which key.
type table struct {
	Title string
	Head  []string
	Rows  [][]string
}

// document is what a sheet shows.
type document struct {
	Lang, Title, Lead string
	Facts             [][2]string
	Sections          []Section
	Assess            []Assessment
	AssessTitle       string
	Votes             table
	VotesFirst        bool   // before the sections
	Text              string // motion.txt, on sheets of its own
	TextTitle         string
	Foot              string
}

func (d document) html() ([]byte, error) {
	var b bytes.Buffer
	if err := sheet().Execute(&b, d); err != nil {
		return nil, err
	}
	return append(bytes.TrimSpace(b.Bytes()), '\n'), nil
}

// Page is one page of summary, with how the vote stands, and the whole text behind it.
func (p *Papers) Page(l explain.Lang) ([]byte, error) {
	d := p.document(l, say(l, "page.title", p.ID))
	d.Facts = append(d.Facts, [2]string{say(l, "standing"), p.counted(l)})
	d.Lead, d.Sections = p.Sections(l)
	if p.Enacted != nil || !p.now.Before(p.Expires) {
		d.Sections = Decided(d.Sections)
	}
	d.Assess, d.AssessTitle = p.Assessments(l), say(l, "assess.title")
	d.Votes = p.people(l)
	d.Text, d.TextTitle = string(p.Text), say(l, "page.text")
	return d.html()
}

// Minutes are the record of the vote: who was for it, against it and abstained, with which keys and
// why, and whether it is enacted. Session is how the council names its sitting; empty for none.
func (p *Papers) Minutes(l explain.Lang, session string) ([]byte, error) {
	d := p.document(l, say(l, "minutes.title", p.ID))
	if session != "" {
		d.Facts = append([][2]string{{say(l, "minutes.session"), session}}, d.Facts...)
	}
	d.Facts = append(d.Facts, [2]string{say(l, "minutes.as-of"), p.moment(l, p.now)},
		[2]string{say(l, "minutes.quorum"), say(l, "minutes.needed", p.Standing.Needed, len(p.Standing.Members),
			council.Asked(l, p.Standing.Needs))},
		[2]string{say(l, "standing"), p.counted(l)}, [2]string{say(l, "minutes.result"), p.result(l)})
	d.Votes, d.VotesFirst = p.people(l), true
	_, list := p.Sections(l)
	d.Sections = list[:2] // what is decided, and what changes
	d.Foot = say(l, "minutes.proof", "sha256:"+council.Sum(p.Text))
	return d.html()
}

// document is what all sheets of a motion begin with.
func (p *Papers) document(l explain.Lang, title string) document {
	return document{Lang: l.String(), Title: title, Facts: [][2]string{
		{say(l, "city"), p.Policy.Charter.City.Name}, {say(l, "motion"), say(l, "version", p.ID, p.Version)},
		{say(l, "created"), p.moment(l, p.Created)},
	}}
}

// counted says how many are for, against and abstain, and how many have not voted.
func (p *Papers) counted(l explain.Lang) string {
	return say(l, "counted", p.Standing.Signed, p.Standing.Needed, p.Standing.Against,
		sayN(l, "abstained", p.Standing.Abstained), sayN(l, "not-voted", len(p.Missing())))
}

// result is what has become of the motion.
func (p *Papers) result(l explain.Lang) string {
	switch {
	case p.Enacted != nil && p.Enacted.From.After(p.now):
		return say(l, "minutes.coming", p.moment(l, p.Enacted.From))
	case p.Enacted != nil:
		return say(l, "minutes.in-force", p.moment(l, p.Enacted.From))
	case !p.now.Before(p.Expires):
		return say(l, "minutes.void", p.moment(l, p.Expires))
	case p.Enactable():
		return say(l, "minutes.enough")
	}
	return say(l, "minutes.open", sayN(l, "minutes.left", p.Left()), p.moment(l, p.Expires))
}

// people is every member of the roster that votes.
func (p *Papers) people(l explain.Lang) table {
	t := table{Title: say(l, "people"), Head: []string{say(l, "member"), say(l, "vote"), say(l, "detail")}}
	for _, m := range p.Standing.Members {
		switch {
		case m.Signed:
			t.Rows = append(t.Rows, []string{m.Name, say(l, "for"), because(m.Reason, p.Fingerprints[m.ID])})
		case m.Statement != nil:
			t.Rows = append(t.Rows, []string{m.Name, stated(l, m.Statement.Choice),
				because(m.Statement, m.Statement.Fingerprint)})
		case m.Problem != nil || m.Misstated != nil:
			t.Rows = append(t.Rows, []string{m.Name, say(l, "invalid"), ""})
		default:
			t.Rows = append(t.Rows, []string{m.Name, say(l, "missing"), ""})
		}
	}
	return t
}

// Decided are the sections before how to sign: what is left of them when nobody signs any more.
func Decided(list []Section) []Section {
	if i := slices.IndexFunc(list, func(s Section) bool { return s.Code != "" }); i >= 0 {
		return list[:i]
	}
	return list
}

// Sections takes the motion's page apart: what stands before the first title, and the sections.
func (p *Papers) Sections(l explain.Lang) (lead string, list []Section) {
	lines := strings.Split(p.Motion.Page(l, p.previous, p.Policy), "\n")
	for i, line := range lines {
		under := i+1 < len(lines) && lines[i+1] != "" && strings.Trim(lines[i+1], "-") == ""
		switch {
		case under:
			list = append(list, Section{Title: line})
		case line == "" || strings.Trim(line, "-") == "":
		case len(list) == 0:
			lead += line + " "
		default:
			s := &list[len(list)-1]
			switch {
			case strings.HasPrefix(line, "  ssh-keygen "):
				s.Code = strings.TrimSpace(line)
			case s.Code != "":
				s.After = append(s.After, line)
			default:
				s.Lines = append(s.Lines, strings.TrimPrefix(line, "* "))
			}
		}
	}
	return strings.TrimSpace(lead), list
}
