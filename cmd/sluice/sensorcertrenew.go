package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/register/ca"
)

func certRenew() *cobra.Command {
	var valid, within string
	c := &cobra.Command{
		Use:   "renew DIR [ID...]",
		Short: "Give sensors a new certificate before the old one ends",
		Args:  between(1, -1),
		Long: "Gives each sensor named, or each whose certificate ends soon, a new key and certificate in\n" +
			"DIR/sensors. The old one holds on until its end, so that sensors can be changed over one by one. A\n" +
			"certificate that was revoked is not renewed; issue another.",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := period("valid", valid)
			if err != nil {
				return err
			}
			soon, err := period("within", within)
			if err != nil {
				return err
			}
			return withAuthority(args[0], func(a *ca.Authority, now time.Time) error {
				ids := args[1:]
				if len(ids) > 0 {
					err = renewable(a, ids)
				} else {
					var next ca.Certificate
					if ids, next, err = ending(a, soon.AddTo(now)); err == nil && len(ids) == 0 {
						return nothingEnds(cmd, next)
					}
				}
				if err != nil {
					return &exitError{exitFailed, err.Error()}
				}
				return issue(cmd, a, args[0], ids, p.AddTo(now))
			})
		},
	}
	c.Flags().StringVar(&valid, "valid", twoYears, "how long the certificates hold")
	c.Flags().StringVar(&within, "within", "P90D", "without an ID, renew those that end within this period")
	return c
}

// renewable refuses sensors that have nothing to renew.
func renewable(a *ca.Authority, ids []string) error {
	for _, id := range ids {
		switch c, err := a.Of(id); {
		case err != nil:
			return err
		case c == nil:
			return fmt.Errorf("%s has no certificate here; sluice sensor cert issue gives it one", id)
		case c.Revoked:
			return fmt.Errorf("the certificate of %s was revoked; sluice sensor cert issue gives it another", id)
		}
	}
	return nil
}

// ending are the sensors whose certificates end before a day, and otherwise the one that ends next.
func ending(a *ca.Authority, day time.Time) (ids []string, next ca.Certificate, err error) {
	all, err := a.All()
	if err != nil {
		return nil, next, err
	}
	for _, c := range all {
		switch {
		case c.Revoked:
		case c.Until.Before(day):
			ids = append(ids, c.ID)
		case next.ID == "" || c.Until.Before(next.Until):
			next = c
		}
	}
	return ids, next, nil
}

func nothingEnds(cmd *cobra.Command, next ca.Certificate) error {
	text := "there is no certificate"
	if next.ID != "" {
		text = fmt.Sprintf("the next to end is %s's, on %s", next.ID, next.Until.Format(time.DateOnly))
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "Nothing to renew: %s.\n", text)
	return err
}
