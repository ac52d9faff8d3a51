// Package roster is who the machines of a cluster are: a file that names each, with its public key and what it may do,
// and that the city's operator has signed.
//
//	version: 3
//	members:
//	  - {name: street-1, key: ssh-ed25519 AAAA..., roles: [front]}
//	  - {name: count-1, key: ssh-ed25519 AAAA..., roles: [worker]}
//	  - {name: city-hall, key: ssh-ed25519 AAAA..., roles: [releaser]}
//	  - {name: count-0, key: ssh-ed25519 AAAA..., roles: []}
//	  - {name: street-0, key: ssh-ed25519 AAAA..., roles: [], front_until: 2026-11-27}
//
// A member without a role has left: it gets nothing. One that was a front stays in the file, with the last day, in UTC,
// on which it was one: what it has committed to for epochs that begin by then holds, and nothing that it says of later
// ones. Follows refuses a roster that forgets that.
//
// The signature is OpenSSH's, over the bytes of the file, in FILE.sig. Who may sign is said by a file of its own, as
// allowed_signers of ssh-keygen(1) is, which each machine has from when it was set up; the roster and its signature can
// then come from anywhere:
//
//	ssh-keygen -Y sign -f KEY -n sluice-roster roster.yaml
//	ssh-keygen -Y verify -f allowed_signers -I NAME -n sluice-roster -s roster.yaml.sig < roster.yaml
//
// What members say to one another is signed in the same way, each with the key that it has here: see Me and Open.
package roster

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/perm"
	"sluice/policy/ballot"
	"sluice/policy/ballot/signers"

	"sluice/internal/pattern"
)

// Namespace is what the signature of a roster is for.
const Namespace = "sluice-roster"

// MostMembers bounds a roster.
const MostMembers = 256

// Role is what a member may do.
type Role string

// The roles. A front takes readings, a worker counts them, the releaser publishes.
const (
	Front    Role = "front"
	Worker   Role = "worker"
	Releaser Role = "releaser"
)

var roles = []Role{Front, Worker, Releaser}

// Member is one machine.
type Member struct {
	Name  string     `yaml:"name"`
	Key   ballot.Key `yaml:"key"`
	Roles []Role     `yaml:"roles"`
	// FrontUntil is the last day, in UTC, on which one that is no front any more was one.
	FrontUntil civil.Date `yaml:"front_until"`
}

// May reports whether the member has a role.
func (m Member) May(role Role) bool { return slices.Contains(m.Roles, role) }

// Left reports whether the member has no role any more.
func (m Member) Left() bool { return len(m.Roles) == 0 }

// FrontAt reports whether what the member says as a front of a time that begins at an instant holds.
func (m Member) FrontAt(t time.Time) bool {
	return m.May(Front) || m.FrontUntil != civil.Date{} && t.Before(m.FrontUntil.End(time.UTC))
}

// Roster is who there is. It is not changed once it is read.
type Roster struct {
	// Version is 1 or more, and larger in each roster than in the one before.
	Version int      `yaml:"version"`
	Members []Member `yaml:"members"`
}

// A member's name is a word in leases and in logs.
var namePattern = pattern.New(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Parse reads a roster. An error shows the line, and says what to write there.
func Parse(file string, raw []byte) (*Roster, error) {
	var r Roster
	if err := yamldoc.Decode(file, raw, &r); err != nil {
		return nil, err
	}
	if text, path := r.wrong(); text != "" {
		return nil, yamldoc.Wrong(file, raw, text, path...)
	}
	return &r, nil
}

// wrong is what is wrong first, with its place; empty for nothing.
func (r *Roster) wrong() (text string, path []string) {
	switch {
	case r.Version < 1:
		return "a roster has a version, 1 or more: version: 1", []string{"version"}
	case len(r.Members) == 0:
		return "nobody is in it: members: [{name, key, roles}]", nil
	case len(r.Members) > MostMembers:
		return fmt.Sprintf("a roster has %d members at most", MostMembers), []string{"members"}
	}
	for i, m := range r.Members {
		if text, key := r.wrongIn(i, m); text != "" {
			return text, []string{"members", strconv.Itoa(i), key}
		}
	}
	return "", nil
}

// wrongIn is what is wrong with one member, and in which of its keys.
func (r *Roster) wrongIn(i int, m Member) (text, key string) {
	before := r.Members[:i]
	switch {
	case !namePattern.MatchString(m.Name):
		return "a member's name has small letters, digits and -, 63 at most, such as front-1", "name"
	case slices.ContainsFunc(before, func(o Member) bool { return o.Name == m.Name }):
		return "this name is there twice; give each member its own", "name"
	case m.Key == ballot.Key{}:
		return "a member needs its key: the one line of its .pub file", "key"
	case m.Key.Algorithm() != "ssh-ed25519":
		return "a machine signs alone, so its key is an ed25519 key without a token: ssh-keygen -t ed25519", "key"
	case slices.ContainsFunc(before, func(o Member) bool { return o.Key == m.Key }):
		return "this key is there twice; each member makes its own", "key"
	case m.Roles == nil:
		return "a member needs roles: [front], [worker], [releaser], several of them, or [] for one that has left",
			"roles"
	}
	for n, role := range m.Roles {
		if !slices.Contains(roles, role) {
			return "a role is one of front, worker and releaser", "roles"
		}
		if slices.Contains(m.Roles[:n], role) {
			return "this member has a role twice", "roles"
		}
	}
	if m.May(Front) && m.FrontUntil != (civil.Date{}) {
		return "a member that is a front has no front_until", "front_until"
	}
	return "", ""
}

// Member finds a member by its name.
func (r *Roster) Member(name string) (m Member, ok bool) {
	return r.find(func(m Member) bool { return m.Name == name })
}

func (r *Roster) find(is func(Member) bool) (m Member, ok bool) {
	if i := slices.IndexFunc(r.Members, is); i >= 0 {
		return r.Members[i], true
	}
	return Member{}, false
}

// Lacks are the roles that nobody has.
func (r *Roster) Lacks() (lacks []Role) {
	for _, role := range roles {
		if !slices.ContainsFunc(r.Members, func(m Member) bool { return m.May(role) }) {
			lacks = append(lacks, role)
		}
	}
	return lacks
}

// See are the members that publish, and see readings as well: where nobody does both, no machine that speaks can read
// what a person's phone sent.
func (r *Roster) See() (names []string) {
	for _, m := range r.Members {
		if m.May(Releaser) && (m.May(Front) || m.May(Worker)) {
			names = append(names, m.Name)
		}
	}
	return names
}

// Signers are the members as allowed_signers of ssh-keygen(1) has them, for what they sign in these namespaces.
func (r *Roster) Signers(namespaces ...string) []byte {
	var b strings.Builder
	for _, m := range r.Members {
		fmt.Fprintf(&b, "%s namespaces=\"%s\" %s\n", m.Name, strings.Join(namespaces, ","), m.Key.Line())
	}
	return []byte(b.String())
}

// Read reads a roster whose signature, in file.sig, is by one of those whom allowed names. It returns who that is.
// Nobody else may write the files.
func Read(file, allowed string) (r *Roster, by string, err error) {
	s, err := Signed(file)
	if err != nil {
		return nil, "", err
	}
	return s.Verify(file, allowed)
}

// Signature is a roster as it was signed: what stands in the two files.
type Signature struct {
	Text []byte `json:"roster"`
	By   []byte `json:"signature"`
}

// Signed reads the two files, and believes nothing of them.
func Signed(file string) (s Signature, err error) {
	if s.Text, err = perm.Read(file, perm.Trusted); err != nil {
		return s, err
	}
	if s.By, err = perm.Read(file+".sig", perm.Trusted); errors.Is(err, fs.ErrNotExist) {
		return s, &unfit{file, "is not signed: there is no " + file + ".sig", toSign(file)}
	}
	return s, err
}

// toSign is what an operator does to sign a roster.
func toSign(file string) string {
	return fmt.Sprintf("bring that here too, or sign it: sluice cluster roster sign %s --key KEY", file)
}

// unfit is a perm.Error that says that a roster and its signature do not belong together.
type unfit perm.Error

func (u *unfit) Error() string { return u.Unwrap().Error() }

// Unwrap is what is wrong.
func (u *unfit) Unwrap() error { return (*perm.Error)(u) }

// Verify reads a roster whose signature is by one of those whom the file allowed names. It returns who that is.
func (s *Signature) Verify(file, allowed string) (r *Roster, by string, err error) {
	list, err := perm.Read(allowed, perm.Trusted)
	if err != nil {
		return nil, "", fmt.Errorf("who may sign the roster: %w", err)
	}
	may, err := signers.Parse(allowed, list)
	if err != nil {
		return nil, "", err
	}
	who, err := signers.By(s.Text, s.By, Namespace, may)
	if err != nil {
		return nil, "", &unfit{file + ".sig:", fmt.Sprintf("%v (who may sign it stands in %s)", err, allowed),
			"is it the one of another version? " + toSign(file)}
	}
	if r, err = Parse(file, s.Text); err != nil {
		return nil, "", err
	}
	return r, who.Name, nil
}
