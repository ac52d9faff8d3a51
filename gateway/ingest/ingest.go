// Package ingest is the side that sees people. Messages come in, readings are
// redacted, pseudonymised and added up, and what leaves is a release.Batch per
// closed window, still secret, and a Report of codes, counts and instants.
//
// One goroutine does all of it, so the life of a reading is one straight line:
//
//	listener, mqtt -> format -> route -> redact -> pseudonym -> window -> checkpoint -> acknowledge
//
// A message is acknowledged after the commit that makes its effect durable. The
// clock passes through the same queue: a tick first commits what came before it,
// then closes windows, and is acknowledged after their releases have committed.
//
// # Parts
//
// Each part is a plain struct of that goroutine, with its own state and its share of the
// snapshot that a commit makes durable. It knows those before it:
//
//	sources   where messages come from, and who is told that theirs are durable
//	clock     the gateway's time
//	account   what became of all readings, and what of that may be seen
//	feedback  what sensors are told
//	liveness  which sensors live
//	catchUp   what a broker may still hold for the gateway, and gaps by what it lost
//	routing   topics, sensors and policy versions: which plans lead a reading to which streams
//	journal   log and keys, and what the log has already
//	windows   open windows and epochs, and which of them are lost
//	closes    closed windows on their way across the wall
//	reception the message at hand, and what has come since the last commit
//	scrub     has memory overwritten after an epoch
//	changes   policies and registers on their way in
//	reporter  the Report that others read
//	watch     what technicians at the machine may know of sensors
//	shapes    how messages are built that fit no sensor, while somebody looks
//
// Where several machines share a city's readings, a front is an Ingest whose second half others are
// (front.go), and an Owner counts those of a partition (owner.go).
//
// A recovery fills them from the log at a start, and is over before the first message.
//
// # Where to read on
//
// The life of a reading goes through the files in this order: Run and drain (ingest.go) take
// its message, dispatch (reception.go) finds its sensor, Reading and apply (delivery.go) lead
// it along its routes, count (counting.go) adds what is left of it to a window, commit
// (commit.go) makes that durable and acknowledges the message, tick (tick.go) moves the clock,
// and closeDue (wall.go) lets the window out.
//
// # What is durable
//
// The log of internal/checkpoint holds, sealed, records of these kinds:
//
//	Account  accountRecord as JSON: clock, account, and the numbers of the two that follow
//	Facts    facts as JSON: what changes with a window or an hour
//	Heard    numbers of sensors that have sent a heartbeat, 8 bytes each; they add up
//	Last     last values of sensors about nobody, which counters and states are compared with
//	         (sensor.appendMemory); each sensor's replace those before
//	Window   entries of an open window (checkpoint.AppendEntry); they add up
//	Epoch    tags, 16 bytes each, of units that have spent one more contribution
//	Parts    the same with 8 bytes more each: of which owner's part, or 0 for a unit that
//	         was turned away
//	State    of earlier versions: Account and Facts in one
//
// An Account or Facts replaces the one before. A segment begins with all of the state, and
// every commit ends with an Account; Facts, Heard and Last are in a commit when they have changed.
// JSON of earlier versions is read, and keys that are not set are left out, so that a
// version can be put back. An Account whose facts_at is not the at of the last Facts, or whose
// heard_count is not how many numbers there are, belongs to records that were lost.
//
// Window, Epoch and Parts carry the name of their key, which is a file of the key directory
// too: w-UNIX-STREAM is the window of STREAM that starts at UNIX, in seconds since 1970, and
// e-UNIX-STREAM the epoch. With the key goes what was sealed with it: a window's key when its
// release has committed, an epoch's with its last window.
package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/wipe"
	"sluice/gateway/release"
	"sluice/internal/crash"
	"sluice/register"
)

// wallTick is how often a clock that goes by wall time ticks.
const wallTick = 250 * time.Millisecond

// Config is what an Ingest needs.
type Config struct {
	// Dir is the checkpoint's directory; Keys a memory-backed one, or empty for
	// keys in memory only.
	Dir, Keys string
	Register  *register.Register
	// Listen is where sensors connect to the gateway itself; an empty address for
	// nowhere.
	Listen Listen
	// Broker is a broker of the city's own; nil for none.
	Broker *Broker
	// Clock is the topic of the simulated clock; empty for wall time.
	Clock string
	// Future is how far ahead of the gateway's clock a reading may be.
	Future time.Duration
	// CatchUp bounds how long, in wall time, windows stay open for what sensors
	// and brokers kept.
	CatchUp time.Duration
	// Exact shows counters as they are; otherwise they advance once an hour.
	Exact bool
	// Feedback is how often sensors are told what was dropped.
	Feedback time.Duration
	// Anew says that keys which are there belong to another state directory, which was
	// at this path before: they go.
	Anew bool
	// Resume is, for each stream, where the last released window ended.
	Resume map[string]time.Time
	Now    func() time.Time
	// Uptime is how long the machine has been up, asleep or not; nil for the time
	// since Open. The clock is held against it.
	Uptime func() time.Duration
	Log    *slog.Logger
}

// Ingest is the running side that sees. Its own methods are what the parts do together: take,
// commit, tick, release, stop. The goroutine of Run owns all of it; others use channels, and
// read what is atomic.
type Ingest struct {
	cfg      Config
	sources  sources
	clock    eventClock
	account  counters
	feedback feedback
	liveness liveness
	catchUp  catchUp
	routing  routing
	journal  journal
	windows  windows
	closes   closes
	scrub    scrubber
	// reception has the message at hand, and what has come since the last commit.
	reception reception
	front     *front // nil where this process counts

	changes  changes
	reporter reporter
	watch    watch
	shapes   shapes
	pulse    pulse
}

func newIngest(cfg Config) *Ingest {
	i := &Ingest{
		cfg: cfg, account: newCounters(), scrub: newScrubber(), pulse: pulse{begun: time.Now()},
	}
	i.sources = newSources(&i.cfg)
	i.clock.cfg, i.clock.opened, i.clock.monotonic = &i.cfg, cfg.Now(), i.pulse.begun
	i.feedback = newFeedback(&i.cfg, &i.clock)
	i.liveness = newLiveness(&i.clock)
	i.catchUp = newCatchUp(&i.cfg, &i.clock)
	i.routing = routing{cfg: &i.cfg, liveness: &i.liveness, metrics: new(map[string]bool),
		roster: newRoster(cfg.Register)}
	i.journal.cfg = &i.cfg
	i.windows = newWindows(i)
	i.closes = closes{
		clock: &i.clock, routing: &i.routing, windows: &i.windows, catchUp: &i.catchUp, journal: &i.journal,
		account: &i.account, feedback: &i.feedback, scrub: &i.scrub,
	}
	i.reception.setUp(i)
	i.changes = changes{
		cfg: &i.cfg, clock: &i.clock, account: &i.account, feedback: &i.feedback, routing: &i.routing,
		windows: &i.windows, reception: &i.reception,
		enactments: make(chan enactment), renewals: make(chan renewal),
	}
	i.reporter = reporter{
		cfg: &i.cfg, clock: &i.clock, account: &i.account, liveness: &i.liveness, routing: &i.routing,
		windows: &i.windows, closes: &i.closes,
	}
	i.watch = newWatch(i)
	i.shapes.takes = make(chan *look)
	i.feedback.shapes = &i.shapes
	return i
}

// Open recovers the open windows and opens the sources. The versions are those
// that open windows may have run under, oldest first.
func Open(cfg Config, versions []Version) (*Ingest, error) { return newIngest(cfg).open(versions) }

func (i *Ingest) open(versions []Version) (*Ingest, error) {
	for _, v := range versions {
		if err := i.changes.adopt(v); err != nil {
			return nil, err
		}
	}
	if err := wipe.Deep(newRecovery(i).run); err != nil {
		return nil, err
	}
	if !i.clock.simulated() {
		i.startClock()
	}
	if err := i.openSources(); err != nil {
		return nil, errors.Join(err, i.sources.close(), i.journal.log.Close())
	}
	i.reporter.refresh()
	return i, nil
}

// startClock gives a gateway that goes by wall time its time before anybody can send: without
// it any timestamp would do.
func (i *Ingest) startClock() {
	now := i.clock.believed()
	if now.Before(minTime) {
		return
	}
	i.clock.start(now)
	if i.clock.ticked {
		i.windows.prune(i.clock.since, &i.account)
	}
	i.windows.beginStreams(i.clock.since)
}

// openSources lets messages come in. Behind a broker it needs the secret of this state
// directory's markers, which is made at the first start.
func (i *Ingest) openSources() error {
	if i.cfg.Broker != nil && len(i.catchUp.secret) == 0 {
		i.catchUp.secret = make([]byte, 32)
		if _, err := rand.Read(i.catchUp.secret); err != nil {
			return err
		}
	}
	err := i.sources.open(i.routing.register, i.catchUp.secret)
	i.catchUp.broker = i.sources.broker
	return err
}

// Run works until ctx ends. Each batch goes to out; its window is kept until its
// key comes back on done, which says that its release has committed.
func (i *Ingest) Run(ctx context.Context, out chan<- release.Batch, done <-chan release.Key) error {
	defer i.journal.log.Close()
	delivered := make(chan struct{})
	go func() { defer close(delivered); i.feedback.deliver(i.sources.feedbackTo, i.sources.all) }()
	defer func() { close(i.feedback.out); <-delivered }()
	scrubbed := make(chan struct{})
	ctx, stop := context.WithCancel(ctx)
	go func() { defer close(scrubbed); i.scrub.loop(ctx) }()
	defer func() { stop(); <-scrubbed; i.closes.summing.Wait() }()
	// After a panic nothing is committed: it may have come half way through.
	return wipe.Deep(func() error {
		return crash.Guard(func() error { return i.run(ctx, wall{out, done}) })
	})
}

func (i *Ingest) run(ctx context.Context, w wall) error {
	if i.front != nil {
		i.front.patience.stopping = ctx.Done()
	}
	i.closes.cross(ctx, w, i.sources.fail) // what was closed before a restart, and not released
	if err := i.barrier(ctx, w); err != nil {
		return i.stop(ctx, err)
	}
	tick := time.NewTicker(i.every())
	defer tick.Stop()
	feedback := time.NewTimer(i.feedback.wait())
	defer feedback.Stop()
	care := time.NewTicker(tending)
	defer care.Stop()
	for {
		i.pulse.beat(resting)
		enactments := i.changes.enactments
		if !i.windows.known() {
			enactments = nil
		}
		var err error
		select {
		case <-ctx.Done():
			return i.stop(ctx, nil)
		case err := <-i.sources.fatal:
			return err
		case <-i.sources.queue.Ready():
			err = i.drain(ctx, w)
		case <-w.done:
			err = i.crossed(ctx, w)
		case e := <-enactments:
			i.pulse.beat(enacting)
			e.done <- i.changes.enact(e)
		case n := <-i.changes.renewals:
			n.done <- i.changes.renew(n)
		case q := <-i.watch.asked:
			q <- i.watch.answer()
		case i.shapes.now = <-i.shapes.takes:
		case <-tick.C:
			err = i.ticked(ctx, w)
			wipe.Below() // keys that ended with it, and all else that is done with
		case <-care.C:
			i.journal.tend()
			i.shapes.expire()
			err = i.commit(ctx)
		case <-feedback.C:
			i.feedback.send()
			feedback.Reset(i.feedback.wait())
		}
		if errors.As(err, new(*crash.Error)) {
			return err
		}
		if err != nil {
			return i.stop(ctx, err)
		}
	}
}

// handle takes a message, or the next part of one that is taken in parts.
func (i *Ingest) handle(ctx context.Context, w wall, m intake.Message) error {
	if i.clock.simulated() && m.Topic == i.cfg.Clock {
		return i.takeTick(ctx, w, m)
	}
	r := &i.reception
	before, begun := r.batch.readings, m.Begun
	if !begun {
		begun = r.dispatch(r.batch.add(m))
	}
	more := false
	if begun {
		if m, more = r.large.next(); !more {
			r.batch.add(m)
		}
	}
	i.sources.queue.Charge(r.batch.readings-before, more)
	return nil
}

// dropBuffers drops everything that readings of an epoch that is over were in, and asks
// for a scrubbing.
func (i *Ingest) dropBuffers() {
	i.reception.dropBuffers()
	i.routing.forgetReadings()
	i.scrub.ask()
}

// lastCommit is how long the last commit may take; lastWords that of a front, which speaks to every partition.
const (
	lastCommit = time.Second
	lastWords  = 2 * time.Second
)

// stop commits what came before, so that an orderly stop loses nothing.
func (i *Ingest) stop(ctx context.Context, err error) error {
	most := lastCommit
	if i.front != nil {
		// Who is stopped in the middle of handing something over ends in order, too: it is sent again as it was.
		i.front.ends = ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled))
		most = lastWords
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer cancel()
	commitErr := i.commit(last)
	if commitErr != nil && i.front != nil {
		i.cfg.Log.Warn("this front could not say that it ends; windows wait for it until it is back, or for as "+
			"long as windows: catch_up says", "error", commitErr)
	}
	if err == nil && ctx.Err() == nil {
		err = commitErr
	}
	closeErr := i.sources.close()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("ingest: %w", errors.Join(err, closeErr))
	}
	return nil
}
