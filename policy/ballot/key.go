// Package ballot reads the two things that members bring from OpenSSH, a public
// key and a signature, and has one form for each: what is compared, shown,
// written and verified comes from what was parsed and never from the text.
//
// A key is one line of an id_ed25519.pub: its algorithm, one blank, its wire form
// in base64, and perhaps a blank and a comment, which is dropped.
//
//	ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI... anna@laptop
//
// A ballot is what ssh-keygen -Y sign writes. Its one form has lines of 70
// characters, nothing behind the signature, and of the numbers that stand for the
// same signature the shortest and smallest.
//
// Sources: PROTOCOL.sshsig, PROTOCOL.u2f and ssh-keygen(1) of OpenSSH; RFC 4253
// section 6.6, RFC 5656 section 3.1.2, RFC 8032 section 5.1, RFC 8332, RFC 8709.
package ballot

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"
)

// Key is a public key that a member may vote with. Keys are equal when their wire
// forms are. The zero Key is none.
type Key struct{ wire string }

// Bounds of RSA keys, in bits: below is too weak, above OpenSSH takes none.
const (
	leastRSA = 3072
	maxRSA   = 16384
)

// maxLine bounds a key's line, in bytes.
const maxLine = 8 << 10

var errLine = errors.New("not a public key; paste the one line of id_ed25519.pub: ssh-ed25519 AAAA... comment")

// ParseKey reads one line. What another reader of the line could take for another
// key is refused: options before it, blanks of other sorts, line breaks, base64
// with other characters in it.
func ParseKey(line string) (Key, error) {
	algorithm, rest, _ := strings.Cut(line, " ")
	text, comment, _ := strings.Cut(rest, " ")
	if len(line) > maxLine || strings.ContainsFunc(comment, func(r rune) bool {
		return !unicode.IsPrint(r) || r == unicode.ReplacementChar
	}) {
		return Key{}, errLine
	}
	wire, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(wire) == 0 {
		return Key{}, errLine
	}
	public, err := ssh.ParsePublicKey(wire)
	if err != nil || public.Type() != algorithm || !bytes.Equal(public.Marshal(), wire) {
		return Key{}, errLine
	}
	return Key{string(wire)}, usable(public)
}

// usable says why a key is of a kind that is not used.
func usable(key ssh.PublicKey) error {
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoSKECDSA256:
		return nil
	case ssh.KeyAlgoRSA:
		if c, ok := key.(ssh.CryptoPublicKey); ok {
			if k, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() >= leastRSA &&
				k.N.BitLen() <= maxRSA {
				return nil
			}
		}
		return errors.New(
			"an RSA key of fewer than 3072 bits, or of more than 16384; make an ed25519 key: ssh-keygen -t ed25519")
	}
	return errors.New("a kind of key that is not used here; make an ed25519 key: ssh-keygen -t ed25519")
}

// UnmarshalText reads a line; see ParseKey.
func (k *Key) UnmarshalText(line []byte) (err error) {
	*k, err = ParseKey(string(line))
	return err
}

// MarshalText writes Line.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.Line()), nil }

// public is the key for the library; it was parsed before.
func (k Key) public() ssh.PublicKey {
	key, err := ssh.ParsePublicKey([]byte(k.wire))
	if err != nil {
		return nil
	}
	return key
}

// Algorithm is such as ssh-ed25519; empty for no key.
func (k Key) Algorithm() string {
	if key := k.public(); key != nil {
		return key.Type()
	}
	return ""
}

// Line is the key as in allowed_signers: its algorithm and its wire form in
// base64, without a comment.
func (k Key) Line() string {
	return k.Algorithm() + " " + base64.StdEncoding.EncodeToString([]byte(k.wire))
}

// Fingerprint is the key as ssh-keygen -l shows it: SHA256: and 43 characters.
func (k Key) Fingerprint() string {
	if key := k.public(); key != nil {
		return ssh.FingerprintSHA256(key)
	}
	return ""
}

// Generate makes an ed25519 key pair: the private half in OpenSSH's form without a
// passphrase, and the line of the public one.
func Generate(comment string) (private []byte, line string, err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", err
	}
	block, err := ssh.MarshalPrivateKey(key, comment)
	if err != nil {
		return nil, "", err
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil, "", err
	}
	return pem.EncodeToMemory(block), Key{string(public.Marshal())}.Line() + " " + comment, nil
}
