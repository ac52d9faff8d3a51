// Package papers writes what goes with a motion, for people: one page and the text behind it, the
// letter that asks members to sign, the minutes of the vote, and a calendar of its days. Each is a
// function of the clerk's directory and of an instant, in one of the city's languages:
//
//	p, err := papers.Open("town/policy", "2027-quieter", time.Now())
//	html, err := p.Page(l)
//
// Pages are HTML files that need nothing else and print on A4; a browser makes PDF of them, with
// the headings and tables that a screen reader needs. Whatever documents and members say is escaped.
// A calendar is iCalendar (RFC 5545), and has the same events and identifiers each time.
package papers

import (
	"slices"
	"time"

	"sluice/policy/ballot"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/dpia"
	"sluice/policy/workspace"
)

// Papers is one motion and how the vote on it stands.
type Papers struct {
	council.Motion
	Text     []byte // motion.txt
	Policy   *bundle.Policy
	Standing *council.Standing
	// Problems are files among the ballots that are none, or are misnamed.
	Problems []error
	// Enacted is the motion where it is enacted; nil before.
	Enacted *council.Enacted
	// Fingerprints are of the keys of those who are for the motion, by member.
	Fingerprints map[string]string

	weakened []dpia.Due
	previous *council.Enacted
	now      time.Time
}

// Open reads a motion's directory and counts its ballots.
func Open(d workspace.Dir, id string, now time.Time) (*Papers, error) {
	parts, problems, err := d.Load(id)
	if err != nil {
		return nil, err
	}
	v, err := d.Verifier(parts)
	if err != nil {
		return nil, err
	}
	v.Now = now
	p := &Papers{Text: parts[council.TextName], Problems: problems, Fingerprints: make(map[string]string),
		previous: v.Previous, now: now}
	if p.Motion, err = council.ParseMotion(p.Text); err != nil {
		return nil, err
	}
	if p.Standing, err = v.Count(parts); err != nil {
		return nil, err
	}
	if p.Policy, err = bundle.ReopenOPA(parts[council.BundleName]); err != nil {
		return nil, err
	}
	var inForce *bundle.Policy
	if p.previous != nil {
		inForce = p.previous.Policy
	}
	p.weakened = dpia.Weakened(inForce, p.Policy, answers(d))
	for _, m := range p.Standing.Members {
		if sig, err := ballot.Parse(parts[council.BallotsName+m.ID+".sig"]); err == nil && m.Signed {
			p.Fingerprints[m.ID] = sig.Key.Fingerprint()
		}
	}
	chain, err := d.Chain()
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(chain, func(e *council.Enacted) bool { return e.Hash == council.Sum(p.Text) }); i >= 0 {
		p.Enacted = chain[i]
	}
	return p, nil
}

// location is the city's.
func (p *Papers) location() *time.Location {
	if p.previous != nil {
		return p.previous.Policy.Location
	}
	return p.Policy.Location
}

// Missing are the members who have signed nothing that counts, one way or the other.
func (p *Papers) Missing() (list []council.Voter) {
	for _, m := range p.Standing.Members {
		if !m.Signed && m.Statement == nil {
			list = append(list, m)
		}
	}
	return list
}

// Left is how many more members have to sign.
func (p *Papers) Left() int { return max(0, p.Standing.Needed-p.Standing.Signed) }

// Enactable reports whether the motion can be enacted.
func (p *Papers) Enactable() bool {
	problem := p.Standing.Problem
	return p.Left() == 0 && (problem == nil || council.CodeOf(problem) == council.NotYet)
}
