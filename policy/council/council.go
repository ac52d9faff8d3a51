// Package council is the vote: which exact text a motion puts to the council,
// who signed it, whether that is enough, and the one file that carries it to the
// gateways. Members sign with stock OpenSSH; nothing here holds a private key.
//
// A motion file, ID.sluice, is a tar archive of
//
//	motion.txt          what is voted on, and what members sign
//	bundle.tar.gz       the policy: an OPA bundle (data.json, rules) with the documents
//	allowed_signers     the roster, for ssh-keygen -Y verify
//	ballots/MEMBER.sig  one signature a member, by ssh-keygen -Y sign -n sluice-vote@CITY
//	ballots/MEMBER.txt  instead, what a member signed who is against it or abstains, and why
//	                    (ballot.Statement), and MEMBER.txt.sig, by -n sluice-ballot@CITY;
//	                    or besides, why a member is for it
//
// Only the first sort counts to the quorum; the other is part of the record. A file with both of
// one member is refused, since nobody but the member can say which of the two holds; so is a reason
// for a vote without that vote.
//
// motion.txt is UTF-8 text: a first line with the format; for each of the city's
// languages a page in plain words (what is decided, from when, how many must sign,
// how); for each the annexes with every change and every decision whole; the roster
// of a first motion; and last the head, one line each:
//
//	Sluice motion, format 7
//	...
//	City: portalba
//	Motion: 2026-footfall
//	Version: 2
//	Previous motion: sha256:2f...   (none for the first)
//	Bundle: sha256:91...
//	Voting roster: sha256:07...     (council.yaml of the policy in force)
//	Gateways: all                   (or their names)
//	Created: 2026-11-24T10:00:00Z
//	In force from: 2026-12-08T00:00:00Z
//	To be enacted by: 2027-02-22T00:00:00Z
//	Quorum: 4 of 7 members (enact)
//
// Until format 4 the head followed the first line, and there was no page. Texts of
// format 4 can be rebuilt; earlier ones can only be read.
//
// The whole text is a function of its head, the bundle and the motions before it.
// A gateway rebuilds it and refuses any difference, so what members signed is
// what the bundle does. Every part has one byte form only: each byte of a motion
// file is either right or the file is refused.
//
// Sources: PROTOCOL.sshsig and ssh-keygen(1) of OpenSSH, POSIX.1-1988 ustar, OPA
// bundles (openpolicyagent.org/docs/management-bundles).
package council

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/diff"
)

// Code is why a motion is refused: a closed list, in docs/policy.md.
type Code string

// The codes.
const (
	NotAFile     Code = "V01" // not a motion file: damaged, too large
	WrongParts   Code = "V02" // a part is missing, added, renamed, or no plain file
	WrongDigest  Code = "V03" // the bundle is not the one that was voted on
	TooFew       Code = "V04" // unsigned, or by too few members
	BadSignature Code = "V05" // a signature is not over this text
	UnknownKey   Code = "V06" // a key of nobody in the roster in force
	Twice        Code = "V07" // one member signed twice
	RevokedKey   Code = "V08"
	NotInOffice  Code = "V09" // the member's time has not come, or is over
	Namespace    Code = "V10" // signed for something else
	OtherCity    Code = "V11"
	OldVersion   Code = "V12" // not greater than the version in force
	Expired      Code = "V13"
	NotYet       Code = "V14" // its time has not come; it is tried again
	OtherText    Code = "V15" // the text is not the text of this bundle
	OtherRoster  Code = "V16" // not voted by the roster in force, or not the pinned one
	OtherGateway Code = "V17"
	Gap          Code = "V18" // it does not follow the motion in force
	ShortNotice  Code = "V19" // it takes effect sooner than the charter's notice
	BadPolicy    Code = "V20" // the policy in it cannot be read
)

// Refusal is why a motion is refused.
type Refusal struct {
	Code Code
	Err  error
}

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// CodeOf is the code of a refusal; NotAFile for any other error.
func CodeOf(err error) Code {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return NotAFile
}

func refuse(code Code, format string, args ...any) error {
	return &Refusal{code, fmt.Errorf(format, args...)}
}

// Motion is the head of motion.txt.
type Motion struct {
	// Format is that of the text; 0 for the newest.
	Format   int
	City, ID string
	Version  int
	// Previous, Bundle and Roster are SHA-256 in hex; Previous is empty for the
	// first motion.
	Previous, Bundle, Roster string
	// Gateways are the names of those it is for; none for all.
	Gateways []string
	// Created is when it was written; it takes effect at NotBefore, and gateways
	// take it until Expires. Whole seconds, UTC.
	Created, NotBefore, Expires time.Time
}

// For reports whether a gateway takes the motion's policy.
func (m *Motion) For(gateway string) bool {
	return len(m.Gateways) == 0 || slices.Contains(m.Gateways, gateway)
}

// Ballot is one member's verified signature.
type Ballot struct {
	Member, Name string
	// Fingerprint is the key's, as ssh-keygen -l shows it: SHA256:...
	Fingerprint string
	Raw         []byte
}

// Enacted is a motion that was verified.
type Enacted struct {
	Motion
	// Hash is the SHA-256 of Text, in hex: what the next motion calls Previous.
	Hash    string
	Text    []byte
	Packed  []byte // bundle.tar.gz
	Signers []byte // allowed_signers
	Ballots []Ballot
	// Statements are the ballots that are not for the motion, and the reasons of those that are, in the
	// roster's order.
	Statements []Statement
	Policy     *bundle.Policy
	Changes    []diff.Change
	// After is what the next motion is compared with.
	After diff.Before
	// Needed is how many members had to sign.
	Needed int
	// From is when it takes effect if it is enacted by then: at NotBefore, and not before
	// the motion that it follows.
	From time.Time
}

// Members are the names of those who signed, in the roster's order.
func (e *Enacted) Members() []string {
	out := make([]string, len(e.Ballots))
	for i, b := range e.Ballots {
		out[i] = b.Name
	}
	return out
}

// Quorum is how many members must sign and which of the charter's quorums ask
// for it. A first motion brings its own charter, so that a majority of the
// roster is asked for as well.
func Quorum(prev, next *bundle.Policy, changes []diff.Change) (int, []diff.Quorum) {
	charter := next.Charter
	needs := diff.Needs(changes)
	if len(needs) == 0 {
		needs = []diff.Quorum{diff.Enact}
	}
	n := 1
	if prev != nil {
		charter = prev.Charter
	} else {
		n = len(next.Council.Members)/2 + 1
	}
	for _, q := range needs {
		n = max(n, q.Of(charter))
	}
	return n, needs
}

// Most is the greatest of a charter's quorums: with fewer members nobody could ever change a policy.
func Most(c *decision.Charter) int {
	n := 1
	for _, q := range []diff.Quorum{diff.Enact, diff.Weaken, diff.Charter, diff.Roster, diff.Suspend} {
		n = max(n, q.Of(c))
	}
	return n
}

// Notice is how many days must lie between a motion's making and its effect: the
// charter's notice where something gets weaker or a public series ends, else none.
func Notice(prev, next *bundle.Policy, changes []diff.Change) int {
	if !diff.TakesNotice(changes) {
		return 0
	}
	if prev != nil {
		return prev.Charter.NoticeDays
	}
	return next.Charter.NoticeDays
}
