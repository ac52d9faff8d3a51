package harness

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"
)

// Canaries are 10,000 planted identifiers that occur nowhere else: addresses,
// plates, tokens and names.
func Canaries(seed uint64) (out []string) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	letters := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "BCDFGHJKLMNPQRSTVWXZ"[rnd.IntN(20)]
		}
		return string(b)
	}
	for len(out) < 10_000 {
		n := rnd.Uint64()
		out = append(out,
			fmt.Sprintf("02:c4:%02x:%02x:%02x:%02x", byte(n), byte(n>>8), byte(n>>16), byte(n>>24)),
			fmt.Sprintf("%04d-%s-%s", n%10000, letters(3), letters(4)),
			fmt.Sprintf("tok_%016x", n),
			fmt.Sprintf("%s %s", letters(6), letters(9)))
	}
	return out
}

// Sieve finds identifiers, in whatever form they were written down.
type Sieve struct {
	list  []string
	forms map[uint64][]Form // by their first eight bytes, of those that may have been said
	short map[uint64]string // six bytes of an address as they are, by the bytes
	said  bits              // eight bytes that were said
	begin bits              // eight bytes that a form of forms begins with
}

// bits are a set of eight bytes each, by a hash: what is in it is known to be, and one of some others seems to be.
type bits []uint64

func newBits() bits { return make(bits, 1<<20) }

// hash is where eight bytes are in a set.
func hash(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> 38 }

func (b bits) add(key uint64) { h := hash(key); b[h>>6] |= 1 << (h & 63) }

func (b bits) has(key uint64) bool { h := hash(key); return b[h>>6]&(1<<(h&63)) != 0 }

// Form is one way to write an identifier. A short one, of eight hexadecimal
// digits, counts only where a hexadecimal word begins.
type Form struct {
	text []byte
	of   string
	word bool
}

// Catch is what a sieve has found.
type Catch struct {
	of, as string
	Sure   bool
}

func (c Catch) String() string { return fmt.Sprintf("%s is there as %q", c.of, c.as) }

// spellings are a name's own letters in other clothes.
func spellings(x string) []string {
	bare := strings.NewReplacer(":", "", "-", "", "_", "", " ", "", ".", "").Replace(x)
	list := []string{x, strings.ToLower(x), strings.ToUpper(x), bare, strings.ToLower(bare), strings.ToUpper(bare)}
	for _, sep := range []string{"-", ".", "_", " ", ":", ""} {
		list = append(list, strings.NewReplacer(":", sep, "-", sep, "_", sep, " ", sep).Replace(x))
	}
	if len(bare) == 12 { // as Cisco writes an address
		list = append(list, bare[:4]+"."+bare[4:8]+"."+bare[8:])
	}
	return list
}

// Hashes are the digests that bytes may be hidden in.
func Hashes(b []byte) map[string][]byte {
	m, s1, s224, s256 := md5.Sum(b), sha1.Sum(b), sha256.Sum224(b), sha256.Sum256(b)
	s384, s512, b2b, b2b256, b2s := sha512.Sum384(b), sha512.Sum512(b), blake2b.Sum512(b), blake2b.Sum256(b),
		blake2s.Sum256(b)
	return map[string][]byte{
		"MD5": m[:], "SHA-1": s1[:], "SHA-224": s224[:], "SHA-256": s256[:], "SHA-384": s384[:], "SHA-512": s512[:],
		"BLAKE2b": b2b[:], "BLAKE2b-256": b2b256[:], "BLAKE2s": b2s[:],
	}
}

// NewSieve looks for texts, and for what they become when they are encoded or hashed.
func NewSieve(list []string) *Sieve { return &Sieve{list: list} }

// fit makes the forms. There are millions, of which few begin as something does that was said: the others
// need not be kept.
func (n *Sieve) fit(said []byte) {
	n.forms, n.short, n.said, n.begin = map[uint64][]Form{}, map[uint64]string{}, newBits(), newBits()
	for i := 0; i+8 <= len(said); i++ {
		n.said.add(binary.LittleEndian.Uint64(said[i:]))
	}
	for _, x := range n.list {
		seen := map[string]bool{}
		for _, s := range spellings(x) {
			if seen[s] {
				continue
			}
			seen[s] = true
			n.add(x, []byte(s), false)
			n.encodings(x, []byte(s))
			n.hashed(x, []byte(s))
		}
		if raw, err := hex.DecodeString(strings.ReplaceAll(x, ":", "")); err == nil && len(raw) == 6 {
			var b [8]byte
			copy(b[:], raw)
			n.short[binary.LittleEndian.Uint64(b[:])] = x
			n.hashed(x, raw)
			n.encodings(x, raw)
		}
	}
}

func (n *Sieve) encodings(of string, b []byte) {
	n.add(of, []byte(hex.EncodeToString(b)), false)
	n.add(of, []byte(strings.ToUpper(hex.EncodeToString(b))), false)
	n.add(of, []byte(url.QueryEscape(string(b))), false)
	n.add(of, []byte(url.PathEscape(string(b))), false)
	n.add(of, []byte(strings.Trim(strconv.QuoteToASCII(string(b)), `"`)), false)
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for shift := range 3 { // wherever it begins within a longer text
			text := enc.EncodeToString(append(make([]byte, shift), b...))
			from, to := (shift*8+5)/6, (shift+len(b))*8/6
			n.add(of, []byte(text[from:to]), false)
		}
	}
}

func (n *Sieve) hashed(of string, b []byte) {
	for _, h := range Hashes(b) {
		text := hex.EncodeToString(h[:4])
		n.add(of, []byte(text), true)
		n.add(of, []byte(strings.ToUpper(text)), true)
		n.add(of, h[:8], false)
		n.add(of, []byte(base64.StdEncoding.EncodeToString(h)[:10]), false)
		n.add(of, []byte(base64.URLEncoding.EncodeToString(h)[:10]), false)
	}
}

func (n *Sieve) add(of string, text []byte, word bool) {
	if len(text) < 8 {
		return
	}
	if key := binary.LittleEndian.Uint64(text); n.said.has(key) {
		n.forms[key] = append(n.forms[key], Form{text, of, word})
		n.begin.add(key)
	}
}

// Catch finds forms in what was said, one finding for each identifier at most.
func (n *Sieve) Catch(said []byte) (out []Catch) {
	n.fit(said)
	seen := map[string]bool{}
	for i := 0; i+8 <= len(said); i++ {
		key := binary.LittleEndian.Uint64(said[i:])
		if of, there := n.short[key&(1<<48-1)]; there && !seen[of] {
			seen[of] = true
			out = append(out, Catch{of, "bytes", true})
		}
		if !n.begin.has(key) {
			continue
		}
		for _, f := range n.forms[key] {
			if seen[f.of] || !bytes.HasPrefix(said[i:], f.text) || f.word && !beginsWord(said, i) {
				continue
			}
			seen[f.of] = true
			out = append(out, Catch{f.of, string(f.text), !f.word})
		}
	}
	return out
}

// beginsWord reports a hexadecimal word that begins here and has a letter: eight
// decimal digits are as a rule a number.
func beginsWord(said []byte, i int) bool {
	digit := func(c byte) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
	}
	return (i == 0 || !digit(said[i-1])) && bytes.ContainsAny(said[i:i+8], "abcdefABCDEF")
}
