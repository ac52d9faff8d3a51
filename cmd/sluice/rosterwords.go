package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"sluice/gateway/cluster/roster"
	"sluice/gateway/config"
	"sluice/perm"
)

// followed is what a roster changes of the one before, where it may come after that.
func followed(r *roster.Roster, file, before string) ([]string, error) {
	if before == "" {
		return nil, nil
	}
	raw, err := perm.Read(before, perm.Trusted)
	if err != nil {
		return nil, &config.Refusal{Err: err}
	}
	old, err := roster.Parse(before, raw)
	if err != nil {
		return nil, &config.Refusal{Err: err}
	}
	if err := r.Follows(old, time.Now()); err != nil {
		return nil, &exitError{exitFailed, fmt.Sprintf("%s cannot come after %s: %v", file, before, err)}
	}
	return r.Changes(old), nil
}

// showRoster says what is otherwise in a roster, and what is unwise in it.
func showRoster(out io.Writer, r *roster.Roster, changes []string, before string) {
	switch {
	case before == "":
	case len(changes) == 0:
		fmt.Fprintf(out, "Nobody's part is otherwise than in %s.\n", before)
	default:
		fmt.Fprintf(out, "Otherwise than in %s:\n  %s\n", before, strings.Join(changes, "\n  "))
	}
	for _, role := range r.Lacks() {
		fmt.Fprintf(out, "Nobody is %s: until somebody is, nothing is published.\n", role)
	}
	if names := r.See(); len(names) > 0 {
		fmt.Fprintf(out, "Who publishes can see readings as well: %s.\n", strings.Join(names, ", "))
	}
}

// roleWords is what a member may do.
func roleWords(m roster.Member) string {
	if m.Left() {
		return "-"
	}
	words := make([]string, len(m.Roles))
	for i, role := range m.Roles {
		words[i] = string(role)
	}
	return strings.Join(words, ", ")
}
