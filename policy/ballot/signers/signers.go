// Package signers says who may sign something that is not voted: a file as allowed_signers of ssh-keygen(1) is, a name
// and a key a line, and whether one of them has signed a text.
//
//	lab@example.org namespaces="sluice-certificate" ssh-ed25519 AAAA...
package signers

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/names"
	"sluice/policy/ballot"
)

// Signer is a line of an allowed_signers file (ssh-keygen(1)): who may sign.
type Signer struct {
	// Name is the line's principals, as written.
	Name string
	key  ballot.Key
	// namespaces are those that the line is for; nil for any.
	namespaces []string
}

// Max bounds an allowed_signers file, in bytes.
const Max = 1 << 20

// Parse reads an allowed_signers file. Of the options of a line only namespaces is known; a line
// with another is an error, since it would say less than it does to ssh-keygen.
func Parse(file string, raw []byte) ([]Signer, error) {
	if len(raw) > Max {
		return nil, fmt.Errorf("%s: larger than 1 MiB; name only those who may sign this", file)
	}
	var list []Signer
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := parse(line)
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

// parse reads PRINCIPALS [namespaces="LIST"] ALGORITHM KEY [COMMENT].
func parse(line string) (s Signer, err error) {
	name, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	rest = strings.TrimLeft(rest, " ")
	first, _, _ := strings.Cut(rest, " ")
	if !visible(name) || strings.ContainsAny(name, `"`) {
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

// maxName bounds the name of a signer, in bytes.
const maxName = 400

func visible(name string) bool { return name != "" && len(name) <= maxName && names.Visible(name) }

// By says who of the signers has signed a text for a namespace.
func By(text, signature []byte, namespace string, signers []Signer) (Signer, error) {
	sig, err := ballot.Parse(signature)
	if err != nil {
		return Signer{}, err
	}
	i := slices.IndexFunc(signers, func(s Signer) bool {
		return s.key == sig.Key && (s.namespaces == nil || slices.Contains(s.namespaces, namespace))
	})
	if i < 0 {
		return Signer{}, fmt.Errorf("it is signed by %s, who is none of the signers", sig.Key.Fingerprint())
	}
	return signers[i], sig.Verify(text, namespace)
}
