package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/register"
	"sluice/register/ca"
)

func certIssue() *cobra.Command {
	var file, valid string
	c := &cobra.Command{
		Use:   "issue DIR ID...",
		Short: "Give sensors a key and a certificate",
		Args:  between(1, -1),
		Long: "Writes DIR/sensors/ID.crt and ID.key for each sensor; the certificate's common name is the id. With\n" +
			"--register, for each sensor of the register that has no certificate that holds; for a broker, also\n" +
			"issue one for the gateway's user name.",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := period("valid", valid)
			if err != nil {
				return err
			}
			dir, ids := args[0], args[1:]
			if (file == "") == (len(ids) == 0) {
				return &usageError{"name the sensors, or --register FILE, and not both"}
			}
			return withAuthority(dir, func(a *ca.Authority, now time.Time) error {
				if file != "" {
					ids, err = without509(a, file, now)
				} else {
					err = noneHolds(a, ids, now)
				}
				if err != nil {
					return err
				}
				return issue(cmd, a, dir, ids, p.AddTo(now))
			})
		},
	}
	c.Flags().StringVar(&file, "register", "", "register whose sensors get one, a file or a directory")
	c.Flags().StringVar(&valid, "valid", twoYears, "how long the certificates hold")
	return c
}

// noneHolds refuses sensors that have a certificate that holds.
func noneHolds(a *ca.Authority, ids []string, now time.Time) error {
	for _, id := range ids {
		c, err := a.Of(id)
		if err != nil {
			return &exitError{exitFailed, err.Error()}
		}
		if c.Holds(now) {
			return &exitError{exitFailed, fmt.Sprintf("%s has a certificate until %s; use that, or sluice sensor cert "+
				"renew, or revoke it first", id, c.Until.Format(time.DateOnly))}
		}
	}
	return nil
}

// without509 are those who may publish, by a register, and have no certificate (X.509) that holds.
func without509(a *ca.Authority, file string, now time.Time) (ids []string, err error) {
	reg, err := register.Load(file, os.ReadFile)
	if err != nil {
		return nil, &config.Refusal{Err: err}
	}
	for _, id := range reg.Users() {
		c, err := a.Of(id)
		if err != nil {
			return nil, &exitError{exitFailed, err.Error()}
		}
		if !c.Holds(now) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
