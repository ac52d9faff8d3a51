package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"sluice/gateway/cluster/roster"
	"sluice/gateway/config"
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
