package ballot

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/internal/pattern"
)

// Choice is what a member says of a motion.
type Choice string

// The choices. For is a signature over the motion's own text; a Statement with it is only the reason.
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
// Text is the SHA-256 of motion.txt. The line Reason is left out where there is none. Who votes for
// the motion can sign a reason beside that vote. It is none itself, so it is called otherwise, and has
// no line Choice:
//
//	Sluice reason, format 1
//
//	City: portalba
//	Motion: 2026-footfall
//	Text: sha256:2f...
//	Reason: The school asked for it.
//
// Each has one byte form only, and both a namespace that is not that of votes, so that no signature
// over one is one over a motion.
type Statement struct {
	City, Motion string
	Text         string // 64 characters of hex
	Choice       Choice // For has a reason
	Reason       string // one line of at most MaxReason characters
}

// MaxReason bounds a reason, in characters; MaxStatement the text of a statement, in bytes.
const (
	MaxReason    = 1000
	MaxStatement = 8 << 10
)

// What statements begin with: a ballot that is not for a motion, and a reason for one that is.
const (
	statementPrefix = "Sluice ballot, format 1\n\n"
	reasonPrefix    = "Sluice reason, format 1\n\n"
)

var (
	namePattern = pattern.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	hexPattern  = pattern.New(`^[0-9a-f]{64}$`)
)

// Bytes is the text that is signed; the statement must be one that Check takes.
func (s Statement) Bytes() []byte {
	var b bytes.Buffer
	begin, choice := statementPrefix, "Choice: "+string(s.Choice)+"\n"
	if s.Choice == For {
		begin, choice = reasonPrefix, ""
	}
	fmt.Fprintf(&b, "%sCity: %s\nMotion: %s\nText: sha256:%s\n%s", begin, s.City, s.Motion, s.Text, choice)
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
	case s.Choice != For && s.Choice != Against && s.Choice != Abstain:
		return errors.New("a ballot that is not for the motion is against, or abstain")
	case s.Choice == For && s.Reason == "":
		return errors.New("who is for the motion signs motion.txt, and beside it a text only to give a reason")
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

// IsStatement reports whether a file is meant as the text of a statement.
func IsStatement(text []byte) bool {
	return bytes.HasPrefix(text, []byte("Sluice ballot, ")) || bytes.HasPrefix(text, []byte("Sluice reason, "))
}

// ParseStatement reads the text of a statement; it does not say who has signed it.
func ParseStatement(text []byte) (Statement, error) {
	var s Statement
	if len(text) > MaxStatement {
		return s, errStatement
	}
	fields := []*string{&s.City, &s.Motion, &s.Text}
	keys := []string{"City: ", "Motion: ", "Text: sha256:"}
	body, ok := strings.CutPrefix(string(text), statementPrefix)
	if ok {
		fields, keys = append(fields, (*string)(&s.Choice)), append(keys, "Choice: ")
	} else if body, ok = strings.CutPrefix(string(text), reasonPrefix); ok {
		s.Choice = For
	} else if bytes.Contains(text, []byte("\r\n")) && IsStatement(text) {
		return s, errors.New("the ballot's text has the line ends of another system (CR LF); sign the text as " +
			"sluice motion ballot wrote it")
	}
	for i, key := range keys {
		line, rest, _ := strings.Cut(body, "\n")
		if *fields[i], ok = strings.CutPrefix(line, key); !ok {
			return s, errStatement
		}
		body = rest
	}
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
// that of votes for a motion, so that neither can ever be taken for the other: whatever is signed
// for it counts to no quorum.
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
