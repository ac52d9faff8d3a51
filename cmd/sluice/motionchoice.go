package main

import (
	"fmt"
	"io"

	"sluice/policy/ballot"
	"sluice/policy/council"
)

// choiceWord is what a member does who signed a statement.
func choiceWord(v locale, c ballot.Choice) string {
	switch c {
	case ballot.For:
		return v.Say("for it")
	case ballot.Against:
		return v.Say("against")
	}
	return v.Say("abstains")
}

// quoted is a reason after its member's name; nothing where there is none.
func quoted(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// tellStatements says who was not for an enacted motion, and the reasons of those who were.
func tellStatements(w io.Writer, v locale, list []council.Statement) {
	for _, s := range list {
		fmt.Fprintf(w, "    %s: %s%s\n", choiceWord(v, s.Choice), s.Name, quoted(s.Reason))
	}
}
