package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/internal/civil"
	"sluice/register/ca"
)

// twoYears is how long a sensor's certificate holds by default.
const twoYears = "P2Y"

// withAuthority runs f with the authority of a directory, which no other verb changes meanwhile.
func withAuthority(dir string, f func(a *ca.Authority, now time.Time) error) error {
	if !isDir(dir) {
		_, err := ca.Open(dir, time.Now())
		return refused(err)
	}
	return alone(dir, func() error {
		now := time.Now()
		a, err := ca.Open(dir, now)
		if err != nil {
			return &config.Refusal{Err: err}
		}
		return f(a, now)
	})
}

// period reads a flag such as P2Y.
func period(flag, text string) (civil.Period, error) {
	p, err := civil.ParsePeriod(text)
	if err != nil || p.IsZero() {
		return p, &usageError{"--" + flag + " is a period such as P2Y or P90D"}
	}
	return p, nil
}

// issue issues certificates and says so.
func issue(cmd *cobra.Command, a *ca.Authority, dir string, ids []string, until time.Time) error {
	bar := progress(cmd.ErrOrStderr(), len(ids), "issuing")
	err := a.Issue(ids, until, func(done int) { _ = bar.Set(done) })
	_ = bar.Finish()
	if err != nil {
		return &config.Refusal{Err: err}
	}
	if until.After(a.Until()) {
		until = a.Until()
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s until %s, in %s/sensors\n",
		counted(len(ids), "certificate", "certificates"), until.Format(time.DateOnly), dir)
	return err
}
