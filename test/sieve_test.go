package test

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
	"net/url"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"
)

// sieve finds identifiers, in whatever form they were written down.
type sieve struct {
	forms  map[uint64][]form // by their first eight bytes
	short  map[uint64]string // six bytes of an address as they are, by the bytes
	filter []uint64          // a bit for each hash of eight bytes that a form begins with
}

// form is one way to write an identifier. A short one, of eight hexadecimal
// digits, counts only where a hexadecimal word begins.
type form struct {
	text []byte
	of   string
	word bool
}

type catch struct {
	of, as string
	sure   bool
}

func (c catch) String() string { return fmt.Sprintf("%s is there as %q", c.of, c.as) }

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

func hashes(b []byte) map[string][]byte {
	m, s1, s224, s256 := md5.Sum(b), sha1.Sum(b), sha256.Sum224(b), sha256.Sum256(b)
	s384, s512, b2b, b2b256, b2s := sha512.Sum384(b), sha512.Sum512(b), blake2b.Sum512(b), blake2b.Sum256(b),
		blake2s.Sum256(b)
	return map[string][]byte{
		"MD5": m[:], "SHA-1": s1[:], "SHA-224": s224[:], "SHA-256": s256[:], "SHA-384": s384[:], "SHA-512": s512[:],
		"BLAKE2b": b2b[:], "BLAKE2b-256": b2b256[:], "BLAKE2s": b2s[:],
	}
}

func newSieve(list []string) *sieve {
	n := &sieve{forms: map[uint64][]form{}, short: map[uint64]string{}, filter: make([]uint64, 1<<20)}
	for _, x := range list {
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
	return n
}

func (n *sieve) encodings(of string, b []byte) {
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

func (n *sieve) hashed(of string, b []byte) {
	for _, h := range hashes(b) {
		text := hex.EncodeToString(h[:4])
		n.add(of, []byte(text), true)
		n.add(of, []byte(strings.ToUpper(text)), true)
		n.add(of, h[:8], false)
		n.add(of, []byte(base64.StdEncoding.EncodeToString(h)[:10]), false)
		n.add(of, []byte(base64.URLEncoding.EncodeToString(h)[:10]), false)
	}
}

func (n *sieve) add(of string, text []byte, word bool) {
	if len(text) < 8 {
		return
	}
	key := binary.LittleEndian.Uint64(text)
	n.forms[key] = append(n.forms[key], form{text, of, word})
	h := key * 0x9e3779b97f4a7c15 >> 38
	n.filter[h>>6] |= 1 << (h & 63)
}

// catch finds forms in what was said, one finding for each identifier at most.
func (n *sieve) catch(said []byte) (out []catch) {
	seen := map[string]bool{}
	for i := 0; i+8 <= len(said); i++ {
		key := binary.LittleEndian.Uint64(said[i:])
		if of, there := n.short[key&(1<<48-1)]; there && !seen[of] {
			seen[of] = true
			out = append(out, catch{of, "bytes", true})
		}
		if h := key * 0x9e3779b97f4a7c15 >> 38; n.filter[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, f := range n.forms[key] {
			if seen[f.of] || !bytes.HasPrefix(said[i:], f.text) || f.word && !beginsWord(said, i) {
				continue
			}
			seen[f.of] = true
			out = append(out, catch{f.of, string(f.text), !f.word})
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

// TestTheSieve: every encoding is found, and what is no identifier is not.
func TestTheSieve(t *testing.T) {
	list := canaries(3)[:8]
	n := newSieve(list)
	mac, name := list[0], list[3]
	sum := func(h string, x string) []byte { return hashes([]byte(x))[h] }
	for what, said := range map[string]string{
		"as it is": name, "lower case": strings.ToLower(name), "upper case": strings.ToUpper(mac),
		"dashes": strings.ReplaceAll(mac, ":", "-"),
		"bare":   strings.ReplaceAll(mac, ":", ""), "dots": strings.ReplaceAll(mac, ":", "."),
		"underscores": strings.ReplaceAll(name, " ", "_"),
		"hex":         hex.EncodeToString([]byte(name)), "upper hex": strings.ToUpper(hex.EncodeToString([]byte(mac))),
		"base64":     base64.StdEncoding.EncodeToString([]byte("x" + name + "y")),
		"base64 URL": base64.RawURLEncoding.EncodeToString([]byte("xx" + mac + "y")),
		"URL":        url.QueryEscape(mac), "raw": string(must(hex.DecodeString(strings.ReplaceAll(mac, ":", "")))),
		"MD5": hex.EncodeToString(sum("MD5", mac)), "SHA-1": hex.EncodeToString(sum("SHA-1", mac)),
		"SHA-256":                    hex.EncodeToString(sum("SHA-256", name)),
		"SHA-512, cut":               hex.EncodeToString(sum("SHA-512", name))[:8],
		"BLAKE2b":                    strings.ToUpper(hex.EncodeToString(sum("BLAKE2b", mac)))[:12],
		"BLAKE2s":                    base64.StdEncoding.EncodeToString(sum("BLAKE2s", mac)),
		"SHA-384, raw":               string(sum("SHA-384", name)[:16]),
		"a hash of the bare address": hex.EncodeToString(sum("SHA-256", strings.ReplaceAll(mac, ":", "")))[:10],
	} {
		if len(n.catch([]byte(" before="+said+" after"))) == 0 {
			t.Errorf("%s: %q is not found", what, said)
		}
	}
	if found := n.catch([]byte(strings.Repeat("02:c4:9a:7e:00 CDFGHJ 1234 deadbeefdeadbeef ", 100))); len(found) > 0 {
		t.Errorf("found what is not there: %v", found)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
