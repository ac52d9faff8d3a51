package gateway

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"sluice/gateway/activation"
	"sluice/gateway/cluster/logs"
	"sluice/gateway/cluster/machine"
	"sluice/gateway/cluster/roster"
	"sluice/gateway/config"
	"sluice/gateway/host"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/rego"
)

// ErrAway says that no majority of a cluster's servers answers, so that the same may work later.
var ErrAway = errors.New("no majority of the cluster's servers answers; bring them back, and do the same again")

// Moved is what a move has brought into a cluster. Already says that an earlier one has.
type Moved struct {
	Already         bool
	Windows, Epochs int // that were open
	Partitions      int
}

// keysWait is how long a move waits for the cluster's keys, which this machine makes itself where there are none.
const keysWait = time.Minute

var errKeys = errors.New("keys of the cluster's epochs are not to be had within a minute: the machine that has made " +
	"them has lost them, as by a reboot. Stop the three servers, remove their stores (store_dir), start them, and " +
	"move again")

// Move takes what a gateway that ran alone has, which must not run, to a cluster that is empty: its books to the log of
// all, and what is open in its checkpoint to the partitions. Cfg has the section cluster, and the directory is that of
// before, in which this machine goes on. What is durable is done in an order in which whatever is begun anew comes to
// the same:
//
//	the ledger is marked: no gateway starts there, alone or not
//	its books go into BOOKS, but for the policies, without which nobody counts
//	fronts' keys for what is open go into EPOCHS, and the windows into STATE
//	the policies go into BOOKS, with the word that all is there: from here on the cluster can begin
//	the ledger follows BOOKS, and the keys of what was open are shredded
func Move(ctx context.Context, cfg config.Config, log *slog.Logger) (_ Moved, err error) {
	cfg.SetDefaults()
	if err := cfg.Validate(); err != nil {
		return Moved{}, config.Refuse("%w", err)
	}
	if cfg.Cluster == nil {
		return Moved{}, config.Refuse("the configuration has no section cluster: leave dir and keys as they are, and " +
			"write there which of a city's machines this one becomes (docs/operations.md)")
	}
	if !cfg.Does(roster.Front) || !cfg.Does(roster.Releaser) {
		return Moved{}, config.Refuse("cluster: roles: who moves is a front and a releaser: what its sensors were " +
			"last heard to say, and its store, stay on this machine; give it both, here and in the roster")
	}
	g := &Gateway{cfg: &cfg, log: log}
	defer func() { err = errors.Join(err, g.Close()) }()
	out, err := mover{g}.move(ctx)
	if machine.Away(err) {
		err = errors.Join(ErrAway, err)
	}
	return out, err
}

// mover is a gateway that only moves.
type mover struct{ *Gateway }

// move opens what a gateway that runs alone opens, but nothing that listens or speaks.
func (g mover) move(ctx context.Context) (out Moved, err error) {
	self, err := os.Executable()
	if err != nil {
		return out, config.Refuse("this binary cannot find itself: %w", err)
	}
	g.rules = rego.NewChild(self, RulesVerb)
	path := filepath.Join(g.cfg.Dir, "ledger.db")
	if ledger.IsNew(path) {
		return out, nothingThere(g.cfg.Dir)
	}
	if g.lock, err = host.Lock(g.cfg, g.log); err != nil {
		return out, err
	}
	keys, err := host.KeyDir(g.cfg.Keys, g.cfg.Dir, g.log)
	if err != nil {
		return out, err
	}
	if keys == "" {
		return out, config.Refuse("keys: there is no memory-backed directory that has the keys of open windows, " +
			"which a move needs; name the one that the gateway had")
	}
	if g.ledger, err = ledger.Open(ctx, path, g.cfg.Gateway, int64(g.cfg.Outbox.MaxBytes)); err != nil {
		return out, config.Refuse("%w", err)
	}
	switch err := g.ledger.Recovery.Alone(ctx); {
	case errors.Is(err, ledger.ErrShared):
		return Moved{Already: true}, nil
	case err != nil && !errors.Is(err, ledger.ErrMoving):
		return out, err
	}
	open, err := g.open(ctx, keys)
	if err != nil {
		return out, err
	}
	out.Windows, out.Epochs = open.Open()
	out.Partitions = g.cfg.Cluster.Partitions
	if open.Session() && g.cfg.MQTT != nil && g.cfg.MQTT.ClientID == "sluice-"+g.cfg.Gateway+"-"+g.cfg.Cluster.Name {
		return out, config.Refuse("mqtt: client_id: the broker keeps messages for the gateway under the one of "+
			"before; write it here, sluice-%s where the file had none, and it goes on", g.cfg.Gateway)
	}
	m := &member{cfg: g.cfg, log: g.log}
	if err := m.connect(ctx, keys); machine.Away(err) {
		return out, err
	} else if err != nil {
		return out, config.Refuse("cluster: %w", err)
	}
	g.member = m
	return out, g.moveInto(ctx, open)
}

// nothingThere refuses what is no gateway's directory.
func nothingThere(dir string) error {
	return config.Refuse("dir: %s has no ledger: there is nothing to move; a new city begins with sluice gateway", dir)
}

// open reads what the checkpoint has open.
func (g mover) open(ctx context.Context, keys string) (*ingest.Move, error) {
	n, err := g.ledger.Policies.Number(ctx)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, nothingThere(g.cfg.Dir)
	}
	register, err := g.cfg.ReadRegister()
	if err != nil {
		return nil, err
	}
	g.policies = activation.New(g.cfg, g.ledger, g.rules, register, func() {}, g.log)
	versions, err := g.policies.Restore(ctx, keys)
	if err != nil {
		return nil, err
	}
	cfg, err := hears(g.Gateway, keys, false)
	if err != nil {
		return nil, err
	}
	if cfg.Resume, err = g.ledger.Journal.Resume(ctx); err != nil {
		return nil, err
	}
	open, err := ingest.OpenMove(*cfg, versions)
	if err != nil {
		return nil, config.Refuse("%w", err)
	}
	return open, nil
}

// moveInto brings books and windows to where they go.
func (g mover) moveInto(ctx context.Context, open *ingest.Move) error {
	m := g.member
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- m.Ring.Run(ctx) }()
	defer func() { stop(); <-ended }()
	if g.ledger.Recovery.Alone(ctx) == nil { // nothing is marked yet, and all can stay as it is
		if err := m.Idle(ctx); err != nil {
			return config.Refuse("%w", err)
		}
	}
	g.log.Info("the books go to the cluster; from here on no gateway starts in this directory until all is there")
	err := g.ledger.Recovery.Move(ctx, m.Books, func(ctx context.Context) error {
		ctx, stop := context.WithTimeoutCause(ctx, keysWait, errKeys)
		defer stop()
		err := g.moveWindows(ctx, open)
		if context.Cause(ctx) == errKeys {
			return errKeys
		}
		return err
	})
	if machine.Away(err) {
		return err
	}
	if err != nil {
		return config.Refuse("%w", err)
	}
	return open.Forget()
}

// moveWindows brings what is open to fronts and partitions, while nobody works there.
func (g mover) moveWindows(ctx context.Context, open *ingest.Move) error {
	m := g.member
	if err := m.Idle(ctx); err != nil {
		return err
	}
	g.log.Info("the windows go to the cluster's partitions")
	items, err := open.Keys(ctx, m.Ring)
	if err != nil {
		return err
	}
	if err := m.Ring.Leave(ctx, items, ingest.MovedItem); err != nil {
		return err
	}
	if err := open.Into(ctx, m.Partitions(), m.Ring, logs.State{Log: m.State}); err != nil {
		return err
	}
	return m.Idle(ctx)
}
