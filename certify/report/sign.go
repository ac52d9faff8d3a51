package report

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/policy/ballot"
)

// Namespace is what the signature of a report is for (ssh-keygen -Y sign -n).
const Namespace = "sluice-certificate"

// Sign signs a report's bytes with a private key in OpenSSH's form without a passphrase. The result is
// the file that ssh-keygen -Y sign would write.
func Sign(private, raw []byte) ([]byte, error) {
	sig, err := ballot.Sign(private, raw, Namespace)
	if err != nil {
		return nil, err
	}
	return sig.File(), nil
}

// Signer is a line of an allowed_signers file (ssh-keygen(1)): who may sign.
type Signer struct {
	// Name is the line's principals, as written.
	Name string
	key  ballot.Key
	// namespaces are those that the line is for; nil for any.
	namespaces []string
}

// MaxSigners bounds an allowed_signers file, in bytes.
const MaxSigners = 1 << 20

// ParseSigners reads an allowed_signers file. Of the options of a line only namespaces is known; a line
// with another is an error, since it would say less than it does to ssh-keygen.
func ParseSigners(file string, raw []byte) ([]Signer, error) {
	if len(raw) > MaxSigners {
		return nil, fmt.Errorf("%s: larger than 1 MiB; name only those who may sign certificates", file)
	}
	var list []Signer
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := parseSigner(line)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", file, n, err)
		}
		list = append(list, s)
	}
	if lines.Err() != nil {
		return nil, fmt.Errorf("%s: a line is too long", file)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: nobody is in it; write NAME and the line of an id_ed25519.pub", file)
	}
	return list, nil
}

var (
	errSigner = errors.New("write a name and the line of an id_ed25519.pub: lab@example.org ssh-ed25519 AAAA...")
	errOption = errors.New("of the options only namespaces=\"...\" is known here; take the others out, or verify " +
		"with ssh-keygen -Y verify")
)

// parseSigner reads PRINCIPALS [namespaces="LIST"] ALGORITHM KEY [COMMENT].
func parseSigner(line string) (s Signer, err error) {
	name, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	rest = strings.TrimLeft(rest, " ")
	first, _, _ := strings.Cut(rest, " ")
	if !shown(name) || strings.ContainsAny(name, `"`) {
		return s, errSigner
	}
	s.Name = name
	if list, ok := strings.CutPrefix(rest, `namespaces="`); ok {
		inner, after, closed := strings.Cut(list, `"`)
		if !closed || !strings.HasPrefix(after, " ") || strings.ContainsAny(inner, "*?!") {
			return s, errOption
		}
		s.namespaces, rest = strings.Split(inner, ","), strings.TrimLeft(after, " ")
	} else if strings.Contains(first, "=") || first == "cert-authority" {
		return s, errOption
	}
	if s.key, err = ballot.ParseKey(rest); err != nil {
		return s, errSigner
	}
	return s, nil
}

// Verify says who of the signers has signed a report's bytes.
func Verify(raw, signature []byte, signers []Signer) (Signer, error) {
	sig, err := ballot.Parse(signature)
	if err != nil {
		return Signer{}, err
	}
	i := slices.IndexFunc(signers, func(s Signer) bool {
		return s.key == sig.Key && (s.namespaces == nil || slices.Contains(s.namespaces, Namespace))
	})
	if i < 0 {
		return Signer{}, fmt.Errorf("it is signed by %s, who is none of the signers", sig.Key.Fingerprint())
	}
	return signers[i], sig.Verify(raw, Namespace)
}
