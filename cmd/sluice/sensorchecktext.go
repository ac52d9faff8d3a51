package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/gateway/ingest"
	"sluice/internal/names"
)

// maxShown is how many readings of a message, and mistakes, are shown one by one.
const maxShown = 10

// show prints the report for a person.
func (c *checked) show(w io.Writer) error {
	var b strings.Builder
	for _, f := range c.Entry {
		showFinding(&b, f)
	}
	for i := range c.Messages {
		c.Messages[i].show(&b)
	}
	for _, r := range c.Reasons {
		fmt.Fprintf(&b, "no decision: %s\n", visible(r))
	}
	if c.Perhaps != "" {
		fmt.Fprintf(&b, "Another preset reads more of this: did you mean --preset %s?\n", c.Perhaps)
	}
	fmt.Fprintf(&b, "%s, %s: ", counted(len(c.Messages), "message", "messages"),
		counted(c.Readings, "reading", "readings"))
	switch {
	case c.judged:
		fmt.Fprintf(&b, "%d would count.\n", c.Counting)
	default:
		fmt.Fprintf(&b, "%d would count if a decision wants it; --policy says which does.\n", c.Counting)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (m *checkedMessage) show(b *strings.Builder) {
	b.WriteString(visible(m.Sample))
	if m.Line > 0 {
		fmt.Fprintf(b, ", line %d", m.Line)
	}
	b.WriteString(": " + roles[m.Role] + "\n")
	if len(m.Readings) == 0 && m.Device.From != "" {
		fmt.Fprintf(b, "  device %s\n", whose(m.Device))
	}
	for i, r := range m.Readings {
		if i == maxShown {
			fmt.Fprintf(b, "  and %s; --json has them all\n",
				counted(len(m.Readings)-i, "reading more", "readings more"))
			break
		}
		showReading(b, r)
	}
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, k := range slices.SortedStableFunc(slices.Values(m.Keys), func(a, b ingest.TriedKey) int {
		return cmp.Compare(rankOf(a), rankOf(b))
	}) {
		field := k.Field
		if !k.There {
			field, k.Fate = field+" (not there)", "-"
		}
		at := strings.TrimSpace(visible(k.Pointer) + " " + visible(k.Name))
		if k.Pointer == "" && strings.HasPrefix(k.Name, "{") {
			at = "topic " + at
		}
		fmt.Fprintf(t, "    %s\t%s\t%s\t%s\n", at, visible(field), k.Fate, why(k))
	}
	_ = t.Flush()
	if m.More {
		b.WriteString("    and more keys\n")
	}
	for _, f := range m.Findings {
		showFinding(b, f)
	}
}

// roles are what messages are, for people.
var roles = map[string]string{
	"reading":   "a message with readings",
	"heartbeat": "a heartbeat",
	"ignore":    "known, and no reading",
	"birth":     "a birth, which has readings as well",
	"death":     "a death: the device is gone",
	"unknown":   "it cannot be read",
}

func showReading(b *strings.Builder, r ingest.TriedReading) {
	verdict := "is refused"
	switch {
	case r.Another:
		verdict = "is of another device"
	case r.Ignored:
		verdict = "is known, and no data"
	case r.Counts && len(r.Decisions) > 0:
		verdict = "counts by " + strings.Join(r.Decisions, ", ")
	case r.Counts:
		verdict = "can be read"
	}
	fmt.Fprintf(b, "  reading %d %s\n", r.Number, verdict)
	at := "cannot be read"
	if r.Instant != nil {
		at = r.Instant.Format(time.RFC3339Nano) + ", from " + visible(r.TimeFrom)
	}
	fmt.Fprintf(b, "    instant  %s\n", at)
	seq := "none"
	if r.SeqFrom != "" {
		seq = "cannot be read"
	}
	if r.Seq != nil {
		seq = fmt.Sprintf("%d, from %s", *r.Seq, cmp.Or(visible(r.SeqFrom), "its absence"))
	}
	fmt.Fprintf(b, "    seq      %s\n    boot     %s\n    device   %s\n", seq, cmp.Or(visible(r.BootFrom), "none"),
		whose(r.Device))
}

func whose(d ingest.Identity) string {
	switch d.From {
	case "topic":
		return visible(d.Value) + ", from the topic"
	case "message":
		return visible(d.Value) + ", from " + visible(d.Pointer)
	}
	return "the topic says whose it is; --topic shows it"
}

// rankOf orders keys: fields, then what is around them, then what is dropped.
func rankOf(k ingest.TriedKey) int {
	switch k.Use {
	case "field":
		return 0
	case "none", "known":
		return 2
	}
	return 1
}

// why says by what a key's fate is.
func why(k ingest.TriedKey) string {
	switch {
	case !k.There && k.Decision == "":
		return ""
	case k.Decision != "":
		return "decision " + k.Decision
	case k.Use == "field" && k.Fate == "dropped":
		return "no decision keeps it"
	case k.Use == "field":
		return "the kind has it; --policy says what becomes of it"
	case k.Use == "known":
		return "the profile calls it no data"
	case k.Lacking != "":
		return "the profile has it as " + k.Lacking + ", a field that the kind lacks"
	case k.Use == "none":
		return "nothing names it"
	}
	return "as " + k.Use
}

func showFinding(b *strings.Builder, f ingest.Finding) {
	b.WriteString("  " + f.Level)
	if f.Code != "" {
		b.WriteString(" " + f.Code)
	}
	if f.Line > 0 {
		fmt.Fprintf(b, ", line %d", f.Line)
	}
	if f.Pointer != "/*" {
		b.WriteString(" " + visible(f.Pointer))
	}
	fmt.Fprintf(b, ": %s", visible(f.Fix))
	if f.Count > 1 {
		fmt.Fprintf(b, " (%d times)", f.Count)
	}
	b.WriteString("\n")
}

// visible is a text of a sample as a terminal may show it.
func visible(s string) string {
	if len(s) > 300 {
		s = s[:300] + "..."
	}
	if names.Visible(s) {
		return s
	}
	return fmt.Sprintf("%+q", s)
}
