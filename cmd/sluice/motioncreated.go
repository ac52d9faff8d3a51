package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"sluice/policy/council"
	"sluice/policy/desk"
)

// created says what a new motion changes, who must sign it, and how.
func created(w io.Writer, d desk.Desk, m council.Motion) error {
	parts, _, err := d.Load(m.ID)
	if err != nil {
		return err
	}
	s, err := standing(d, parts)
	if err != nil {
		return wrong(err)
	}
	fmt.Fprintf(w, "%s, version %d, is put to the vote: %s\n\n", m.ID, m.Version, filepath.Join(d.Motion(m.ID), council.TextName))
	earliest, err := beside(w, d, m)
	if err != nil {
		return wrong(err)
	}
	for _, c := range s.Changes {
		fmt.Fprintf(w, "  %-8s  %s: %s\n", c.Mark, c.About, c.Words(0))
	}
	fmt.Fprintf(w, "\n%d of %d members must sign (%s). It takes effect at %s at the earliest, and gateways take it until %s.\n",
		s.Needed, len(s.Members), quorums(s.Needs), earliest.Format(time.RFC3339), m.Expires.Format(time.RFC3339))
	fmt.Fprintf(w, "\nEach member reads motion.txt and signs it:\n\n  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n %s motion.txt\n\n", council.NamespaceOf(m.City))
	fmt.Fprintf(w, "and sends back motion.txt.sig, which goes into %s under the member's name, e.g. %s.sig. Then:\n\n  sluice motion status %s\n  sluice motion enact %s\n",
		filepath.Join(d.Motion(m.ID), council.BallotsName), firstMember(s), m.ID, m.ID)
	return nil
}

// beside says what becomes of motions that were voted and wait for their time, and
// returns when this one can take effect at the earliest: not before those that it follows.
func beside(w io.Writer, d desk.Desk, m council.Motion) (earliest time.Time, err error) {
	earliest = m.NotBefore
	chain, err := d.Chain()
	if err != nil {
		return earliest, err
	}
	for _, e := range chain[len(desk.InForce(chain, m.Created)):] {
		when := e.NotBefore.In(e.Policy.Location).Format("2 January 2006, 15:04")
		if m.Version <= e.Version {
			fmt.Fprintf(w, "WARNING: motion %s was voted and waits until %s. When this one is enacted, %s is void: put it to the vote anew afterwards.\n\n", e.ID, when, e.ID)
		} else {
			fmt.Fprintf(w, "It follows motion %s, which was voted and waits until %s: gateways take it after that one.\n\n", e.ID, when)
			if e.NotBefore.After(earliest) {
				earliest = e.NotBefore
			}
		}
	}
	return earliest, nil
}
