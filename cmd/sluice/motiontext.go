package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/policy/council"
	"sluice/policy/diff"
	"sluice/policy/workspace"
)

// printCreated says what a new motion changes, who must sign it, and how, with times in
// the city's zone.
func printCreated(w io.Writer, v locale, d workspace.Dir, m council.Motion, loc *time.Location) error {
	parts, _, err := d.Load(m.ID)
	if err != nil {
		return failed(err)
	}
	s, err := countBallots(d, parts)
	if err != nil {
		return failed(err)
	}
	text := filepath.Join(d.Motion(m.ID), council.TextName)
	fmt.Fprintf(w, "%s\n\n", v.Say("%s, version %d, is put to the vote: %s", m.ID, m.Version, text))
	earliest, err := printPending(w, v, d, m)
	if err != nil {
		return failed(err)
	}
	showChanges(w, v, s.Changes)
	if len(s.Members) == 1 {
		fmt.Fprintf(w, "\n%s\n", v.Say("The only member must sign (%s).", quorums(s.Needs)))
	} else {
		fmt.Fprintf(w, "\n%s\n", v.Say("%d of %d members must sign (%s).", s.Needed, len(s.Members), quorums(s.Needs)))
	}
	if earliest.After(m.Created) {
		fmt.Fprintln(w, v.Say("It takes effect on %s at the earliest; gateways take it until %s.",
			v.moment(earliest, loc), v.moment(m.Expires, loc)))
	} else {
		fmt.Fprintln(w, v.Say("It takes effect as soon as it is enacted; gateways take it until %s.",
			v.moment(m.Expires, loc)))
	}
	fmt.Fprintf(w, "\n%s\n\n  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n %s motion.txt\n\n",
		v.Say("Each member reads motion.txt and signs it:"), council.NamespaceOf(m.City))
	fmt.Fprintf(w, "%s\n\n  sluice motion status %s%s\n  sluice motion enact %s%s\n",
		v.Say("and sends back motion.txt.sig, which goes into %s under the member's name, e.g. %s.sig. Then:",
			filepath.Join(d.Motion(m.ID), council.BallotsName), firstMember(s)),
		m.ID, d.Flag(), m.ID, d.Flag())
	return nil
}

// printPending prints what becomes of the motions that were voted and wait for their time. It
// returns the earliest instant at which this one can take effect: not before those it follows.
func printPending(w io.Writer, v locale, d workspace.Dir, m council.Motion) (earliest time.Time, err error) {
	earliest = m.NotBefore
	chain, err := d.Chain()
	if err != nil {
		return earliest, err
	}
	waiting := chain[len(workspace.InForce(chain, m.Created)):]
	for i, e := range waiting {
		when := v.moment(e.From, e.Policy.Location)
		switch {
		case m.Version <= e.Version:
			fmt.Fprintf(w, "%s\n\n", v.Say("WARNING: motion %s was voted and waits until %s. When this one is "+
				"enacted, %s is void: put it to the vote again afterwards.", e.ID, when, e.ID))
		case i == len(waiting)-1 || waiting[i+1].Version >= m.Version: // the others follow one another
			fmt.Fprintf(w, "%s\n\n", v.Say("It follows motion %s, which was voted and waits until %s: gateways take "+
				"it after that one.", e.ID, when))
			if e.From.After(earliest) {
				earliest = e.From
			}
		}
	}
	return earliest, nil
}

// memberPlaceholder stands in commands where the roster is empty.
const memberPlaceholder = "MEMBER"

func firstMember(s *council.Standing) string {
	if len(s.Members) == 0 {
		return memberPlaceholder
	}
	return s.Members[0].ID
}

// quorums are their names in the charter, which are the same in every language.
func quorums(list []diff.Quorum) string {
	out := make([]string, len(list))
	for i, q := range list {
		out[i] = string(q)
	}
	return strings.Join(out, ", ")
}

func countBallots(d workspace.Dir, parts council.Parts) (*council.Standing, error) {
	v, err := d.Verifier(parts)
	if err != nil {
		return nil, err
	}
	v.Now = time.Now()
	return v.Count(parts)
}

// maxChanges is how many changes a terminal is shown; what is weaker or stronger is
// always among them.
const maxChanges = 12

// showChanges lists what a motion changes, each with the quorum that it needs.
func showChanges(w io.Writer, v locale, changes []diff.Change) {
	shown := changes
	if n := len(changes); n > maxChanges {
		for n = maxChanges; n < len(changes) && changes[n].Mark != diff.Neutral; n++ { // they come first
		}
		shown = changes[:n]
	}
	for _, c := range shown {
		fmt.Fprintf(w, "  %-*s  %s: %s (%s)\n", markWidth(v), c.Mark.Word(v.Lang), c.About, c.Words(v.Lang), c.Needs)
	}
	if len(changes) == 0 {
		fmt.Fprintf(w, "  %s\n", v.Say("nothing changes"))
	}
	if left := len(changes) - len(shown); left > 0 {
		fmt.Fprintf(w, "  %s\n", v.Say("%d more neutral changes; motion.txt has all", left))
	}
}

// markWidth is the width of the longest mark.
func markWidth(v locale) int {
	n := 0
	for _, m := range []diff.Mark{diff.Neutral, diff.Stronger, diff.Weaker} {
		n = max(n, utf8.RuneCountInString(m.Word(v.Lang)))
	}
	return n
}
