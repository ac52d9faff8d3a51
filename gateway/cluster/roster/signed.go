package roster

import (
	"bytes"
	"errors"
	"fmt"

	"sluice/perm"
	"sluice/policy/ballot"
)

// Me is a member that can sign: its name, and the private half of its key, in OpenSSH's form without a passphrase.
type Me struct {
	Name    string
	private []byte
}

// New makes a member's key pair: the private half, for a file that nobody else may read, and the line that goes into
// the roster.
func New(name string) (private []byte, line string, err error) {
	if !namePattern.MatchString(name) {
		return nil, "", errors.New("a member's name has small letters, digits and -, 63 at most, such as front-1")
	}
	return ballot.Generate(name)
}

// Identify reads a member's private key, and refuses one that is not the roster's for that name.
func (r *Roster) Identify(name, file string) (*Me, error) {
	m, ok := r.Member(name)
	if !ok {
		return nil, fmt.Errorf("the roster knows no member %q", name)
	}
	private, err := perm.Read(file, perm.Secret)
	if err != nil {
		return nil, err
	}
	me, err := NewMe(name, private)
	if err != nil {
		return nil, &perm.Error{Path: file, What: "is no private key of a member: " + err.Error(),
			Fix: "bring back the one that sluice cluster member new wrote"}
	}
	sig, err := ballot.Sign(private, nil, Namespace)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if sig.Key != m.Key {
		return nil, &perm.Error{Path: file, What: r.another(m, sig.Key),
			Fix: "bring here the key of that name, or mend cluster: name"}
	}
	return me, nil
}

// another says that a key is not that of a member, and whose it is.
func (r *Roster) another(m Member, key ballot.Key) string {
	whose := "nobody's there"
	if other, known := r.find(func(o Member) bool { return o.Key == key }); known {
		whose = "that of " + other.Name
	}
	return fmt.Sprintf("is not the key that the roster has for %s (%s): it is %s (%s)", m.Name, m.Key.Fingerprint(),
		whose, key.Fingerprint())
}

// NewMe takes a private key as a member's own.
func NewMe(name string, private []byte) (*Me, error) {
	if _, err := ballot.Sign(private, nil, Namespace); err != nil {
		return nil, err
	}
	return &Me{name, bytes.Clone(private)}, nil
}

// maxSigned bounds what a member says, in bytes, with its signature.
const maxSigned = 64 << 10

// Sign signs one line of text for a purpose. What is signed is the line, a line feed, and the signature as ssh-keygen
// -Y sign writes it: who keeps the two apart can verify it with ssh-keygen.
func (m *Me) Sign(namespace string, line []byte) ([]byte, error) {
	if bytes.ContainsAny(line, "\n\r") {
		return nil, errors.New("roster: what is signed is one line")
	}
	sig, err := ballot.Sign(m.private, line, namespace)
	if err != nil {
		return nil, err
	}
	return append(append(bytes.Clone(line), '\n'), sig.File()...), nil
}

// errSigned says that something was not signed by a member for this purpose.
var errSigned = errors.New("it is not signed by a member of the roster for this purpose")

// Open says which member has signed a line for a purpose, and what it says. A member that has left is one.
func (r *Roster) Open(namespace string, signed []byte) (m Member, line []byte, err error) {
	line, file, ok := bytes.Cut(signed, []byte("\n"))
	if !ok || len(signed) > maxSigned {
		return Member{}, nil, errSigned
	}
	sig, err := ballot.Parse(file)
	if err != nil {
		return Member{}, nil, errSigned
	}
	m, ok = r.find(func(m Member) bool { return m.Key == sig.Key })
	if !ok || sig.Verify(line, namespace) != nil || !bytes.Equal(file, sig.File()) {
		return Member{}, nil, errSigned
	}
	return m, line, nil
}
