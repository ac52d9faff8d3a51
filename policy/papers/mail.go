package papers

import (
	"fmt"
	"strings"

	"sluice/policy/ballot"
	"sluice/policy/council"
	"sluice/policy/explain"
)

// Mail is the letter to members: what it is about, until when, the exact lines to sign, and who has
// not signed yet. Its first line is the subject; motion.txt goes with it.
func (p *Papers) Mail(l explain.Lang) []byte {
	var b strings.Builder
	line := func(text string) { b.WriteString(text + "\n") }
	line(say(l, "mail.subject", p.ID, p.moment(l, p.Expires)))
	line("")
	line(say(l, "mail.intro", p.ID, p.Version, explain.Plain(p.Policy.Charter.City.Name)))
	line(say(l, "mail.until", p.moment(l, p.Expires), p.location()))
	line(say(l, "mail.standing", p.Standing.Signed, p.Standing.Needed, council.Asked(l, p.Standing.Needs)))
	for i, m := range p.Missing() {
		if i == 0 {
			line(say(l, "mail.waiting"))
		}
		line("  - " + m.Name)
	}
	line("")
	b.WriteString(p.Motion.Summary(l, p.previous, p.Policy))
	line("")
	if list := p.Assessments(l); len(list) > 0 {
		line(heading(say(l, "assess.title")))
		for _, a := range list {
			line(a.Due + " " + a.Said)
			for _, c := range a.Changes {
				line("  - " + c)
			}
		}
		line("")
	}
	line(heading(say(l, "mail.for")))
	line(say(l, "mail.where"))
	line("")
	line("  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n " + council.NamespaceOf(p.City) + " motion.txt")
	line("")
	line(say(l, "mail.back", "motion.txt.sig"))
	line("")
	line(say(l, "mail.reason"))
	line("")
	b.WriteString(p.ballotLines(l, ballot.For))
	line("")
	line(heading(say(l, "mail.against")))
	line(say(l, "mail.otherwise"))
	line("")
	b.WriteString(p.ballotLines(l, ballot.Against))
	line("")
	line(say(l, "mail.both", "against.txt", "against.txt.sig"))
	line("")
	line(say(l, "mail.check"))
	line("")
	line("  sha256sum motion.txt")
	line("  " + council.Sum(p.Text))
	return []byte(b.String())
}

// ballotLines are what a member types who is against, or says why they are for it. What stands between
// the two lines END is the text, byte for byte.
func (p *Papers) ballotLines(l explain.Lang, choice ballot.Choice) string {
	s := ballot.Statement{City: p.City, Motion: p.ID, Text: council.Sum(p.Text), Choice: choice,
		Reason: say(l, "mail.why")}
	return fmt.Sprintf("cat > %[3]s.txt <<'END'\n%[1]sEND\n"+
		"ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n %[2]s %[3]s.txt\n", s.Bytes(),
		ballot.StatementNamespace(p.City), choice)
}

func heading(title string) string {
	return title + "\n" + strings.Repeat("-", len([]rune(title)))
}
