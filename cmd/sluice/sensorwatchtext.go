package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"sluice/gateway/admin"
)

// Terminals: where the cursor goes before a page is written anew, and what is behind it goes.
const (
	home      = "\x1b[H"
	eraseLine = "\x1b[K"
	eraseRest = "\x1b[J"
)

// screenLines is how many lines of sensors a terminal shows, the smallest of which have 24: those that
// need somebody first.
const screenLines = 18

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// printer returns what prints each look: all of it in place on a terminal; elsewhere all of it the
// first time, and then what is another line than before.
func printer(once, terminal bool) func(io.Writer, *admin.Sensors, time.Time) error {
	before := make(map[string]bool)
	first := true
	return func(w io.Writer, seen *admin.Sensors, now time.Time) error {
		var page bytes.Buffer
		list := slices.Clone(seen.Sensors)
		if terminal && !once {
			slices.SortStableFunc(list, func(a, b admin.Sensor) int { return cmp.Compare(rank(&b), rank(&a)) })
			list = fitting(list)
		}
		if first || terminal && !once {
			heading(&page, seen)
		}
		lines := make(map[string]bool)
		for i := range list {
			row := rows(&list[i], now, !terminal && !once)
			if lines[row] = true; terminal || once || !before[row] {
				page.WriteString(row)
			}
		}
		if more := len(seen.Sensors) - len(list); more > 0 {
			fmt.Fprintf(&page, "and %s; name some to see them\n", counted(more, "sensor more", "sensors more"))
		}
		if first || terminal && !once {
			groups(&page, seen)
		}
		first, before = false, lines
		text := page.String()
		if terminal && !once {
			text = home + strings.ReplaceAll(text, "\n", eraseLine+"\n") + eraseRest
		}
		_, err := io.WriteString(w, text)
		return err
	}
}

// fitting are as many sensors, with their codes, as a terminal shows.
func fitting(list []admin.Sensor) []admin.Sensor {
	lines := 0
	for i := range list {
		if lines += 1 + len(list[i].Codes); lines > screenLines && i > 0 {
			return list[:i]
		}
	}
	return list
}

// rank says how much a sensor needs somebody: what is wrong with it first, then silence.
func rank(s *admin.Sensor) int {
	switch {
	case len(s.Codes) > 0:
		return 2
	case s.Alive != nil && !*s.Alive:
		return 1
	}
	return 0
}

func heading(w io.Writer, seen *admin.Sensors) {
	fmt.Fprintf(w, "Counts since %s.", seen.Since.Format(time.DateTime+" MST"))
	if !seen.Until.IsZero() {
		fmt.Fprintf(w, " About people: codes from %s to %s, as 1, 10 or 100.", seen.From.UTC().Format(time.TimeOnly),
			seen.Until.UTC().Format(time.TimeOnly+" MST"))
	}
	fmt.Fprintf(w, "\n%-24s %-16s %-16s %-7s %-20s %8s %10s\n", "sensor", "kind", "zone", "alive", "last heard",
		"a minute", "counted")
}

// rows are a sensor's line, and one for each of its codes. An instant instead of an age makes a
// line that changes only when something came.
func rows(s *admin.Sensor, now time.Time, instants bool) string {
	heard, rate, counted := "(about people)", "", ""
	switch {
	case s.Undecided:
		heard = "(no decision)"
	case !s.People:
		switch {
		case s.Heard.IsZero():
			heard = "never"
		case instants:
			heard = s.Heard.UTC().Format(time.TimeOnly + " MST")
		default:
			heard = fmt.Sprintf("%s ago", max(0, now.Sub(s.Heard)).Truncate(time.Second))
		}
		rate, counted = fmt.Sprintf("%.1f", *s.PerMinute), fmt.Sprint(*s.Readings)
	}
	alive := "-"
	if s.Alive != nil {
		alive = map[bool]string{true: "yes", false: "no"}[*s.Alive]
	}
	var b strings.Builder
	line := fmt.Sprintf("%-24s %-16s %-16s %-7s %-20s %8s %10s", s.ID, s.Kind, s.Zone, alive, heard, rate, counted)
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	for _, c := range s.Codes {
		fmt.Fprintf(&b, "  %s %-20s %6d  %s\n", c.Code, c.Pointer, c.Count, c.Fix)
	}
	return b.String()
}

func groups(w io.Writer, seen *admin.Sensors) {
	for _, g := range seen.Groups {
		if g.Known {
			fmt.Fprintf(w, "%s of kind %s in %s: each stands for somebody, so they are only counted\n",
				counted(g.Sensors, "sensor", "sensors"), g.Kind, g.Zone)
			continue
		}
		fmt.Fprintf(w, "%s of kind %s in %s: the policy in force does not know that kind, so nothing of them is kept\n",
			counted(g.Sensors, "sensor", "sensors"), g.Kind, g.Zone)
	}
}
