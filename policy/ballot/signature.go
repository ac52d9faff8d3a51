package ballot

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

const (
	begin = "-----BEGIN " + sshsig.PEMType + "-----\n"
	end   = "\n-----END " + sshsig.PEMType + "-----"
	// MaxFile bounds a ballot, in bytes.
	MaxFile = 64 << 10
)

// Signature is one ballot.
type Signature struct {
	Key       Key
	Namespace string
	sig       *sshsig.Signature
}

var errNone = errors.New("not an SSH signature; make it with ssh-keygen -Y sign")

// Parse reads what ssh-keygen -Y verify would read, and brings it into its one
// form: File gives it back so. It does not say whether the signature holds.
func Parse(file []byte) (*Signature, error) {
	raw, err := dearmor(file)
	if err != nil {
		return nil, err
	}
	sig, err := sshsig.ParseSignature(versioned(raw))
	if err != nil {
		return nil, errNone
	}
	if err := usable(sig.PublicKey); err != nil {
		return nil, err
	}
	if err := canonical(sig); err != nil {
		return nil, err
	}
	return &Signature{Key{string(sig.PublicKey.Marshal())}, sig.Namespace, sig}, nil
}

// dearmor is the base64 between the two lines, read as OpenSSH does: the first line
// is exact, blanks after it do not count, and neither does what comes after the
// second line.
func dearmor(file []byte) ([]byte, error) {
	if len(file) > MaxFile {
		return nil, errNone
	}
	body, ok := bytes.CutPrefix(file, []byte(begin))
	if !ok {
		return nil, errNone
	}
	body, _, ok = bytes.Cut(body, []byte(end))
	if !ok {
		return nil, errNone
	}
	text := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\n\v\f\r", r) {
			return -1
		}
		return r
	}, string(body))
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errNone
	}
	return raw, nil
}

// versioned has version 1 (PROTOCOL.sshsig): it is not signed, and OpenSSH refuses
// only what is greater.
func versioned(raw []byte) []byte {
	if rest, ok := bytes.CutPrefix(raw, []byte("SSHSIG\x00\x00\x00\x00")); ok {
		return append([]byte("SSHSIG\x00\x00\x00\x01"), rest...)
	}
	return raw
}

// canonical brings a signature into its one form, and refuses bytes behind it.
func canonical(sig *sshsig.Signature) error {
	s := sig.Signature
	behind := 0
	if strings.HasPrefix(sig.PublicKey.Type(), "sk-") {
		behind = 5 // flags and counter (PROTOCOL.u2f)
	}
	if len(s.Rest) != behind {
		return fmt.Errorf("%w: there is something behind the signature", errNone)
	}
	switch sig.PublicKey.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519:
		s.Blob = reduced(s.Blob)
	case ssh.KeyAlgoECDSA256, ssh.KeyAlgoSKECDSA256:
		return lowS(s, elliptic.P256())
	case ssh.KeyAlgoECDSA384:
		return lowS(s, elliptic.P384())
	case ssh.KeyAlgoECDSA521:
		return lowS(s, elliptic.P521())
	case ssh.KeyAlgoRSA:
		s.Blob = padded(s.Blob, sig.PublicKey)
	}
	return nil
}

// order is that of edwards25519's base point (RFC 8032 section 5.1).
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989",
	10)

// reduced has the second half of an Ed25519 signature modulo the order: OpenSSH
// takes s and s plus the order for the same.
func reduced(blob []byte) []byte {
	if len(blob) != 64 {
		return blob // it will not verify
	}
	le := slices.Clone(blob[32:])
	slices.Reverse(le)
	s := new(big.Int).SetBytes(le)
	if s.Cmp(order) < 0 || blob[63]&0xe0 != 0 {
		return blob
	}
	out := slices.Clone(blob)
	s.Mod(s, order).FillBytes(out[32:])
	slices.Reverse(out[32:])
	return out
}

// lowS writes an ECDSA signature (RFC 5656 section 3.1.2) with the smaller of s and
// n-s, which sign the same, and without zeros before a number.
func lowS(s *ssh.Signature, curve elliptic.Curve) error {
	var pair struct{ R, S *big.Int }
	if err := ssh.Unmarshal(s.Blob, &pair); err != nil {
		return errNone
	}
	n := curve.Params().N
	if pair.S.Sign() > 0 && pair.S.Cmp(n) < 0 && pair.S.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		pair.S.Sub(n, pair.S)
	}
	s.Blob = ssh.Marshal(pair)
	return nil
}

// padded has the length of the key's modulus (RFC 8332 section 3): OpenSSH takes a
// number that is written shorter.
func padded(blob []byte, key ssh.PublicKey) []byte {
	c, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return blob
	}
	k, ok := c.CryptoPublicKey().(*rsa.PublicKey)
	if !ok || len(blob) >= k.Size() {
		return blob
	}
	return append(make([]byte, k.Size()-len(blob)), blob...)
}

// Verify says whether the signature is over text, by Key, for a namespace, as
// ssh-keygen -Y verify does. It is stricter in one thing: a security key must have
// been touched, where ssh-keygen only reports it.
func (s *Signature) Verify(text []byte, namespace string) error {
	if err := sshsig.Verify(bytes.NewReader(text), s.sig, s.sig.PublicKey, s.sig.HashAlgorithm, namespace); err != nil {
		return errors.New("the signature is not over this text, not for this purpose, or not by this key")
	}
	return nil
}

// File is the signature as ssh-keygen writes it: lines of 70 characters, a line
// feed at the end.
func (s *Signature) File() []byte {
	var b bytes.Buffer
	b.WriteString(begin)
	text := base64.StdEncoding.EncodeToString(s.sig.Marshal())
	for len(text) > 0 {
		n := min(70, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	b.WriteString(end[1:] + "\n")
	return b.Bytes()
}

// Sign makes a ballot with a private key in OpenSSH's form without a passphrase:
// for a town of one founding member, the demo and tests.
func Sign(private, text []byte, namespace string) (*Signature, error) {
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		return nil, errors.New("the private key cannot be read")
	}
	sig, err := sshsig.Sign(bytes.NewReader(text), signer, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, err
	}
	if err := canonical(sig); err != nil {
		return nil, err
	}
	return &Signature{Key{string(sig.PublicKey.Marshal())}, namespace, sig}, nil
}
