package rollback

import (
	"context"
	"errors"
	"time"

	"sluice/gateway/ledger"
)

// A start looks only at the ends of the ledger's books. All of the file is read
// beside, a little later and then once a day.
const (
	inspectAfter = 3 * time.Second
	inspectEvery = 24 * time.Hour
)

// Inspect reads the whole ledger beside everything else and says what is wrong, until ctx
// ends.
func (g *Guard) Inspect(ctx context.Context) error {
	wait := inspectAfter
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
			wait = inspectEvery
		}
		err := g.ledger.Check(ctx)
		var damaged *ledger.Damaged
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &damaged):
			g.log.Error("the ledger is damaged", "error", err)
		case err != nil:
			g.log.Warn("the ledger could not be looked through; it is tried again tomorrow", "error", err)
			continue
		}
		g.mu.Lock()
		g.damage = ""
		if damaged != nil {
			g.damage = damaged.Error()
			g.trusted.Store(false) // nothing is released from it
		}
		g.mu.Unlock()
	}
}
