package config

import (
	"context"
	"time"

	"sluice/store"
	"sluice/store/influx"
	"sluice/store/sqlite"
)

// ReleaseStore is where releases are kept.
type ReleaseStore interface {
	Write(ctx context.Context, list []store.Observation) error
	Observations(ctx context.Context, q store.Query) ([]store.Observation, error)
	// ClosedUntil is where the last window of a stream ends; the zero time for none.
	ClosedUntil(ctx context.Context, stream string) (time.Time, error)
	// Remove removes numbers whose time is over, at most so many, and says how many it was.
	Remove(ctx context.Context, stream, decision string, gateways []string, until time.Time, most int) (int, error)
	Close() error
}

// File is the path of the store where it is a file; empty for another.
func (s Store) File() string {
	if s.SQLite == nil {
		return ""
	}
	return s.SQLite.Path
}

// Open opens the store for the one process that writes to it.
func (s Store) Open(ctx context.Context) (ReleaseStore, error) {
	if s.Influx != nil {
		return opened(influx.Open(*s.Influx))
	}
	return opened(sqlite.Open(ctx, s.SQLite.Path))
}

// OpenBeside opens the store beside the gateway that writes to it.
func (s Store) OpenBeside(ctx context.Context) (ReleaseStore, error) {
	if s.Influx != nil {
		return s.Open(ctx)
	}
	return opened(sqlite.OpenReader(s.SQLite.Path))
}

// opened is a store, or an error and no nil pointer in an interface.
func opened[S ReleaseStore](s S, err error) (ReleaseStore, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}
