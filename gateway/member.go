package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"sluice/gateway/activation"
	"sluice/gateway/admin"
	"sluice/gateway/cluster/edge"
	"sluice/gateway/cluster/machine"
	"sluice/gateway/cluster/parts"
	"sluice/gateway/cluster/roster"
	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/gateway/release"
	"sluice/internal/retry"
	"sluice/plan"
)

// member is what a gateway is beside others.
type member struct {
	*machine.Machine
	cfg  *config.Config
	log  *slog.Logger
	edge *edge.Edge // the side that sees people, from when it is open
	held retry.Once // why nobody writes into the books
	// The rooms that follow the books of all, from when they are open.
	ledger   *ledger.Ledger
	policies *activation.Policies
	wrong    func() map[string]admin.Check // what does not work here
	told     atomic.Int64                  // of released
}

// join makes this process one of a cluster's machines; nil where it is to be none.
func join(ctx context.Context, cfg *config.Config, keys string, log *slog.Logger) (*member, error) {
	if cfg.Cluster == nil {
		return nil, nil
	}
	m := &member{cfg: cfg, log: log}
	if err := m.patiently(ctx, func() error { return m.connect(ctx, keys) }); err != nil {
		return nil, err
	}
	return m, nil
}

// connect connects once.
func (m *member) connect(ctx context.Context, keys string) (err error) {
	if keys != "" {
		keys = filepath.Join(keys, "cluster")
	}
	m.Machine, err = machine.Open(ctx, machine.Config{
		Member: *m.cfg.Cluster, Keys: keys, CatchUp: m.cfg.Windows.CatchUp.Nominal(), Simulation: m.cfg.Simulation,
		StaleAfter: activation.StaleAfter, Log: m.log,
	})
	return err
}

// patiently does something again for as long as the servers are away: after a power cut a gateway is up before them.
func (m *member) patiently(ctx context.Context, do func() error) error {
	var news retry.Once
	for pause := (retry.Backoff{First: time.Second, Longest: 5 * time.Second}); ; {
		err := do()
		if err == nil || !machine.Away(err) {
			return err
		}
		if news.News(err.Error()) {
			m.log.Warn("the cluster's servers are away; the gateway waits for them", "error", err)
		}
		if !pause.Wait(ctx) {
			return err
		}
	}
}

// unmoved refuses the state of a gateway that was none of a cluster's machines: its open windows would be lost without
// a word.
func unmoved(ctx context.Context, l *ledger.Ledger, dir string) error {
	err := l.Recovery.Alone(ctx)
	if errors.Is(err, ledger.ErrShared) {
		return nil
	}
	n, err2 := l.Policies.Number(ctx)
	if err := errors.Join(err, err2); err != nil || n == 0 {
		return err
	}
	return fmt.Errorf("dir: %s is that of a gateway that ran alone: sluice cluster move -c FILE brings its books and "+
		"open windows into the cluster; or give this machine a directory of its own that is empty", dir)
}

// Follow takes over what other machines have written into the books. Where these have come back shorter nobody writes
// there until they are recovered, so what is known holds: fronts and workers go on.
func (m *member) Follow(ctx context.Context) error {
	err := m.ledger.Follow(ctx)
	switch said := m.ledger.Recovery.Held(ctx); {
	case !m.held.News(said):
	case said == "":
		m.log.Info("the books that machines share are recovered")
	default:
		m.log.Error("nothing is released", "error", said)
	}
	if errors.Is(err, ledger.ErrHeld) {
		return nil
	}
	return err
}

// openEdge opens what this machine does of the side that sees people; front is nil where it is none.
func (m *member) openEdge(ctx context.Context, front *ingest.Config, versions []ingest.Version) (sight, error) {
	moved := make(ingest.Moved)
	err := m.patiently(ctx, func() error { return m.Ring.Left(ctx, moved.ReadMoved) })
	if err != nil {
		return nil, err
	}
	m.edge, err = edge.Open(ctx, edge.Config{
		Front: front, Works: m.cfg.Does(roster.Worker), Exact: m.cfg.Simulation, Register: m.policies.View().Register,
		Silence: m.silence(), CatchUp: m.cfg.Windows.CatchUp.Nominal(),
		Now: m.now, Free: m.free, Through: m.through, Log: m.log,
	}, edge.Cluster{
		Name: m.Name(), Partitions: m.Partitions(), Keys: m.Ring, Committed: m.Committed, In: m.In,
		State: m.State, Parts: &parts.Writer{Log: m.Part, Keys: m.Ring}, Share: m.Duty.Share, Fresh: m.Fresh,
		Moved: moved,
	}, versions)
	return m.edge, err
}

// account is what the machine has come to, for who looks after it.
func (m *member) account() admin.Cluster {
	did, out := m.Duty.Account(), m.edge.Account()
	return admin.Cluster{Leases: did.Held, Duties: did.Works, Lost: did.Lost, Fenced: did.Fenced,
		Batches: out.Batches, Acknowledged: out.Took,
		Waits: len(m.waits())}
}

// stay keeps the machine's place among the others. Where it has none any more that is no bug of ours.
func (m *member) stay(ctx context.Context) error {
	if err := m.Run(ctx); err != nil {
		return config.Refuse("cluster: %w", err)
	}
	return nil
}

// frontSilence is how long a front may say nothing: what sensors send meanwhile reaches another one, or is sent again.
const frontSilence = 15 * time.Second

// silence is that in wall time. A simulated clock may stand still for as long as a front does, which loses nothing.
func (m *member) silence() time.Duration {
	catchUp := m.cfg.Windows.CatchUp.Nominal()
	if m.cfg.Time.Topic != "" {
		return catchUp
	}
	return min(catchUp, frontSilence)
}

// passes are what leads from one side to the other on one of a cluster's machines. Who releases does so,
// and what only one does, while it falls to this machine.
func (m *member) passes(sees sight, who *releaser, alone []part) []part {
	watch := func(ctx context.Context) error { return m.Watch(ctx, m.say) }
	list := []part{m.stay, watch, func(ctx context.Context) error { return sees.Run(ctx, nil, nil) }}
	if who == nil {
		return list
	}
	return append(list, func(ctx context.Context) error {
		m.Release(ctx, func(ctx context.Context) error { return m.release(ctx, who, alone) })
		return nil
	})
}

// release lets out what comes from the cluster's partitions.
func (m *member) release(ctx context.Context, who *releaser, alone []part) error {
	if err := m.Follow(ctx); err != nil {
		return err
	}
	resume, err := m.ledger.Journal.Resume(ctx)
	if err != nil {
		return err
	}
	collector := parts.Collector{
		Log: m.Part, Keys: m.Ring, Partitions: m.Partitions(), Plan: m.plan, Resume: resume,
		Waits: m.Waits, Wait: m.cfg.Windows.CatchUp.Nominal(), Now: time.Now, Logger: m.log,
	}
	batches, done := make(chan release.Batch), make(chan release.Key)
	return together(ctx, slices.Concat(alone, []part{
		func(ctx context.Context) error { return collector.Run(ctx, batches, done) },
		func(ctx context.Context) error { return who.run(ctx, batches, done) },
	}))
}

// plan is a stream of any policy, by its digest; nil for none.
func (m *member) plan(digest string) *plan.Stream {
	for _, set := range m.policies.View().Sets {
		for _, s := range set.Streams {
			if s.Digest == digest {
				return s
			}
		}
	}
	return nil
}

// now is the time of a machine that hears no sensor: its own or, of a simulation, that of the books.
func (m *member) now() time.Time {
	if m.cfg.Time == (config.Time{}) {
		return time.Now().UTC()
	}
	return m.through()
}

// free is from when on no front has a window open, as far as a machine that is none can say. In a simulation it
// does not know their clocks: they are hardly ahead by a day.
func (m *member) free() time.Time {
	if m.cfg.Time == (config.Time{}) {
		return m.now()
	}
	return m.through().Add(24 * time.Hour)
}

// through is up to when all windows of the streams in force have been released; zero where some stream
// has released nothing.
func (m *member) through() (through time.Time) {
	set := m.policies.View().Current
	if set == nil {
		return through
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	resume, err := m.ledger.Journal.Resume(ctx)
	if err != nil {
		return time.Time{}
	}
	for _, s := range set.Streams {
		end, known := resume[s.ID]
		if !known {
			return time.Time{}
		}
		if through.IsZero() || end.Before(through) {
			through = end
		}
	}
	return through
}
