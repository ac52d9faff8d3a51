package ballot

import (
	"bytes"
	"strings"
	"testing"
)

func stated() Statement {
	return Statement{City: "portalba", Motion: "2026-footfall", Text: strings.Repeat("0a", 32), Choice: Against,
		Reason: "Una hora és massa poc: així no."}
}

// TestOneStatementOneText: what is read has one byte form, and what a reason may not be is refused.
func TestOneStatementOneText(t *testing.T) {
	for _, change := range []func(*Statement){
		func(*Statement) {},
		func(s *Statement) { s.Choice, s.Reason = Abstain, "" },
		func(s *Statement) { s.Reason = strings.Repeat("é", MaxReason) },
		func(s *Statement) { s.Reason = "Choice: for" },
		func(s *Statement) { s.Choice = For },
	} {
		s := stated()
		change(&s)
		again, err := ParseStatement(s.Bytes())
		if err != nil || again != s {
			t.Errorf("%q is %+v (%v)", s.Bytes(), again, err)
		}
	}
	for name, change := range map[string]func(*Statement){
		"another line":       func(s *Statement) { s.Reason = "no\nChoice: abstain" },
		"blanks":             func(s *Statement) { s.Reason = " no" },
		"a long reason":      func(s *Statement) { s.Reason = strings.Repeat("x", MaxReason+1) },
		"hidden characters":  func(s *Statement) { s.Reason = "no\u202eon" },
		"no text":            func(s *Statement) { s.Reason = "\xff" },
		"for, and no reason": func(s *Statement) { s.Choice, s.Reason = For, "" },
		"a choice of nobody": func(s *Statement) { s.Choice = "For" },
		"no choice":          func(s *Statement) { s.Choice = "" },
		"a city of lines":    func(s *Statement) { s.City = "x\nMotion: y" },
		"no digest":          func(s *Statement) { s.Text = strings.Repeat("A", 64) },
	} {
		s := stated()
		change(&s)
		if _, err := ParseStatement(s.Bytes()); err == nil || s.Check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	good := string(stated().Bytes())
	for _, bad := range []string{"", good + "\n", strings.TrimSuffix(good, "\n"), " " + good,
		strings.ReplaceAll(good, "\n", "\r\n"), strings.Replace(good, "format 1", "format 2", 1),
		strings.Replace(good, "Reason: ", "Reason:  ", 1), strings.Replace(good, "sha256:", "sha256: ", 1),
		good + "Reason: two\n", strings.Replace(good, "Choice: against", "Choice: for", 1),
		strings.Replace(good, "ballot, format", "reason, format", 1)} {
		if _, err := ParseStatement([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// TestAStatementIsNoVote: a signature over one is none over the other, whatever was signed.
func TestAStatementIsNoVote(t *testing.T) {
	private, _, err := Generate("anna")
	check(t, err)
	text := stated().Bytes()
	own, err := Sign(private, text, StatementNamespace("portalba"))
	check(t, err)
	if _, _, err := ReadStatement(text, own.File()); err != nil {
		t.Error(err)
	}
	if own.Verify(text, "sluice-vote@portalba") == nil {
		t.Error("a statement is a vote")
	}
	vote, err := Sign(private, text, "sluice-vote@portalba")
	check(t, err)
	if _, _, err := ReadStatement(text, vote.File()); err == nil {
		t.Error("a vote is a statement")
	}
	abstain := bytes.Replace(text, []byte("against"), []byte("abstain"), 1)
	if _, _, err := ReadStatement(abstain, own.File()); err == nil {
		t.Error("a signature is over another choice")
	}
	if got := StatementSigners([]byte(`a namespaces="sluice-vote@x" k`), "sluice-vote@x", "x"); string(got) !=
		`a namespaces="sluice-ballot@x" k` {
		t.Errorf("%s", got)
	}
}

// FuzzStatement: what is read is written as it was.
func FuzzStatement(f *testing.F) {
	f.Add(stated().Bytes())
	f.Add([]byte(statementPrefix + "City: a\nMotion: b\n"))
	f.Add(bytes.Replace(bytes.Replace(stated().Bytes(), []byte("ballot"), []byte("reason"), 1),
		[]byte("Choice: against\n"), nil, 1))
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, err := ParseStatement(text); err == nil && (!bytes.Equal(s.Bytes(), text) || s.Check() != nil) {
			t.Errorf("%q is %+v", text, s)
		}
	})
}
