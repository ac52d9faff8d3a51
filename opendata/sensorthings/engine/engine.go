// Package engine answers the requests of OGC SensorThings 1.1 (18-088) for whatever has
// entities: it follows resource paths, filters, sorts, pages, expands and writes JSON, CSV and
// data arrays. It holds nothing, and changes nothing.
//
// A Store gives it entities: one by its id, or many, all or those behind a link. What a filter
// says of time, of ids and of Datastreams is handed to the store as hints, so that it need not
// read what cannot match; every entity is held against the whole filter afterwards.
//
// All that an answer costs is bounded: entities, bytes, and work, of which reading a row is
// one and comparing shapes may be many. A page that would cost more ends early and says so by
// @iot.nextLink; what needs all entities at once (a count, an order that the store does not
// have) fails, with what would help.
package engine

import (
	"context"
	"errors"
	"iter"
	"time"

	"sluice/opendata/sensorthings/odata"
)

// Store has entities.
type Store interface {
	// One is an entity by its id; ErrNone where there is none.
	One(ctx context.Context, t *Type, id odata.ID) (*Entity, error)
	// Many are all entities that are asked for, perhaps more where a hint is not understood, in
	// the order of their marks: of Observations by phenomenonTime.
	Many(ctx context.Context, ask Ask) iter.Seq2[*Entity, error]
	// Now is what now() is: the time up to which the store has everything.
	Now(ctx context.Context) (time.Time, error)
}

// Ask says which entities.
type Ask struct {
	Type *Type
	// From is the entity whose Link leads to them; nil for all of a type.
	From *Entity
	Link *Link
	// After is the mark behind which to begin; empty for the beginning.
	After string
	// Newest: in the reverse order.
	Newest bool
	Work   *Work

	// Hints.
	ID    *odata.ID
	Times map[string]Span // by property
	// Among is whether the Observations of a Datastream can match; nil for those of all.
	Among func(datastream *Entity) (bool, error)
}

// Span is a span of time, both ends included; a zero end is open.
type Span struct{ From, To time.Time }

// Touches reports whether a time has an instant of the span, or borders on it.
func (s Span) Touches(t odata.Time) bool {
	return (s.From.IsZero() || !t.End.Before(s.From)) && (s.To.IsZero() || !t.Start.After(s.To))
}

// Entity is an entity. Values are by property: texts, float64, bool, odata.Time, *Shape, and
// what JSON decodes to; what it has not is absent. It is never changed.
type Entity struct {
	Type   *Type
	ID     odata.ID
	Mark   string // its place among others, for what continues behind it
	Values map[string]any
	// Of is what the store knows it by; nothing to the engine.
	Of any
}

// ErrNone means that there is no such entity.
var ErrNone = errors.New("there is no such entity")

// errWork means that an answer costs too much.
var errWork = errors.New("too much work")

// maxWork is what one answer may cost: about so many rows.
const maxWork = 200_000

// Work is how much an answer may still cost.
type Work struct{ left int }

// NewWork is what one answer may cost.
func NewWork() *Work { return &Work{maxWork} }

// Take takes from it; an error where there is not so much left.
func (w *Work) Take(n int) error {
	if w.left -= n; w.left < 0 {
		return errWork
	}
	return nil
}
