// Package store defines released observations, the only data that leaves a gateway. An
// observation never changes; writing it again writes the same bytes. A withdrawn one loses
// its number and never gets another.
package store

import (
	"cmp"
	"errors"
	"time"
)

// ErrRefused means that a store rejects some of the observations for good: retrying does
// not help; writing the others without them does.
var ErrRefused = errors.New("the store refuses some of it for good")

// Status is the status of a released observation.
type Status string

// The statuses. "Nobody" and "too few" are both withheld and cannot be told apart.
const (
	Published Status = "published"
	Withheld  Status = "withheld"
	NoData    Status = "no_data"
	Withdrawn Status = "withdrawn"
)

// Observation is one released answer of one gateway for one cell, window and measure.
// Value, Low and High are nil unless Status is published.
type Observation struct {
	// Gateway is the gateway that released it; empty in rows of earlier versions.
	Gateway    string    `json:"gateway,omitempty"`
	Stream     string    `json:"stream"`
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Every      string    `json:"every"`
	Cell       string    `json:"cell"`
	Zone       string    `json:"zone"`
	Category   string    `json:"category"`
	Measure    string    `json:"measure"`
	Status     Status    `json:"status"`
	Reason     string    `json:"reason"`
	Value      *float64  `json:"value"`
	Low        *float64  `json:"low"`
	High       *float64  `json:"high"`
	Unit       string    `json:"unit"`
	Decision   string    `json:"decision"`
	Policy     string    `json:"policy"`
	Mechanism  string    `json:"mechanism"`
	Epsilon    float64   `json:"epsilon"`
	Scale      float64   `json:"scale"`
	Threshold  float64   `json:"threshold"`
	Ledger     int64     `json:"ledger"`
	Simulation bool      `json:"simulation"`
}

// Withdraw returns the observation without its number, withdrawn for a public reason.
func (o Observation) Withdraw(reason string) Observation {
	o.Status, o.Reason, o.Value, o.Low, o.High = Withdrawn, reason, nil, nil, nil
	return o
}

// Query asks for observations of one stream, ordered by start, cell, measure, gateway.
type Query struct {
	// Desc reverses the order, the newest first: in all four.
	Desc     bool
	Stream   string
	From, To time.Time // on Start; From inclusive, To exclusive
	Cells    []string  // empty: all
	Measures []string  // empty: all
	Gateways []string  // their rows, and those that name none; empty: all
	Statuses []Status  // empty: all
	Limit    int
	// Which rows; by default those of windows alone.
	Which Which
	// After continues behind an observation; nil starts at the beginning.
	After *Position
}

// Position is the place after which a page continues.
type Position struct {
	Start                  time.Time
	Cell, Measure, Gateway string
}

// Compare returns a negative number where an observation is before the position in the
// order of a query, 0 where it is the one of the position, and a positive one behind it.
func (q *Query) Compare(o *Observation, p *Position) int {
	order := cmp.Or(o.Start.Compare(p.Start), cmp.Compare(o.Cell, p.Cell), cmp.Compare(o.Measure, p.Measure),
		cmp.Compare(o.Gateway, p.Gateway))
	if q.Desc {
		return -order
	}
	return order
}

// At returns the position of an observation.
func At(o *Observation) *Position { return &Position{o.Start, o.Cell, o.Measure, o.Gateway} }
