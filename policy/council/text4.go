package council

import (
	"fmt"
	"strings"

	"sluice/policy/diff"
	"sluice/policy/explain"
)

// text4 is the text of format 4: the head, then in each language every change and
// every decision that is touched.
func (m *Motion) text4(v vote) ([]byte, error) {
	var b strings.Builder
	b.WriteString(prefix + "4\n\n" + m.head(v))
	for _, l := range languages(v.next) {
		b.WriteString("\n" + underlined(say(l, "motion.language"), "=") + "\n")
		b.WriteString(say(l, "motion.intro", m.Version, explain.Plain(v.next.Charter.City.Name)) + "\n\n")
		if err := m.everything(&b, l, v); err != nil {
			return nil, err
		}
	}
	return []byte(b.String()), nil
}

// everything is each change, and each decision that is touched, whole.
func (m *Motion) everything(b *strings.Builder, l explain.Lang, v vote) error {
	b.WriteString(underlined(say(l, "motion.changes"), "-"))
	for _, c := range v.changes {
		b.WriteString(bullet(l, c))
	}
	if len(v.changes) == 0 {
		b.WriteString(say(l, "motion.none") + "\n")
	}
	b.WriteString("(" + say(l, "motion.legend") + ")\n\n")
	return m.decisions(b, l, v)
}

// bullet is one change as a line.
func bullet(l explain.Lang, c diff.Change) string {
	return fmt.Sprintf("* %s - %s - %s\n", c.Mark.Word(l), explain.Plain(c.About), c.Words(l))
}

// touched is whether a decision is to be read in whole, and whether with every key:
// a gateway that was passed over meets every decision for the first time.
func (v vote) touched(id string) (read, whole bool) {
	for _, c := range v.changes {
		about := c.About == diff.Name(id)
		read = read || about || c.Key == "gateways"
		whole = whole || about && c.Key == "added" || c.Key == "gateways"
	}
	return read, whole
}

// decisions are those that are touched, whole; the others are named.
func (m *Motion) decisions(b *strings.Builder, l explain.Lang, v vote) error {
	var rest []string
	for i := range v.next.Decisions {
		d := &v.next.Decisions[i]
		read, whole := v.touched(d.Decision)
		if !read {
			rest = append(rest, d.Decision)
			continue
		}
		text, err := explain.Decision(l, v.next, d, explain.Vote{Motion: m.ID, Format: m.Format})
		if err != nil {
			return err
		}
		b.WriteString(text)
		if whole {
			b.WriteString(underlined(say(l, "motion.whole"), "-"))
			b.WriteString(strings.Join(diff.Full(l, v.next, d), "\n") + "\n\n")
		}
	}
	if len(rest) > 0 {
		b.WriteString(say(l, "motion.unsaid", explain.Plain(l.List(rest))) + "\n")
	}
	return nil
}
