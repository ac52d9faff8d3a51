package ballot

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Choice is what a member says of a motion.
type Choice string

// The choices. For is a signature over the motion's own text, and is never stated.
const (
	For     Choice = "for"
	Against Choice = "against"
	Abstain Choice = "abstain"
)

// Statement is what a member signs who does not vote for a motion:
//
//	Sluice ballot, format 1
//
//	City: portalba
//	Motion: 2026-footfall
//	Text: sha256:2f...
//	Choice: against
//	Reason: An hour is too short for so small a street.
//
// Text is the SHA-256 of motion.txt. The line Reason is left out where there is none. The
// text has one byte form only, and a namespace of its own, so that no signature over it is one
// over a motion.
type Statement struct {
	City, Motion string
	Text         string // 64 characters of hex
	Choice       Choice // Against or Abstain
	Reason       string // one line of at most MaxReason characters
}

// MaxReason bounds a reason, in characters; MaxStatement the text of a statement, in bytes.
const (
	MaxReason    = 1000
	MaxStatement = 8 << 10
)

const statementPrefix = "Sluice ballot, format 1\n\n"

var (
	namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	hexPattern  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Bytes is the text that is signed; the statement must be one that Check takes.
func (s Statement) Bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%sCity: %s\nMotion: %s\nText: sha256:%s\nChoice: %s\n", statementPrefix, s.City, s.Motion, s.Text,
		s.Choice)
	if s.Reason != "" {
		fmt.Fprintf(&b, "Reason: %s\n", s.Reason)
	}
	return b.Bytes()
}

// Check says what is wrong with a statement.
func (s Statement) Check() error {
	switch {
	case !namePattern.MatchString(s.City) || !namePattern.MatchString(s.Motion) || !hexPattern.MatchString(s.Text):
		return errors.New("a ballot names a city, a motion and the SHA-256 of its text")
	case s.Choice != Against && s.Choice != Abstain:
		return errors.New("a ballot that is not for the motion is against, or abstain")
	case utf8.RuneCountInString(s.Reason) > MaxReason:
		return fmt.Errorf("the reason is longer than %d characters", MaxReason)
	case !utf8.ValidString(s.Reason) || strings.TrimSpace(s.Reason) != s.Reason ||
		strings.ContainsFunc(s.Reason, func(r rune) bool {
			return !unicode.IsPrint(r) || r == unicode.ReplacementChar
		}):
		return errors.New("the reason is one line of plain text, without blanks at its ends")
	}
	return nil
}

var errStatement = errors.New(`not the text of a ballot; write it with sluice motion ballot`)

// ParseStatement reads the text of a statement; it does not say who has signed it.
func ParseStatement(text []byte) (Statement, error) {
	var s Statement
	body, ok := strings.CutPrefix(string(text), statementPrefix)
	if !ok || len(text) > MaxStatement {
		if bytes.Contains(text, []byte("\r\n")) && bytes.HasPrefix(text, []byte("Sluice ballot, ")) {
			return s, errors.New("the ballot's text has the line ends of another system (CR LF); sign the text as " +
				"sluice motion ballot wrote it")
		}
		return s, errStatement
	}
	choice := ""
	for _, field := range []struct {
		key  string
		into *string
	}{{"City: ", &s.City}, {"Motion: ", &s.Motion}, {"Text: sha256:", &s.Text}, {"Choice: ", &choice}} {
		if body, ok = strings.CutPrefix(body, field.key); !ok {
			return s, errStatement
		}
		if *field.into, body, ok = strings.Cut(body, "\n"); !ok {
			return s, errStatement
		}
	}
	s.Choice = Choice(choice)
	if reason, given := strings.CutPrefix(body, "Reason: "); given {
		s.Reason = strings.TrimSuffix(reason, "\n")
	}
	if err := s.Check(); err != nil {
		return s, err
	}
	if !bytes.Equal(s.Bytes(), text) {
		return s, errStatement
	}
	return s, nil
}

// StatementNamespace is the namespace of statements: ssh-keygen -Y sign -n NAMESPACE. It is not
// that of votes for a motion, so that neither can ever be taken for the other.
func StatementNamespace(city string) string { return "sluice-ballot@" + city }

// StatementSigners is an allowed_signers of a city's votes for motions as one of statements.
func StatementSigners(allowed []byte, votes, city string) []byte {
	return bytes.ReplaceAll(allowed, []byte(` namespaces="`+votes+`" `),
		[]byte(` namespaces="`+StatementNamespace(city)+`" `))
}

// ReadStatement reads a statement and its signature, which must hold over it.
func ReadStatement(text, file []byte) (Statement, *Signature, error) {
	s, err := ParseStatement(text)
	if err != nil {
		return s, nil, err
	}
	sig, err := Parse(file)
	if err != nil {
		return s, nil, err
	}
	return s, sig, sig.Verify(text, StatementNamespace(s.City))
}
