package council

import (
	"fmt"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/internal/locales"
	"sluice/policy/diff"
	"sluice/policy/explain"

	"sluice/internal/pattern"
)

// What a page has room for; it states how much more the annexes have.
const (
	pageDecisions = 4
	pageChanges   = 7
)

// paged is the text since format 5: a page for people in each language, annexes in
// each, the roster of a first motion, and the head.
func (m *Motion) paged(v vote) ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%d\n", prefix, m.format())
	langs := languages(v.next)
	for _, l := range langs {
		b.WriteString("\n" + underlined(say(l, "motion.language"), "=") + "\n")
		m.page(&b, l, v)
	}
	b.WriteString("\n")
	for _, l := range langs {
		b.WriteString(underlined(say(l, "page.annex", say(l, "motion.language")), "=") + "\n")
		if err := m.annex(&b, l, v); err != nil {
			return nil, err
		}
	}
	titles := make([]string, len(langs))
	for i, l := range langs {
		titles[i] = say(l, "page.digests")
	}
	b.WriteString(underlined(strings.Join(titles, " / "), "=") + "\n")
	for _, c := range v.changes {
		if v.technical(c) {
			fmt.Fprintf(&b, "%s - %s\n", explain.Plain(c.About), c.Words(langs[0]))
		}
	}
	if v.before == nil {
		b.WriteString("\n")
	}
	b.WriteString(m.head(v))
	return []byte(b.String()), nil
}

// technical changes are keys and digests of a first motion, which are the same in
// every language and stand before the head.
func (v vote) technical(c diff.Change) bool {
	what, _, _ := strings.Cut(c.Key, " ")
	return v.before == nil &&
		(c.About == "council.yaml" && what == "member" || c.About == "zones.geojson" && what == "file")
}

// annex is every change and every decision that is touched, whole.
func (m *Motion) annex(b *strings.Builder, l explain.Lang, v vote) error {
	rest := v
	rest.changes = nil
	for _, c := range v.changes {
		if !v.technical(c) {
			rest.changes = append(rest.changes, c)
		}
	}
	var body strings.Builder
	if err := m.everything(&body, l, rest); err != nil {
		return err
	}
	b.WriteString(strings.TrimRight(body.String(), "\n") + "\n\n")
	return nil
}

// page is one page for who has to decide: what, for whom, from when, and how to sign.
func (m *Motion) page(b *strings.Builder, l explain.Lang, v vote) {
	m.summary(b, l, v)
	line := func(key string, args ...any) {
		b.WriteString(explain.Elide(l, explain.Plain(say(l, "page."+key, args...))) + "\n")
	}
	part := func(key string) { b.WriteString("\n" + underlined(say(l, "page."+key), "-")) }
	part("how")
	line("read")
	fmt.Fprintf(b, "\n  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n %s motion.txt\n\n", NamespaceOf(m.City))
	line("send")
	part("against")
	line("nothing")
}

// summary is the page without how to sign.
func (m *Motion) summary(b *strings.Builder, l explain.Lang, v vote) {
	line := func(key string, args ...any) {
		b.WriteString(explain.Elide(l, explain.Plain(say(l, "page."+key, args...))) + "\n")
	}
	part := func(key string) { b.WriteString("\n" + underlined(say(l, "page."+key), "-")) }
	line("intro", m.ID, m.Version, v.next.Charter.City.Name)
	part("decided")
	m.summaries(b, l, v)
	part("changes")
	m.highlights(b, l, v)
	part("when")
	loc := v.next.Location
	if v.before != nil {
		loc = v.before.Location
	}
	if v.from.After(m.Created) {
		line("from", moment(l, v.from, loc), loc)
	} else {
		line("at-once")
	}
	line("until", moment(l, m.Expires, loc), loc)
	if len(m.Gateways) > 0 {
		line("gateways", l.List(m.Gateways))
	}
	part("quorum")
	signed := strings.TrimPrefix(locales.In(int(l)).Form("council.page.sign", v.needed), "council.page.")
	line(signed, v.needed, v.members, m.asked(l, v))
}

// quorumsSince is the first format whose page says in words which quorums are asked for.
const quorumsSince = 7

// asked are the quorums that a motion needs, as a page says them.
func (m *Motion) asked(l explain.Lang, v vote) string {
	if m.format() < quorumsSince {
		return v.quorums()
	}
	return Asked(l, v.needs)
}

// Asked are quorums in words, each with its key in the charter.
func Asked(l explain.Lang, needs []diff.Quorum) string {
	names := make([]string, len(needs))
	for i, q := range needs {
		names[i] = say(l, "quorum."+string(q))
	}
	return l.List(names)
}

func or(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// summaries are the decisions that are touched, in a few lines each.
func (m *Motion) summaries(b *strings.Builder, l explain.Lang, v vote) {
	var more, rest []string
	shown := 0
	for i := range v.next.Decisions {
		d := &v.next.Decisions[i]
		read, _ := v.touched(d.Decision)
		switch {
		case !read:
			rest = append(rest, d.Decision)
		case shown == pageDecisions:
			more = append(more, d.Decision)
		default:
			shown++
			for n, line := range explain.Summary(l, v.next, d, m.format()) {
				b.WriteString(or(n == 0, "* ", "  ") + line + "\n")
			}
		}
	}
	line := func(key string, args ...any) {
		b.WriteString(explain.Plain(say(l, "page."+key, args...)) + "\n")
	}
	if len(more) > 0 {
		line("also", l.List(more))
	}
	if len(rest) > 0 {
		line("unsaid", l.List(rest))
	}
	if len(v.next.Decisions) == 0 {
		line("no-decision")
	}
	if v.before == nil {
		line("founding", len(v.next.Council.Members), len(v.next.Kinds), len(v.next.Zones.IDs()))
	}
}

// digests are shortened on a page; the annex has them whole.
var digests = pattern.New(`((?:SHA|sha)256:[A-Za-z0-9+/]{8})[A-Za-z0-9+/]+`)

// highlights are the changes, the weaker ones first, as far as there is room; of a
// first motion those that are neither weaker nor stronger are in the annex only.
func (m *Motion) highlights(b *strings.Builder, l explain.Lang, v vote) {
	var list []diff.Change
	for _, c := range v.changes {
		if v.before != nil || c.Mark != diff.Neutral {
			list = append(list, c)
		}
	}
	shown := list[:min(len(list), pageChanges)]
	for _, c := range shown {
		b.WriteString(digests.ReplaceAllString(bullet(l, c), "$1…"))
	}
	if len(list) == 0 {
		b.WriteString(say(l, "motion.none") + "\n")
	}
	if left := list[len(shown):]; len(left) > 0 {
		weaker := 0
		for _, c := range left {
			if c.Mark == diff.Weaker {
				weaker++
			}
		}
		b.WriteString(say(l, "page.more", len(left), weaker) + "\n")
	}
	b.WriteString("(" + say(l, "motion.legend") + ")\n")
}

// moment is an instant in words: 10 December 2026, 00:00.
func moment(l explain.Lang, t time.Time, loc *time.Location) string {
	y, m, d := t.In(loc).Date()
	return l.Date(civil.Date{Year: y, Month: int(m), Day: d}) + ", " + t.In(loc).Format("15:04")
}
