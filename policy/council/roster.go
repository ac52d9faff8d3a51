package council

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"sluice/internal/civil"
	"sluice/policy/ballot"
	"sluice/policy/decision"
)

// NamespaceOf is the namespace of members' signatures: ssh-keygen -Y sign -n NAMESPACE.
func NamespaceOf(city string) string { return "sluice-vote@" + city }

// holder is whose key it is.
type holder struct {
	member  *decision.Member // nil where a revoked key is nobody's any more
	revoked bool
}

// roster finds members by key.
type roster struct {
	council *decision.Council
	keys    map[ballot.Key]holder
}

func newRoster(c *decision.Council) *roster {
	r := &roster{c, make(map[ballot.Key]holder)}
	for i := range c.Members {
		for _, key := range c.Members[i].Keys {
			r.keys[key] = holder{member: &c.Members[i]}
		}
	}
	for _, key := range c.Revoked {
		h := r.keys[key]
		h.revoked = true
		r.keys[key] = h
	}
	return r
}

// inOffice reports whether the member may vote at t, by local days of loc.
func inOffice(m *decision.Member, t time.Time, loc *time.Location) bool {
	if m.From != (civil.Date{}) && t.Before(m.From.Start(loc)) {
		return false
	}
	return m.Until == (civil.Date{}) || t.Before(m.Until.End(loc))
}

// signers is the roster as ssh-keygen -Y verify wants it: one key a line.
func signers(c *decision.Council, city string) []byte {
	var b bytes.Buffer
	for _, m := range c.Members {
		for _, key := range m.Keys {
			if !slices.Contains(c.Revoked, key) {
				fmt.Fprintf(&b, "%s namespaces=\"%s\" %s\n", m.ID, NamespaceOf(city), key.Line())
			}
		}
	}
	return b.Bytes()
}

// Tidy brings what a member sent into the one form that gateways take; line ends
// and blanks that a mail has changed are restored. An error says that it is no SSH
// signature.
func Tidy(file []byte) ([]byte, error) {
	sig, err := ballot.Parse(bytes.TrimSpace(bytes.ReplaceAll(file, []byte("\r\n"), []byte("\n"))))
	if err != nil {
		return nil, err
	}
	return sig.File(), nil
}

// Who says whose signature a ballot is, whether or not it holds.
func Who(c *decision.Council, file []byte) (*decision.Member, error) {
	sig, err := ballot.Parse(file)
	if err != nil {
		return nil, err
	}
	h := newRoster(c).keys[sig.Key]
	switch {
	case h.member == nil && h.revoked:
		return nil, refuse(RevokedKey, "the key %s is revoked", sig.Key.Fingerprint())
	case h.member == nil:
		return nil, refuse(UnknownKey, "the key %s is nobody's in the roster in force", sig.Key.Fingerprint())
	}
	return h.member, nil
}

// tidy reports whether the ballot is in the one form.
func (b Ballot) tidy() bool {
	form, err := Tidy(b.Raw)
	return err == nil && bytes.Equal(form, b.Raw)
}

// one verifies one member's ballot over the motion's text.
func (r *roster) one(name string, file []byte, e *Enacted) (Ballot, error) {
	sig, err := ballot.Parse(file)
	if err != nil {
		return Ballot{}, refuse(BadSignature, "ballots/%s.sig: %w", name, err)
	}
	print := sig.Key.Fingerprint()
	h, known := r.keys[sig.Key]
	switch {
	case h.revoked:
		return Ballot{}, refuse(RevokedKey, "ballots/%s.sig: the key %s is revoked", name, print)
	case !known:
		return Ballot{}, refuse(UnknownKey, "ballots/%s.sig: the key %s is nobody's in the roster in force", name,
			print)
	case sig.Namespace != NamespaceOf(e.City):
		return Ballot{}, refuse(Namespace, "ballots/%s.sig: signed for another namespace; sign with -n %s", name,
			NamespaceOf(e.City))
	case h.member.ID != name:
		return Ballot{}, refuse(WrongParts, "ballots/%s.sig is signed by %s; each file has its member's name", name,
			h.member.ID)
	}
	if err := sig.Verify(e.Text, NamespaceOf(e.City)); err != nil {
		return Ballot{}, refuse(BadSignature, "ballots/%s.sig: the signature is not over this motion.txt; sign again",
			name)
	}
	return Ballot{Member: name, Name: h.member.Name, Fingerprint: print, Raw: file}, nil
}
