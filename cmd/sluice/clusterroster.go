package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/cluster/roster"
	"sluice/gateway/config"
	"sluice/internal/civil"
	"sluice/perm"
	"sluice/policy/ballot"
)

func rosterSignCommand() *cobra.Command {
	var key, before string
	c := &cobra.Command{
		Use:   "sign ROSTER --key FILE [--before OLD]",
		Short: "Sign who the machines are",
		Args:  between(1, 1),
		Long: "Writes ROSTER.sig, as ssh-keygen -Y sign -n sluice-roster does, and says what is other than\n" +
			"in OLD, the roster that holds. A roster of version 2 or later needs that: an older version, and\n" +
			"one that takes back what a front has committed to, are refused. FILE is an ed25519 key of OpenSSH\n" +
			"without a passphrase; with one, or a token, sign with ssh-keygen and use sluice cluster roster check.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if key == "" {
				return &usageError{"whose signature? give --key FILE, whose public half is in the machines' signers"}
			}
			return signRoster(cmd.OutOrStdout(), args[0], key, before)
		},
	}
	c.Flags().StringVar(&key, "key", "", "private key of who signs (required)")
	c.Flags().StringVar(&before, "before", "", "roster that holds")
	return c
}

func signRoster(out io.Writer, file, key, before string) error {
	raw, err := perm.Read(file, perm.Trusted)
	if err != nil {
		return &config.Refusal{Err: err}
	}
	r, err := roster.Parse(file, raw)
	if err != nil {
		return &config.Refusal{Err: err}
	}
	if before == "" && r.Version > 1 {
		return &usageError{fmt.Sprintf("%s is of version %d: give --before with the roster that holds, so that what "+
			"changes can be seen", file, r.Version)}
	}
	changes, err := followed(r, file, before)
	if err != nil {
		return err
	}
	private, err := perm.Read(key, perm.Secret)
	if err != nil {
		return &config.Refusal{Err: err}
	}
	defer clear(private)
	sig, err := ballot.Sign(private, raw, roster.Namespace)
	if err != nil {
		return config.Refuse("%s: %w; sign with OpenSSH: ssh-keygen -Y sign -f %[1]s -n %[3]s %[4]s", key, err,
			roster.Namespace, file)
	}
	if err := perm.Replace(file+".sig", sig.File(), 0o644); err != nil {
		return failed(err)
	}
	showRoster(out, r, changes, before)
	_, err = fmt.Fprintf(out, "%s.sig is by %s. Both files go to all machines; each takes them within a minute.\n",
		file, sig.Key.Fingerprint())
	return err
}

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

func rosterCheckCommand() *cobra.Command {
	var allowed, before string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check ROSTER --signers FILE [--before OLD]",
		Short: "Say who signed a roster, and which machine may do what",
		Args:  between(1, 1),
		Long: "Reads ROSTER and ROSTER.sig, and FILE, which says who may sign, as allowed_signers of ssh-keygen(1)\n" +
			"does; machines have it as signers among their credentials. With OLD, the roster that holds, it says\n" +
			"what is otherwise, and refuses what machines would not take after it. Exit codes: 0 machines take it,\n" +
			"1 they do not, 3 a file cannot be read.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if allowed == "" {
				return &usageError{"who may sign? give --signers FILE, with NAME and an SSH public key a line"}
			}
			return checkRoster(cmd.OutOrStdout(), args[0], allowed, before, asJSON)
		},
	}
	c.Flags().StringVar(&allowed, "signers", "", "who may sign: NAME and an SSH public key a line (required)")
	c.Flags().StringVar(&before, "before", "", "roster that holds")
	c.Flags().BoolVar(&asJSON, "json", false, "print what is found as JSON")
	return c
}

func checkRoster(out io.Writer, file, allowed, before string, asJSON bool) error {
	for _, path := range []string{file, allowed} {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return &config.Refusal{Err: err}
		}
	}
	r, by, err := roster.Read(file, allowed)
	if err != nil {
		return failed(err)
	}
	changes, err := followed(r, file, before)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, rosterJSON(r, by, changes))
	}
	fmt.Fprintf(out, "Version %d, signed by %s.\n\n", r.Version, by)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MEMBER\tMAY\tUNTIL\tKEY")
	for _, m := range r.Members {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", m.Name, roleWords(m), untilOf(m), m.Key.Fingerprint())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	showRoster(out, r, changes, before)
	return nil
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

// untilOf is the last day on which a member that is no front any more was one.
func untilOf(m roster.Member) string {
	if m.FrontUntil == (civil.Date{}) {
		return "-"
	}
	return "front " + m.FrontUntil.String()
}

// rosterJSON lists what machines take of a roster, field by field.
func rosterJSON(r *roster.Roster, by string, changes []string) any {
	type member struct {
		Name        string        `json:"name"`
		Fingerprint string        `json:"fingerprint"`
		Roles       []roster.Role `json:"roles"`
		FrontUntil  string        `json:"front_until,omitempty"`
	}
	list := make([]member, len(r.Members))
	for i, m := range r.Members {
		list[i] = member{Name: m.Name, Fingerprint: m.Key.Fingerprint(), Roles: m.Roles}
		if m.FrontUntil != (civil.Date{}) {
			list[i].FrontUntil = m.FrontUntil.String()
		}
	}
	return map[string]any{"version": r.Version, "signed_by": by, "members": list,
		"changes": append([]string{}, changes...), "lacks": append([]roster.Role{}, r.Lacks()...),
		"publishes_and_sees": append([]string{}, r.See()...)}
}
