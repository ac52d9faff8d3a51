package council

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"sluice/policy/decision"
)

// NamespaceOf is what members sign for: ssh-keygen -Y sign -n NAMESPACE.
func NamespaceOf(city string) string { return "sluice-vote@" + city }

// holder is whose key it is.
type holder struct {
	member  *decision.Member
	revoked bool
}

// roster finds members by key.
type roster struct {
	council *decision.Council
	keys    map[string]holder // by the key's wire form
}

// ParseKey reads one line such as ssh-ed25519 AAAA... comment.
func ParseKey(line string) (ssh.PublicKey, error) {
	key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("not a public key; paste the line of id_ed25519.pub")
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256:
		return key, nil
	case ssh.KeyAlgoRSA:
		if c, ok := key.(ssh.CryptoPublicKey); ok {
			if k, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() >= 3072 {
				return key, nil
			}
		}
		return nil, errors.New("an RSA key of fewer than 3072 bits; make an ed25519 key: ssh-keygen -t ed25519")
	}
	return nil, errors.New("a kind of key that is not used here; make an ed25519 key: ssh-keygen -t ed25519")
}

func newRoster(c *decision.Council) (*roster, error) {
	r := &roster{c, make(map[string]holder)}
	for i := range c.Members {
		m := &c.Members[i]
		for _, line := range m.Keys {
			key, err := ParseKey(line)
			if err != nil {
				return nil, fmt.Errorf("council.yaml: member %s: %w", m.ID, err)
			}
			if other, taken := r.keys[string(key.Marshal())]; taken {
				return nil, fmt.Errorf("council.yaml: members %s and %s have the same key", other.member.ID, m.ID)
			}
			r.keys[string(key.Marshal())] = holder{member: m}
		}
	}
	for _, line := range c.Revoked {
		key, err := ParseKey(line)
		if err != nil {
			return nil, fmt.Errorf("council.yaml: revoked: %w", err)
		}
		h := r.keys[string(key.Marshal())]
		h.revoked = true
		r.keys[string(key.Marshal())] = h
	}
	return r, nil
}

// CheckRoster reports what is wrong with a roster's keys.
func CheckRoster(c *decision.Council) error {
	_, err := newRoster(c)
	return err
}

// inOffice reports whether the member may vote at t, by local days of loc.
func inOffice(m *decision.Member, t time.Time, loc *time.Location) bool {
	if m.From != (decision.Date{}) && t.Before(m.From.Start(loc)) {
		return false
	}
	return m.Until == (decision.Date{}) || t.Before(m.Until.End(loc))
}

// signers is the roster as ssh-keygen -Y verify wants it: one key a line.
func signers(c *decision.Council, city string) []byte {
	var b bytes.Buffer
	for _, m := range c.Members {
		for _, line := range m.Keys {
			fields := strings.Fields(line)
			if len(fields) < 2 || slices.ContainsFunc(c.Revoked, func(r string) bool { return slices.Contains(strings.Fields(r), fields[1]) }) {
				continue
			}
			fmt.Fprintf(&b, "%s namespaces=\"%s\" %s %s\n", m.ID, NamespaceOf(city), fields[0], fields[1])
		}
	}
	return b.Bytes()
}

// Armor is a signature as ssh-keygen writes it, and the only form that gateways
// take: lines of 70 characters, a line feed at the end.
func Armor(raw []byte) []byte {
	var b bytes.Buffer
	b.WriteString("-----BEGIN " + sshsig.PEMType + "-----\n")
	text := base64.StdEncoding.EncodeToString(raw)
	for len(text) > 0 {
		n := min(70, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	b.WriteString("-----END " + sshsig.PEMType + "-----\n")
	return b.Bytes()
}

// Tidy brings what a member sent into the one form; an error says that it is no
// SSH signature.
func Tidy(ballot []byte) ([]byte, error) {
	sig, raw, err := unarmor(ballot)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(sig.Marshal(), raw) {
		return nil, errors.New("not a signature as ssh-keygen -Y sign writes it")
	}
	return Armor(raw), nil
}

func unarmor(ballot []byte) (*sshsig.Signature, []byte, error) {
	block, rest := pem.Decode(bytes.TrimSpace(bytes.ReplaceAll(ballot, []byte("\r\n"), []byte("\n"))))
	if block == nil || block.Type != sshsig.PEMType || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return nil, nil, errors.New("not an SSH signature; make it with ssh-keygen -Y sign")
	}
	sig, err := sshsig.ParseSignature(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("not an SSH signature: %w", err)
	}
	return sig, block.Bytes, nil
}

// Who says whose signature a ballot is, whether or not it holds.
func Who(c *decision.Council, ballot []byte) (*decision.Member, error) {
	r, err := newRoster(c)
	if err != nil {
		return nil, err
	}
	sig, _, err := unarmor(ballot)
	if err != nil {
		return nil, err
	}
	h, known := r.keys[string(sig.PublicKey.Marshal())]
	if !known || h.member == nil {
		return nil, refuse(UnknownKey, "the key %s is nobody's in the roster in force", ssh.FingerprintSHA256(sig.PublicKey))
	}
	return h.member, nil
}

// one verifies one member's ballot over the motion's text.
func (r *roster) one(name string, ballot []byte, e *Enacted, loc *time.Location) (Ballot, error) {
	sig, raw, err := unarmor(ballot)
	if err != nil {
		return Ballot{}, refuse(BadSignature, "ballots/%s.sig: %w", name, err)
	}
	print := ssh.FingerprintSHA256(sig.PublicKey)
	h, known := r.keys[string(sig.PublicKey.Marshal())]
	switch {
	case h.revoked:
		return Ballot{}, refuse(RevokedKey, "ballots/%s.sig: the key %s is revoked", name, print)
	case !known:
		return Ballot{}, refuse(UnknownKey, "ballots/%s.sig: the key %s is nobody's in the roster in force", name, print)
	case sig.Namespace != NamespaceOf(e.City):
		return Ballot{}, refuse(Namespace, "ballots/%s.sig: signed for another namespace; sign with -n %s", name, NamespaceOf(e.City))
	case h.member.ID != name:
		return Ballot{}, refuse(WrongParts, "ballots/%s.sig is signed by %s; each file has its member's name", name, h.member.ID)
	case !inOffice(h.member, e.Created, loc):
		return Ballot{}, refuse(NotInOffice, "ballots/%s.sig: %s was not in office on %s, when the motion was made", name, h.member.ID, e.Created.In(loc).Format(time.DateOnly))
	}
	if err := sshsig.Verify(bytes.NewReader(e.Text), sig, sig.PublicKey, sig.HashAlgorithm, NamespaceOf(e.City)); err != nil {
		return Ballot{}, refuse(BadSignature, "ballots/%s.sig: the signature is not over this motion.txt; sign again", name)
	}
	if !bytes.Equal(Armor(raw), ballot) || !bytes.Equal(sig.Marshal(), raw) {
		return Ballot{}, refuse(BadSignature, "ballots/%s.sig is not as ssh-keygen writes it; make the file anew with sluice motion enact", name)
	}
	return Ballot{Member: name, Name: h.member.Name, Fingerprint: print, Raw: ballot}, nil
}
