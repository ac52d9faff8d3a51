package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sluice/gateway/cluster/roster"
	"sluice/gateway/config"
	"sluice/internal/civil"
)

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
