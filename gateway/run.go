package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/gateway/crash"
	"sluice/gateway/release"
	"sluice/gateway/rollback"
)

// A stop takes at most five seconds, whatever stands still: ingest has one for its last
// commit and one for its peers, and then those who speak have this long.
const lastWords = 1500 * time.Millisecond

// Run works until ctx ends: batches flow from ingest to release, releases from
// the outbox to the store. It ends some seconds after ctx: what has not come to an end
// by then is left to the next start, as after a crash.
func (g *Gateway) Run(ctx context.Context) error {
	batches, done := make(chan release.Batch), make(chan release.Key)
	see, stopSpeaking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSpeaking()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var speaking errgroup.Group
	edge, ectx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{
		func(ctx context.Context) error { return g.ingest.Run(ctx, batches, done) },
		func(ctx context.Context) error { return g.release(ctx, batches, done) },
		g.watch, g.admin.Serve, g.admin.Watch, g.guard.Watch, g.guard.Inspect, g.compare.Run,
	} {
		edge.Go(func() error { return crash.Guard(func() error { return part(ectx) }) })
	}
	for _, part := range []func(context.Context) error{g.forward.Run, g.keepBooks} {
		speaking.Go(func() error {
			defer stop() // none of them works without the others
			return crash.Guard(func() error { return part(see) })
		})
	}
	err := edge.Wait()
	stopSpeaking() // what was released by now still goes out
	return errors.Join(err, g.await(&speaking))
}

// await waits for those who speak, and not for ever: a disk that does not answer cannot
// be called off.
func (g *Gateway) await(speaking *errgroup.Group) error {
	ended := make(chan error, 1)
	go func() { ended <- speaking.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(lastWords + lastWords/3):
		g.log.Warn("the store or the ledger does not answer; what is left is done at the next start")
		return nil
	}
}

// Close gives everything back; Run must have returned.
func (g *Gateway) Close() error {
	var errs []error
	if g.rules != nil {
		errs = append(errs, g.rules.Close())
	}
	if g.ledger != nil {
		errs = append(errs, g.ledger.Close())
	}
	if g.store != nil {
		errs = append(errs, g.store.Close())
	}
	if g.admin != nil {
		errs = append(errs, g.admin.Close())
	}
	if g.lock != nil {
		errs = append(errs, g.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the gateway: %w", err)
	}
	return nil
}

// Recover makes an older state directory that was put back fit to go on, and brings the
// public books up to date (rollback.Guard.Recover).
func (g *Gateway) Recover(ctx context.Context) (rollback.Recovered, error) {
	out, err := g.guard.Recover(ctx, g.compare)
	if err == nil && (out.Behind != "" || out.Gone > 0) {
		err = g.writeBooks(ctx)
	}
	return out, err
}
