package council

import (
	"bytes"
	"slices"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/decision"
)

// Verifier holds what a gateway knows by itself; a motion can change none of it.
type Verifier struct {
	// Previous is the motion in force; nil for none.
	Previous *Enacted
	// Pin is the SHA-256, in hex, of the first roster's council.yaml.
	Pin string
	// Gateway is the name of who asks; empty to ask for none.
	Gateway string
	// Now is the time by which effect and expiry are judged; zero to leave them aside,
	// as when an old motion is looked at again. Terms of office are judged by the day
	// on which the motion was made: a vote stays one when its member leaves.
	Now time.Time
}

// Verify takes a motion file apart and says what it enacts, or why it is refused.
// A refusal for NotYet comes last: everything else about the motion is right then,
// and the motion is returned with it.
func (v Verifier) Verify(file []byte) (*Enacted, error) {
	parts, err := ReadFile(file)
	if err != nil {
		return nil, err
	}
	return v.VerifyParts(parts)
}

// VerifyParts is Verify for the parts of a motion.
func (v Verifier) VerifyParts(parts Parts) (*Enacted, error) {
	e, err := v.read(parts)
	if err != nil {
		return nil, err
	}
	if err := v.ballots(e, parts); err != nil {
		return nil, err
	}
	return e, v.timely(e)
}

// read verifies everything but ballots and time.
func (v Verifier) read(parts Parts) (*Enacted, error) {
	e := &Enacted{Text: parts[TextName], Packed: parts[BundleName], Signers: parts[SignersName], Hash: Sum(parts[TextName])}
	var err error
	if e.Motion, err = ParseMotion(e.Text); err != nil {
		return nil, refuse(OtherText, "%w", err)
	}
	if Sum(e.Packed) != e.Bundle {
		return nil, refuse(WrongDigest, "bundle.tar.gz is not the one that motion.txt names")
	}
	if err := v.follows(&e.Motion); err != nil {
		return nil, err
	}
	if e.Policy, err = bundle.ReadOPA(e.Packed); err != nil {
		return nil, refuse(BadPolicy, "%w", err)
	}
	if err := CheckRoster(e.Policy.Council); err != nil {
		return nil, refuse(BadPolicy, "%w", err)
	}
	if err := v.voted(e); err != nil {
		return nil, err
	}
	return e, v.text(e)
}

// Reopen reads a motion that was verified before and kept where nobody else
// writes. Digests and signatures are looked at again; the text is not made anew,
// since a later version of this program may word it otherwise.
func Reopen(file []byte, previous *Enacted) (*Enacted, error) {
	parts, err := ReadFile(file)
	if err != nil {
		return nil, err
	}
	v := Verifier{Previous: previous}
	e := &Enacted{Text: parts[TextName], Packed: parts[BundleName], Signers: parts[SignersName], Hash: Sum(parts[TextName])}
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
	return e, v.ballots(e, parts)
}

// prev is the policy in force; nil for none.
func (v Verifier) prev() *bundle.Policy {
	if v.Previous == nil {
		return nil
	}
	return v.Previous.Policy
}

// follows: the motion comes right after the one in force, and is meant for here.
func (v Verifier) follows(m *Motion) error {
	last, hash := 0, ""
	if v.Previous != nil {
		last, hash = v.Previous.Version, v.Previous.Hash
	}
	switch {
	case v.Previous != nil && m.City != v.Previous.City:
		return refuse(OtherCity, "the motion is for another city")
	case v.Gateway != "" && len(m.Gateways) > 0 && !slices.Contains(m.Gateways, v.Gateway):
		return refuse(OtherGateway, "the motion is for other gateways")
	case m.Version <= last:
		return refuse(OldVersion, "version %d is not greater than %d, which is in force; old policies cannot come back", m.Version, last)
	case m.Version != last+1:
		return refuse(Gap, "version %d does not follow version %d; the motions between them come first", m.Version, last)
	case m.Previous != hash:
		return refuse(Gap, "the motion follows another one than that in force; create it anew")
	case v.Previous != nil && m.Created.Before(v.Previous.Created):
		return refuse(Gap, "the motion says that it was made before the one in force; create it anew")
	}
	return nil
}

// voted: the roster that votes is the one in force, or the pinned one at first.
func (v Verifier) voted(e *Enacted) error {
	want := v.Pin
	if v.Previous != nil {
		want = Sum(v.Previous.Policy.Files["council.yaml"])
	} else if own := Sum(e.Policy.Files["council.yaml"]); want == "" || own != want {
		return refuse(OtherRoster, "the first motion must bring the roster whose hash this gateway has pinned (policy: roster)")
	}
	if e.Roster != want {
		return refuse(OtherRoster, "the motion was not put to the roster in force")
	}
	if e.City != e.Policy.Charter.City.ID {
		return refuse(OtherCity, "the motion's city is not its charter's")
	}
	return nil
}

// text makes motion.txt anew.
func (v Verifier) text(e *Enacted) error {
	again, err := e.Motion.Text(v.Previous, e.Policy)
	if err != nil {
		return refuse(BadPolicy, "%w", err)
	}
	if !bytes.Equal(again, e.Text) {
		return refuse(OtherText, "motion.txt is not the text of this bundle; a different version of sluice, or a different text, was put to the vote")
	}
	e.compare(v.Previous)
	e.Needed, _ = Quorum(v.prev(), e.Policy, e.Changes)
	notice := Notice(v.prev(), e.Policy, e.Changes)
	if e.NotBefore.Before(effect(e.Created, notice, v.location(e))) {
		return refuse(ShortNotice, "the motion takes effect sooner than %d days after it was made, and something gets weaker or ends", notice)
	}
	return e.Motion.check()
}

// location is the time zone of the policy in force: a motion does not bring its own.
func (v Verifier) location(e *Enacted) *time.Location {
	if v.Previous != nil {
		return v.Previous.Policy.Location
	}
	return e.Policy.Location
}

// voters is the roster that votes on a motion.
func (v Verifier) voters(e *Enacted) *decision.Council {
	if v.Previous != nil {
		return v.Previous.Policy.Council
	}
	return e.Policy.Council
}

func (v Verifier) ballots(e *Enacted, parts Parts) error {
	voters := v.voters(e)
	r, err := newRoster(voters)
	if err != nil {
		return refuse(BadPolicy, "%w", err)
	}
	if !bytes.Equal(e.Signers, signers(voters, e.City)) {
		return refuse(WrongParts, "allowed_signers is not the roster in force")
	}
	names := parts.ballots()
	if err := r.once(names, parts); err != nil {
		return err
	}
	for _, name := range names {
		b, err := r.one(name, parts[BallotsName+name+".sig"], e, v.location(e))
		if err != nil {
			return err
		}
		e.Ballots = append(e.Ballots, b)
	}
	slices.SortStableFunc(e.Ballots, func(a, b Ballot) int { return r.rank(a.Member) - r.rank(b.Member) })
	return e.enough()
}

// enough counts members, not ballots.
func (e *Enacted) enough() error {
	members := make(map[string]bool)
	for _, b := range e.Ballots {
		members[b.Member] = true
	}
	if len(members) < e.Needed {
		return refuse(TooFew, "%d members have signed; %d are needed", len(members), e.Needed)
	}
	return nil
}

// once refuses two ballots of one member, with one key or two.
func (r *roster) once(names []string, parts Parts) error {
	seen := make(map[string]string)
	for _, name := range names {
		sig, _, err := unarmor(parts[BallotsName+name+".sig"])
		if err != nil {
			continue // said where it is verified
		}
		h := r.keys[string(sig.PublicKey.Marshal())]
		if h.member == nil {
			continue
		}
		if other, twice := seen[h.member.ID]; twice {
			return refuse(Twice, "ballots/%s.sig and ballots/%s.sig are both by %s; a quorum counts members, not signatures", other, name, h.member.ID)
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
		return refuse(Expired, "the motion had to be enacted by %s; put it to the vote anew", e.Expires.Format(time.RFC3339))
	case v.Now.Before(e.NotBefore):
		return refuse(NotYet, "the motion takes effect at %s", e.NotBefore.Format(time.RFC3339))
	}
	return nil
}
