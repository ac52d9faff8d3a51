package admin

import (
	"context"
	"time"

	"sluice/gateway/ingest"
	"sluice/plan"
	"sluice/policy/rego"
	"sluice/store"
)

// Sources are what the admin interface shows, asked for whenever somebody looks.
type Sources struct {
	// Simulation shows traffic as it is; else it is shown once an hour, since when
	// something came tells of people.
	Simulation bool
	// Probes ask every part how it is, by the names of /readyz: an empty answer is a good
	// one, any other says what to do. Each may take its time.
	Probes map[string]func(context.Context) string
	// Notes are what is to be said although every part works.
	Notes func() []string
	// Report is of ingest.
	Report func() ingest.Report
	// Released are observations since the start, by status.
	Released func() map[store.Status]int64
	Outbox   Outbox
	Asides   Asides
	Budget   Budget
	// StoreDiffers is in how many windows the store lacks something, or has more.
	StoreDiffers func() (missing, extra int)
	Policy       func() Policy
	Watch        Watch
	// Cluster is how this machine does among others, and Behind by how much the last that was counted of each
	// partition of this machine is older than the last that came; nil where it is alone.
	Cluster func() Cluster
	Behind  func(context.Context) map[int]time.Duration

	health *health
}

// Outbox is what waits for the store.
type Outbox interface {
	// Waiting is its size in windows and bytes.
	Waiting(context.Context) (rows, bytes int64, err error)
}

// Asides are what the store has refused for good.
type Asides interface {
	Count(context.Context) (windows, rows int64, reason string, err error)
}

// Budget is the share of each decision's budget that is left.
type Budget interface {
	Left(context.Context) (map[string]float64, error)
}

// Policy is what is shown of the policy in force.
type Policy struct {
	// Streams of the policy in force; none where there is none.
	Streams []*plan.Stream
	// Versions are how many policies this gateway has run.
	Versions int
	// Refused are policies since the start, by why.
	Refused map[rego.Code]int
}

// Cluster is what is shown of one of several machines.
type Cluster struct {
	// Leases are those that it holds, Duties what it does under them, and Lost and Fenced how often since
	// the start a lease was lost, and somebody else had written.
	Leases, Duties, Lost, Fenced int64
	// Batches were acknowledged by the servers since the start, and took so long in all.
	Batches      uint64
	Acknowledged time.Duration
	// Waits are the fronts and partitions that windows wait for.
	Waits int
}
