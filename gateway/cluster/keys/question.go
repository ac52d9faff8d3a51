package keys

import (
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"sluice/gateway/cluster/roster"
)

const (
	questionSpace = "sluice-keys"
	subject       = "keys" // that questions are asked on
	maxQuestion   = 16 << 10
)

// question asks for keys.
type question struct {
	Epoch string   `json:"epoch"`
	Want  []string `json:"want"` // uses, each once
	Key   []byte   `json:"key"`  // public, of hybrid
}

// The suite of RFC 9180; X-Wing (draft-connolly-cfrg-xwing-kem) is safe while either half of it is.
var (
	hybrid = hpke.MLKEM768X25519
	kdf    = hpke.HKDFSHA256
	aead   = hpke.AES256GCM
)

var (
	errQuestion = errors.New("this is no question for keys, or not one that its asker may put")
	errAnswer   = errors.New("this is no answer to that question, or has other keys than the epoch's")
)

// ask makes a question and the private key that opens its answers.
func ask(me *roster.Me, at span, want []string) (signed []byte, private hpke.PrivateKey, err error) {
	if private, err = hybrid().GenerateKey(); err != nil {
		return nil, nil, err
	}
	raw, err := line(question{at.String(), want, private.PublicKey().Bytes()})
	if err != nil {
		return nil, nil, err
	}
	signed, err = me.Sign(questionSpace, raw)
	return signed, private, err
}

// bound ties an answer to the question as it was signed.
func bound(signed []byte) []byte {
	sum := sha256.Sum256(signed)
	return append([]byte("sluice cluster answer 1 "), sum[:]...)
}

// readQuestion says who asks for what, and of which epoch.
func readQuestion(r *roster.Roster, signed []byte) (m roster.Member, at span, q question, err error) {
	if len(signed) > maxQuestion {
		return m, at, q, errQuestion
	}
	m, raw, err := r.Open(questionSpace, signed)
	if err != nil || read(raw, &q) != nil || len(q.Want) == 0 || len(q.Want) > 2*MostPartitions {
		return m, at, q, errQuestion
	}
	at, ok := parseSpan(q.Epoch)
	if !ok {
		return m, at, q, errQuestion
	}
	return m, at, q, nil
}

// may reports whether a member gets a key for a use. owns says whether a worker should have a partition; nil if any.
func may(m roster.Member, use string, partitions int, owns func(member string, partition int) bool) bool {
	if m.May(roster.Front) {
		return use == tagUse || partitionOf(use, partitions) >= 0
	}
	p := partitionOf(use, partitions)
	if p < 0 {
		return false
	}
	return use[:len(partUse)] == partUse && m.May(roster.Releaser) ||
		m.May(roster.Worker) && (owns == nil || owns(m.Name, p))
}

// answer seals keys for who has put a question.
func answer(signed []byte, q question, all digests, give bunch, names []string) ([]byte, error) {
	public, err := hybrid().NewPublicKey(q.Key)
	if err != nil {
		return nil, errQuestion
	}
	plain := write(all, give, names)
	defer clear(plain)
	return hpke.Seal(public, kdf(), aead(), bound(signed), plain)
}

// open opens an answer: the keys in it are those that the commitment is to.
func open(private hpke.PrivateKey, signed, sealed []byte, names []string, sum string) (digests, bunch, error) {
	if len(sealed) > 1<<20 {
		return nil, nil, errAnswer
	}
	plain, err := hpke.Open(private, kdf(), aead(), bound(signed), sealed)
	if err != nil {
		return nil, nil, errAnswer
	}
	defer clear(plain)
	return parse(plain, names, sum)
}

// entrySize is that of a use's number and its key.
const entrySize = 2 + Size

// write is the digests of all keys, and those keys that there are, in order.
func write(all digests, b bunch, names []string) []byte {
	plain := make([]byte, 0, len(all)*sha256.Size+len(b)*entrySize)
	for _, d := range all {
		plain = append(plain, d[:]...)
	}
	for i, use := range names {
		if k, ok := b[use]; ok {
			plain = append(binary.BigEndian.AppendUint16(plain, uint16(i)), k[:]...)
		}
	}
	return plain
}

// parse reads what write has written, and holds it against the sum of the commitment.
func parse(plain []byte, names []string, sum string) (digests, bunch, error) {
	if len(plain) < len(names)*sha256.Size {
		return nil, nil, errAnswer
	}
	all := make(digests, len(names))
	for i := range all {
		plain = plain[copy(all[i][:], plain):]
	}
	if all.sum() != sum || len(plain)%entrySize != 0 {
		return nil, nil, errAnswer
	}
	b, last := bunch{}, -1
	for part := range slices.Chunk(plain, entrySize) {
		i := int(binary.BigEndian.Uint16(part))
		k := new(key)
		copy(k[:], part[2:])
		if i <= last || i >= len(names) || digestOf(names[i], k) != all[i] {
			clear(k[:])
			b.wipe(nil)
			return nil, nil, errAnswer
		}
		b[names[i]], last = k, i
	}
	return all, b, nil
}
