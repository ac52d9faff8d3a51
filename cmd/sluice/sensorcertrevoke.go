package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/register/ca"
)

func certRevoke() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke DIR ID...",
		Short: "Turn sensors out: their certificates hold no more",
		Args:  between(2, -1),
		Long: "Writes every certificate that the sensors were given into DIR/crl.pem. A gateway whose listen: {tls:\n" +
			"{crl}} names that file, or a copy of it, cuts their connections within seconds; mosquitto reads its\n" +
			"crlfile at a reload, and keeps connections that stand.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAuthority(args[0], func(a *ca.Authority, _ time.Time) error {
				for _, id := range args[1:] {
					if a.Holding(id) == 0 {
						return &exitError{exitFailed, fmt.Sprintf("%s has no certificate of this authority that "+
							"holds, so nothing is revoked; mind the spelling", id)}
					}
				}
				n, err := a.Revoke(args[1:])
				if err != nil {
					return &config.Refusal{Err: err}
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s revoked, in %s\n",
					counted(n, "certificate is", "certificates are"), a.List())
				return err
			})
		},
	}
}
