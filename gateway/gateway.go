// Package gateway is the edge: ingest, which sees and cannot speak; release,
// which lets out what the council allows; forward, which speaks and cannot see.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sluice/books"
	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/forward"
	"sluice/gateway/homes"
	"sluice/gateway/host"
	"sluice/gateway/inbox"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/gateway/reconcile"
	"sluice/gateway/release"
	"sluice/gateway/rollback"
	"sluice/internal/retry"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/rego"
	"sluice/register"
)

// RulesVerb is the hidden verb of the same binary that evaluates the council's
// rules: it runs rego.Serve.
const RulesVerb = "rules"

// Gateway is a running edge.
type Gateway struct {
	cfg      config.Config
	log      *slog.Logger
	lock     *os.File
	register *register.Register // guarded by mu, and by turn where plans are made of it
	ledger   *ledger.Ledger
	store    config.ReleaseStore
	ingest   *ingest.Ingest
	publish  *release.Publisher
	forward  *forward.Forwarder
	public   books.Dir
	admin    *admin.Server
	wake     chan struct{} // the books have something new

	texts   map[string]map[string]string // decisions in plain words; of keepBooks
	shelf   *books.Shelf                 // the public books' whole files; of keepBooks
	growing map[string]*books.Growing    // growing books, by path; of keepBooks
	kept    map[string]string            // SHA-256 of files that the ledger keeps; of keepBooks

	anew      []string         // public books that were written anew in this round; of keepBooks
	keptRead  bool             // kept is what the ledger keeps; of keepBooks
	housed    *homes.Record    // sensors that stood for homes; of keepBooks
	listing   listing          // of the register's book; of keepBooks
	stood     []books.Decision // as last written; of keepBooks
	described []books.Stream   // streams.json as it was kept last; of keepBooks

	rules *rego.Child
	inbox *inbox.Inbox // nil for an unsigned directory

	lookout lookout // for the editable directory; of the one goroutine that watches it

	fresh   bool // no ledger was here before
	guard   *rollback.Guard
	compare *reconcile.Reconciler

	// The motion in force here, nil for none: written by the one goroutine that takes
	// motions, with mu held; it reads it without. What follows is that goroutine's own:
	// the last motion of the chain, which may be for other gateways; the SHA-256 of
	// all that were taken; those that wait.
	enacted *council.Enacted
	last    *council.Enacted
	taken   map[string]bool
	waiting []letter

	// turn is held while the policy or the register changes: plans are made of both.
	turn sync.Mutex

	mu       sync.Mutex
	sets     map[string]*compile.Set // by digest; guarded by mu
	current  *compile.Set            // in force, nil for none; guarded by mu
	latest   *compile.Set            // in force last; guarded by mu
	problem  error                   // of the policy directory; guarded by mu
	idle     map[string]string       // why a decision is not run, by set; guarded by mu
	withheld string                  // why release rules gave no answer; guarded by mu
	versions int                     // policy versions so far; guarded by mu
	refused  map[rego.Code]int       // policies refused since the start; guarded by mu
	stalled  retry.Once              // why releasing stands still
	refusals map[string]bool         // of motions, that were said; guarded by mu
	homes    homes.Known             // kinds that have stood for somebody; guarded by mu
	coming   *announced              // a motion whose time has not come; guarded by mu

	booksWrong string    // why the public books cannot be written; guarded by mu
	booksAt    time.Time // when they were written last; guarded by mu
	closing    time.Time // since when a window is being released; zero for none; guarded by mu
}

// Open takes the state directory, recovers what is open and starts listening.
func Open(ctx context.Context, cfg config.Config, log *slog.Logger) (_ *Gateway, err error) {
	cfg.SetDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, config.Refuse("%w", err)
	}
	g := &Gateway{
		cfg: cfg, log: log, public: books.Dir(filepath.Join(cfg.Dir, "public")), wake: make(chan struct{}, 1),
		sets: make(map[string]*compile.Set), idle: make(map[string]string),
		refused: make(map[rego.Code]int), refusals: make(map[string]bool), taken: make(map[string]bool),
		texts: make(map[string]map[string]string), growing: make(map[string]*books.Growing), kept: make(map[string]string),
	}
	g.shelf = books.NewShelf(g.public)
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return g, config.Refuse("this binary cannot find itself: %w", err)
	}
	g.rules = rego.NewChild(self, RulesVerb)
	if g.lock, err = host.Lock(&g.cfg, log); err != nil {
		return g, err
	}
	if g.admin, err = admin.Open(cfg.Admin, log); err != nil {
		return g, err
	}
	if g.register, err = cfg.ReadRegister(); err != nil {
		return g, config.Refuse("%w", err)
	}
	if g.housed, err = homes.Read(cfg.Dir); err != nil {
		return g, config.Refuse("%w", err)
	}
	path := filepath.Join(cfg.Dir, "ledger.db")
	g.fresh = ledger.IsNew(path)
	if g.ledger, err = ledger.Open(ctx, path, cfg.Gateway, int64(cfg.Outbox.MaxBytes)); err != nil {
		return g, config.Refuse("%w", err)
	}
	if g.store, err = cfg.Store.Open(ctx); err != nil {
		return g, config.Refuse("%w", err)
	}
	if cfg.Policy.Signed() {
		g.inbox = inbox.New(cfg.Policy.Inbox, council.MaxFile)
	}
	g.publish = release.NewPublisher(g.ledger, cfg.Simulation)
	g.forward = forward.New(g.ledger, g.store, log)
	if err = g.openIngest(ctx); err != nil {
		return g, config.Refuse("%w", err) // the ledger, the keys or the log: not a bug of ours
	}
	g.admin.Attach(g.shown())
	return g, nil
}

func (g *Gateway) openIngest(ctx context.Context) error {
	err := host.CheckSwap(&g.cfg, host.ClearSwap(), g.log)
	if err != nil {
		return err
	}
	keys, err := host.KeyDir(g.cfg.Keys, g.cfg.Dir, g.log)
	if err != nil {
		return err
	}
	g.guard = rollback.New(rollback.State{
		Config: &g.cfg, Ledger: g.ledger, Store: g.store, Public: g.public, Keys: keys, Fresh: g.fresh, Policy: known{g},
	}, &g.stalled, g.poke, g.log)
	file := ""
	if g.cfg.Store.SQLite != nil {
		file = g.cfg.Store.SQLite.Path
	}
	g.compare = reconcile.New(g.ledger, g.store, file, known{g}.Cells, g.log)
	versions, err := g.loadPolicy(ctx, keys)
	if err != nil {
		return err
	}
	resume, err := g.ledger.Resume(ctx)
	if err != nil {
		return err
	}
	listen, err := g.cfg.Listener()
	if err != nil {
		return err
	}
	broker, err := g.cfg.Broker()
	if err != nil {
		return err
	}
	g.ingest, err = ingest.Open(ingest.Config{
		Dir: filepath.Join(g.cfg.Dir, "checkpoint"), Keys: keys, Register: g.register,
		Listen: listen, Broker: broker, Clock: g.cfg.Time.Topic, Future: g.cfg.Windows.Future.Nominal(), Exact: g.cfg.Simulation,
		CatchUp: g.cfg.Windows.CatchUp.Nominal(), Feedback: g.cfg.Feedback, Anew: g.fresh && !g.guard.Used() && g.cfg.Simulation, Resume: resume, Now: time.Now, Uptime: host.Uptime, Log: g.log,
	}, versions)
	if err != nil {
		return config.Refuse("%w", err)
	}
	return nil
}

// MQTT is the address where sensors connect; empty where they do not.
func (g *Gateway) MQTT() string { return g.ingest.Addr() }

// Admin is the address of health and metrics.
func (g *Gateway) Admin() string { return g.admin.Addr() }

// Now is the gateway's clock; the zero time before its first tick.
func (g *Gateway) Now() time.Time { return g.ingest.Report().Now }

// release makes each batch public or says for ever that it is withheld, and
// tries until that is durable.
func (g *Gateway) release(ctx context.Context, batches <-chan release.Batch, done chan<- release.Key) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case b := <-batches:
			if err := g.releaseOne(ctx, b); err != nil {
				return nil // ctx ended; the window is still in the checkpoint
			}
			select {
			case done <- b.Key():
			case <-ctx.Done():
				return nil
			}
		}
	}
}

func (g *Gateway) releaseOne(ctx context.Context, b release.Batch) error {
	g.closes(time.Now())
	defer g.closes(time.Time{})
	set := g.set(b.Policy())
	charter := release.Charter{EpsilonPerDay: set.Charter.EpsilonPerDay}
	pauses := retry.Backoff{First: 50 * time.Millisecond, Longest: 5 * time.Second}
	for {
		err := g.guard.Check(ctx)
		if err == nil {
			err = g.publish.Publish(ctx, b, charter, watchedRules{set, g})
		}
		if err == nil {
			g.guard.SaveHead(ctx)
			if g.stalled.News("") {
				g.log.Info("windows are released again")
			}
			g.poke()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if g.stalled.News(err.Error()) {
			g.log.Error("a window cannot be released yet; it is tried again, and windows wait for it", "error", err)
		}
		if !pauses.Wait(ctx) {
			return ctx.Err()
		}
	}
}

// closes notes since when a window is being released; the zero time for none.
func (g *Gateway) closes(since time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closing = since
}

func (g *Gateway) poke() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}
