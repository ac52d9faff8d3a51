// Package machine is what one of a cluster's machines shares with the others: its place among them, and the logs that
// all roles meet in.
//
//	IN       fronts to workers          STATE    a worker to the next one of its partition
//	PART     workers to the releaser    BOOKS    the releaser to all: the ledger, and from when on which policy holds
//
// Each machine has a ledger that follows BOOKS, and takes policies from there. It says something of windows only while
// it knows the books as they were a short while ago (Fresh): a policy stands in them for longer before it holds, so
// nobody counts under one that does not hold any more.
package machine

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"sluice/gateway/cluster/books"
	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/logs"
	"sluice/gateway/cluster/member"
	"sluice/gateway/cluster/parts"
	"sluice/internal/retry"
)

// Config is what a machine needs beside the section of its configuration.
type Config struct {
	Member member.Config
	// Keys is a memory-backed directory for the cluster's keys; empty for none.
	Keys string
	// CatchUp is how long windows wait for what is late.
	CatchUp time.Duration
	// Simulation keeps keys for a year, since its time is not the machine's.
	Simulation bool
	// StaleAfter is how old what it knows of the books may be.
	StaleAfter time.Duration
	Log        *slog.Logger
}

// Machine is connected, and has the logs open.
type Machine struct {
	*member.Member
	Books *books.Books
	In    *engine.Log
	State *engine.Log
	Part  *engine.Log

	cfg      Config
	known    atomic.Int64 // when the books were last known, in nanoseconds since began
	began    time.Time
	proposes atomic.Bool
	// overtaken says that a policy is not in force here in time.
	overtaken atomic.Bool
	watch     watch
}

// How long keys live, beside the time that windows wait: units are recognised for a day at most, and what is late may
// be a day late.
const (
	day   = 24 * time.Hour
	aYear = 399 * day
)

// Open reads who this machine is, connects, and opens the logs.
func Open(ctx context.Context, cfg Config) (_ *Machine, err error) {
	cfg.Member.SetDefaults()
	place := member.Place{Keys: cfg.Keys, Tags: cfg.CatchUp + day, Opens: cfg.CatchUp + 2*day + time.Hour,
		Single: cfg.Simulation && len(cfg.Member.NATS) == 1, Now: time.Now, Log: cfg.Log}
	if cfg.Simulation {
		place.Tags, place.Opens = aYear, aYear
	}
	m := &Machine{cfg: cfg, began: time.Now()}
	if m.Member, err = member.Open(ctx, cfg.Member, place); err != nil {
		return nil, err
	}
	replicas := 3
	if place.Single {
		replicas = 1
	}
	var kept *engine.Log
	for _, one := range []struct {
		spec engine.Spec
		log  **engine.Log
	}{
		{logs.InSpec(replicas), &m.In}, {logs.StateSpec(replicas), &m.State}, {parts.Spec(replicas), &m.Part},
		{books.Spec(replicas), &kept},
	} {
		if *one.log, err = m.Data.Open(ctx, one.spec); err != nil {
			m.Close()
			return nil, err
		}
	}
	m.Books = books.Of(kept)
	return m, nil
}

// Away reports whether an error is that no majority of the servers answers, so that the same may work later.
func Away(err error) bool { return errors.Is(err, engine.ErrAway) }

// Known notes that all that stood in the books at an instant is known, and holds here in time.
func (m *Machine) Known(at time.Time) {
	m.overtaken.Store(false)
	m.known.Store(int64(at.Sub(m.began)))
}

// Overtaken notes that a policy holds, or soon does, that is not in force here yet.
func (m *Machine) Overtaken() { m.overtaken.Store(true) }

// errOvertaken ends a front: it has readings in hand that it may have planned under a policy that does not hold any
// more. Nobody has acknowledged them, so sensors send them again to what starts in its place.
var errOvertaken = errors.New("another policy came while the cluster's books could not be read: what is in hand may " +
	"be of the one before, and is left; who starts again takes the new one first")

// Fresh waits until the books are known as they were a short while ago.
func (m *Machine) Fresh(ctx context.Context) error {
	for !m.fresh() {
		if m.overtaken.Load() {
			return errOvertaken
		}
		if !retry.Sleep(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

func (m *Machine) fresh() bool {
	known := m.known.Load()
	return known != 0 && time.Since(m.began)-time.Duration(known) < m.cfg.StaleAfter
}

// Proposes reports whether this machine puts policies into the books: the one that releases.
func (m *Machine) Proposes() bool { return m.proposes.Load() }

// releasing is the duty that only one machine has.
const releasing = "releaser"

// Release does what only one machine does, while it is this one, until ctx ends.
func (m *Machine) Release(ctx context.Context, run func(ctx context.Context) error) {
	m.Duty.Alone(ctx, releasing, func(ctx context.Context) error {
		m.proposes.Store(true)
		defer m.proposes.Store(false)
		return run(ctx)
	})
}

// Partitions is into how many the city's units fall.
func (m *Machine) Partitions() int { return m.cfg.Member.Partitions }

// Name is this machine's in the roster.
func (m *Machine) Name() string { return m.cfg.Member.Name }

// Problem says what keeps the machine from its work; empty for nothing.
func (m *Machine) Problem() string {
	why := m.alone()
	switch {
	case why != "":
		return why
	case !m.fresh():
		return "the cluster's books have not been read for long: nothing is acknowledged and nothing is released " +
			"until they are"
	}
	return m.Member.Problem()
}
