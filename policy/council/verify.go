package council

import (
	"bytes"
	"slices"
	"time"

	"sluice/policy/ballot"
	"sluice/policy/bundle"
	"sluice/policy/decision"
)

// Verifier holds what a gateway knows by itself; a motion can change none of it.
type Verifier struct {
	// Previous is the last motion of the chain, or nil.
	Previous *Enacted
	// Pin is the SHA-256, in hex, of the first roster's council.yaml.
	Pin string
	// Gateway is the name of who asks; empty to ask for none.
	Gateway string
	// Now is the time by which effect and expiry are judged; zero to leave them aside,
	// as when an old motion is looked at again. Terms of office are judged by the day
	// on which the motion was made: a vote stays one when its member leaves.
	Now time.Time
	// Taste reads a bundle where it can do no harm, and says whether it could be read;
	// nil to read it here at once.
	Taste func(packed []byte) error
}

// Verify takes a motion file apart and says what it enacts, or why it is refused.
// Nothing is parsed before it is known to be the council's: first the head, which
// is some lines; then the ballots, over the exact bytes of motion.txt, by the
// roster in force or the pinned one; then the bundle's digest; then the bundle.
//
// Two refusals come last: everything else about the motion is right then, and it
// is returned with them. NotYet says that its time has not come, and OtherGateway
// that it is in force elsewhere: the chain goes on from it, the policy here stays.
func (v Verifier) Verify(file []byte) (*Enacted, error) {
	parts, err := ReadFile(file)
	if err != nil {
		return nil, err
	}
	return v.VerifyParts(parts)
}

// VerifyParts is Verify for the parts of a motion.
func (v Verifier) VerifyParts(parts Parts) (e *Enacted, err error) {
	defer func() {
		if recover() != nil {
			e, err = nil,
				refuse(BadPolicy,
					"this program cannot read it; say so to who made the program, and make the motion anew")
		}
	}()
	e, voters, err := v.head(parts)
	if err != nil {
		return nil, err
	}
	e.Needed = v.least(voters)
	if err := v.ballots(e, voters, parts, true); err != nil {
		return nil, err
	}
	if err := v.policy(e); err != nil {
		return nil, err
	}
	if err := v.inOffice(e, voters); err != nil {
		return nil, err
	}
	if err := e.enough(); err != nil {
		return nil, err
	}
	if err := v.timely(e); err != nil {
		return e, err
	}
	return e, v.here(&e.Motion)
}

// head reads the head of motion.txt and finds out who votes.
func (v Verifier) head(parts Parts) (*Enacted, *decision.Council, error) {
	e := &Enacted{Text: parts[TextName], Packed: parts[BundleName], Signers: parts[SignersName],
		Hash: Sum(parts[TextName])}
	var err error
	if e.Motion, err = ParseMotion(e.Text); err != nil {
		return nil, nil, refuse(OtherText, "%w", err)
	}
	if err := v.follows(&e.Motion); err != nil {
		return nil, nil, err
	}
	voters, err := v.voters(e)
	return e, voters, err
}

// policy reads the bundle, which the ballots vouch for, and sees that the text says
// what it does.
func (v Verifier) policy(e *Enacted) error {
	if Sum(e.Packed) != e.Bundle {
		return refuse(WrongDigest, "bundle.tar.gz is not the one that motion.txt names")
	}
	if v.Taste != nil {
		if err := v.Taste(e.Packed); err != nil {
			return refuse(BadPolicy, "%w", err)
		}
	}
	var err error
	if e.Policy, err = bundle.ReadOPA(e.Packed); err != nil {
		return refuse(BadPolicy, "%w", err)
	}
	if v.Previous == nil && Sum(e.Policy.Files["council.yaml"]) != v.Pin {
		return refuse(OtherRoster,
			"the first motion must bring the roster whose hash this gateway has pinned (policy: roster)")
	}
	if e.City != e.Policy.Charter.City.ID {
		return refuse(OtherCity, "the motion's city is not its charter's")
	}
	return v.text(e)
}

// Reopen reads a motion that was verified before and kept where nobody else
// writes. Digests and signatures are looked at again; the text is not rebuilt,
// since a later version of this program may word it otherwise.
func Reopen(file []byte, previous *Enacted) (*Enacted, error) {
	parts, err := ReadFile(file)
	if err != nil {
		return nil, err
	}
	v := Verifier{Previous: previous}
	e := &Enacted{Text: parts[TextName], Packed: parts[BundleName], Signers: parts[SignersName],
		Hash: Sum(parts[TextName])}
	if e.Motion, err = ParseMotion(e.Text); err != nil {
		return nil, refuse(OtherText, "%w", err)
	}
	if Sum(e.Packed) != e.Bundle {
		return nil, refuse(WrongDigest, "bundle.tar.gz is not the one that motion.txt names")
	}
	if e.Policy, err = bundle.ReopenOPA(e.Packed); err != nil {
		return nil, refuse(BadPolicy, "%w", err)
	}
	e.compare(previous)
	e.Needed = 1
	voters := e.Policy.Council
	if previous != nil {
		voters = previous.Policy.Council
	}
	if err := v.ballots(e, voters, parts, false); err != nil {
		return nil, err
	}
	return e, v.inOffice(e, voters)
}

// prev is the policy in force, or nil.
func (v Verifier) prev() *bundle.Policy {
	if v.Previous == nil {
		return nil
	}
	return v.Previous.Policy
}

// follows: the motion comes right after the last one of the chain.
func (v Verifier) follows(m *Motion) error {
	last, hash := 0, ""
	if v.Previous != nil {
		last, hash = v.Previous.Version, v.Previous.Hash
	}
	switch {
	case v.Previous != nil && m.City != v.Previous.City:
		return refuse(OtherCity, "the motion is for another city")
	case m.Version <= last:
		return refuse(OldVersion, "version %d is not greater than %d, which is in force; old policies cannot come back",
			m.Version, last)
	case m.Version != last+1:
		return refuse(Gap, "version %d does not follow version %d; the motions between them come first", m.Version,
			last)
	case m.Previous != hash:
		return refuse(Gap, "the motion follows another one than that in force; create it anew")
	case v.Previous != nil && m.Format < v.Previous.Format: // whatever can read that one writes its format
		return refuse(OtherText,
			"the motion is in format %d, and the one in force in format %d; create it anew with the present sluice",
			m.Format, v.Previous.Format)
	case v.Previous != nil && m.Created.Before(v.Previous.Created):
		return refuse(Gap, "the motion says that it was made before the one in force; create it anew")
	}
	return nil
}

// here: the motion is meant for this gateway.
func (v Verifier) here(m *Motion) error {
	if v.Gateway != "" && !m.For(v.Gateway) {
		return refuse(OtherGateway, "the motion is for other gateways")
	}
	return nil
}

// voters is the roster that votes: the one in force, or the pinned one at first,
// which is the only file of the bundle that is read before the ballots.
func (v Verifier) voters(e *Enacted) (*decision.Council, error) {
	if v.Previous != nil {
		if e.Roster != Sum(v.Previous.Policy.Files["council.yaml"]) {
			return nil, refuse(OtherRoster, "the motion was not put to the roster in force")
		}
		return v.Previous.Policy.Council, nil
	}
	if v.Pin == "" || e.Roster != v.Pin {
		return nil, refuse(OtherRoster,
			"the first motion must bring the roster whose hash this gateway has pinned (policy: roster)")
	}
	raw, err := bundle.Roster(e.Packed)
	if err != nil {
		return nil, refuse(BadPolicy, "%w", err)
	}
	if Sum(raw) != v.Pin {
		return nil, refuse(OtherRoster,
			"the first motion must bring the roster whose hash this gateway has pinned (policy: roster)")
	}
	voters, err := decision.ParseCouncil("council.yaml", raw)
	if err != nil {
		return nil, refuse(BadPolicy, "%w", err)
	}
	return voters, nil
}

// least is how many members must have signed whatever a motion does: fewer, and
// its bundle is not looked at.
func (v Verifier) least(voters *decision.Council) int {
	if v.Previous == nil {
		return len(voters.Members)/2 + 1
	}
	q := v.Previous.Policy.Charter.Quorums
	return max(1, min(q.Enact, q.Weaken, q.Charter, q.Roster, q.Suspend))
}

// text rebuilds motion.txt.
func (v Verifier) text(e *Enacted) error {
	again, err := e.Motion.Text(v.Previous, e.Policy)
	if err != nil {
		return refuse(BadPolicy, "%w", err)
	}
	if !bytes.Equal(again, e.Text) {
		return refuse(OtherText, "motion.txt is not the text of this bundle; a different version of sluice, or a "+
			"different text, was put to the vote")
	}
	e.compare(v.Previous)
	e.Needed, _ = Quorum(v.prev(), e.Policy, e.Changes)
	notice := Notice(v.prev(), e.Policy, e.Changes)
	if e.NotBefore.Before(effect(e.Created, notice, v.location(e))) {
		return refuse(ShortNotice,
			"the motion takes effect sooner than %d days after it was made, and something gets weaker or ends", notice)
	}
	return e.check()
}

// location is the time zone of the policy in force: a motion does not bring its own.
func (v Verifier) location(e *Enacted) *time.Location {
	if v.Previous != nil {
		return v.Previous.Policy.Location
	}
	return e.Policy.Location
}

// ballots verifies every ballot that is there; strict says that each must be in the
// one form.
func (v Verifier) ballots(e *Enacted, voters *decision.Council, parts Parts, strict bool) error {
	if !bytes.Equal(e.Signers, signers(voters, e.City)) {
		return refuse(WrongParts, "allowed_signers is not the roster in force")
	}
	r, names := newRoster(voters), parts.ballots()
	if err := r.once(names, parts); err != nil {
		return err
	}
	for _, name := range names {
		b, err := r.one(name, parts[BallotsName+name+".sig"], e)
		if err == nil && strict && !b.tidy() {
			err = refuse(BadSignature,
				"ballots/%s.sig is not in the one form that gateways take; make the file anew with sluice motion enact",
				name)
		}
		if err != nil {
			return err
		}
		e.Ballots = append(e.Ballots, b)
	}
	slices.SortStableFunc(e.Ballots, func(a, b Ballot) int { return r.rank(a.Member) - r.rank(b.Member) })
	if err := v.statements(e, r, parts, strict); err != nil {
		return err
	}
	if v.Previous != nil { // the first motion's time zone is in its bundle
		if err := v.inOffice(e, voters); err != nil {
			return err
		}
	}
	return e.enough()
}

// inOffice: everybody who signed was in office on the day that the motion was made.
func (v Verifier) inOffice(e *Enacted, voters *decision.Council) error {
	file := make(map[string]string)
	for _, b := range e.Ballots {
		file[b.Member] = b.Member + ".sig"
	}
	for _, s := range e.Statements {
		file[s.Member] = s.Member + statedSig
	}
	for i := range voters.Members {
		if m := &voters.Members[i]; file[m.ID] != "" && !inOffice(m, e.Created, v.location(e)) {
			return refuse(NotInOffice, "ballots/%s: %s was not in office on %s, when the motion was made", file[m.ID],
				m.ID, e.Created.In(v.location(e)).Format(time.DateOnly))
		}
	}
	return nil
}

// enough counts members, not ballots.
func (e *Enacted) enough() error {
	members := make(map[string]bool)
	for _, b := range e.Ballots {
		members[b.Member] = true
	}
	if len(members) < e.Needed {
		return Few(len(members), e.Needed)
	}
	return nil
}

// Few is the refusal of a motion that too few members have signed.
func Few(signed, needed int) error {
	if signed == 1 {
		return refuse(TooFew, "1 member has signed; %d are needed", needed)
	}
	return refuse(TooFew, "%d members have signed; %d are needed", signed, needed)
}

// once refuses two ballots of one member, with one key or two.
func (r *roster) once(names []string, parts Parts) error {
	seen := make(map[string]string)
	for _, name := range names {
		sig, err := ballot.Parse(parts[BallotsName+name+".sig"])
		if err != nil {
			continue // said where it is verified
		}
		h := r.keys[sig.Key]
		if h.member == nil {
			continue
		}
		if other, twice := seen[h.member.ID]; twice {
			return refuse(Twice,
				"ballots/%s.sig and ballots/%s.sig are both by %s; a quorum counts members, not signatures", other,
				name, h.member.ID)
		}
		seen[h.member.ID] = name
	}
	return nil
}

func (r *roster) rank(id string) int {
	return slices.IndexFunc(r.council.Members, func(m decision.Member) bool { return m.ID == id })
}

// timely: not too late and, last of all, not too early.
func (v Verifier) timely(e *Enacted) error {
	switch {
	case v.Now.IsZero():
		return nil
	case !v.Now.Before(e.Expires):
		return refuse(Expired, "the motion had to be enacted by %s; put it to the vote anew",
			e.Expires.Format(time.RFC3339))
	case v.Now.Before(e.NotBefore):
		return refuse(NotYet, "the motion takes effect at %s", e.NotBefore.Format(time.RFC3339))
	}
	return nil
}
