package machine

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// errCounted says that a city has had readings.
var errCounted = errors.New("the cluster has had readings or numbers already: a city moves into one that has never " +
	"had a gateway. Stop all gateways, stop the three servers, remove their stores (store_dir) and what other " +
	"gateways of the cluster have in dir and keys, start the servers, and move again")

// Idle refuses a city in which a machine works, or has worked: no log has a reading or a part, and nobody is there.
func (m *Machine) Idle(ctx context.Context) error {
	here, err := m.Duty.Everyone(ctx)
	if err != nil {
		return err
	}
	if len(here) > 0 {
		return fmt.Errorf("gateways of the cluster run: %s; stop them (or wait ten seconds after one was killed), and "+
			"start them after the move", strings.Join(here, ", "))
	}
	in, err := m.In.Last(ctx, "in.*.*")
	if err != nil {
		return err
	}
	part, err := m.Part.Last(ctx, "part.*.*.*")
	if err == nil && in+part > 0 {
		err = errCounted
	}
	return err
}
