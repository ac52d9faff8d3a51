package main

import (
	"fmt"
	"io"

	"sluice/policy/council"
)

// tellBallots says what is the matter with files among the ballots: which ones do not count, and
// which count for somebody else than they are called after.
func tellBallots(w io.Writer, v locale, problems []error) {
	for _, p := range problems {
		if council.IsMisnamed(p) {
			fmt.Fprintln(w, v.Say("  look: %s", v.Retell(terminalText(p))))
		} else {
			fmt.Fprintln(w, v.Say("  ignored: %s", v.Retell(terminalText(p))))
		}
	}
}
