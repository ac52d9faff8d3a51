// Package keys has the keys of a cluster's epochs: who makes them, who gets which, and how they die.
//
// An epoch is a span of time that has one secret, of which all that is ever kept are the keys derived from it (HKDF,
// RFC 5869). There are two sorts. A day in UTC, by its number from 1970, has keys for what passes between members; and
// the span in which units of a stream can be recognised, by its start and length in seconds, has one key, of which each
// stream with such an epoch gets its own:
//
//	20784             seal-P   seals what fronts tell the worker of partition P          fronts; the worker of P
//	                  part-P   seals what the worker of partition P tells the releaser   the worker of P; the releaser
//	tag-UNIX-SECONDS  tag      turns identifiers into tags                               fronts
//
// So who publishes can open neither what came from sensors nor a tag. A front that makes secrets, or keeps them for
// others to ask (Config.Keep), has the parts' keys as well: it sees people anyway, and what they hide it could count
// from what all fronts have sealed.
//
// # One secret
//
// Two secrets for one epoch would give a phone two tags, and count it twice. So an epoch's secret is the one whose
// commitment stands first in a log (Spec): a digest over the digests of all its keys, signed by the front that has
// made it. What is no commitment, or of one that is no front when the epoch begins, is passed over by all. Of two
// fronts that make one at once, the other throws its own away. Every key that comes from anybody is held against the
// commitment. A secret that nobody has any more is never made anew.
//
// # How keys travel
//
// Who lacks keys asks all who are there, over a connection that nothing stores: a question, signed by its key in the
// roster, names the epoch, the uses, and a public key that lives for this question only. Whoever has some of what the
// asker's roles allow answers with those, under HPKE (RFC 9180, crypto/hpke) with X25519 and ML-KEM-768 together: what
// was recorded on the way opens for nobody later, not with a member's long-lived key and not with a quantum computer.
//
//	question   {"epoch":"20784","want":["seal-3","part-3"],"key":"BASE64"} LF SIGNATURE
//	answer     HPKE of: the digest of each key of the epoch, 32 bytes; then number of the use, 2 bytes, and key, 32
//	           bytes, of each that is given, in order
//	commitment {"epoch":"20784","partitions":32,"until":TIME,"sha256":HEX} LF SIGNATURE
//	receipt    {"shred":"20784","member":"count-1","at":TIME,"sha256":HEX} LF SIGNATURE
//
// # How keys die
//
// They are in memory, and in a directory that must be memory-backed if there is one, so that a process that starts
// again has them. When nothing of an epoch can come any more they are overwritten, everywhere, and each member that had
// some signs a receipt, for the public books. When that is the commitment says, and each member's own configuration;
// the earlier one counts. What a caller was given is a copy, which it has to overwrite itself.
package keys

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"sluice/gateway/cluster/engine"
)

// Size is the length of every key, in bytes.
const Size = 32

// MostPartitions bounds how many partitions a city has.
const MostPartitions = 256

var (
	// ErrNotYet says that keys are not here yet: they are being asked for, or not yet made.
	ErrNotYet = errors.New("the keys of this epoch are not here yet")
	// ErrGone says that keys are no more: their time is over, or nobody has them. It is fs.ErrNotExist.
	ErrGone = fmt.Errorf("the keys of this epoch are gone: %w", fs.ErrNotExist)
)

// Spec is the log that commitments are in. Its subjects are epochs.EPOCH, and epochs.roster is the members'.
func Spec(replicas int) engine.Spec {
	return engine.Spec{Name: "EPOCHS", Subjects: []string{"epochs.*"}, Replicas: replicas, Forever: true}
}

// key is one key. It is passed by its place, so that there is one copy to overwrite.
type key [Size]byte

// String says nothing.
func (*key) String() string { return "key" }

// bunch are keys by their uses.
type bunch map[string]*key

// wipe overwrites the keys for which is says so; nil for all.
func (b bunch) wipe(is func(use string) bool) (wiped int) {
	for use, k := range b {
		if is == nil || is(use) {
			clear(k[:])
			delete(b, use)
			wiped++
		}
	}
	return wiped
}

// draw makes an epoch's keys of a secret that is forgotten at once.
func draw(at span, partitions int) (bunch, error) {
	var secret key
	defer clear(secret[:])
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, err
	}
	b := bunch{}
	for _, use := range at.uses(partitions) {
		k, err := derive(&secret, "sluice cluster key 1 "+at.String()+" "+use)
		if err != nil {
			return nil, err
		}
		b[use] = k
	}
	return b, nil
}

// derive makes a key of another.
func derive(from *key, info string) (*key, error) {
	raw, err := hkdf.Expand(sha256.New, from[:], info, Size)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	k := new(key)
	copy(k[:], raw)
	return k, nil
}
