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
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sluice/gateway/crash"
	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/listener"
	"sluice/gateway/ingest/internal/mqtt"
	"sluice/gateway/ingest/internal/redact"
	"sluice/gateway/ingest/internal/window"
	"sluice/gateway/release"
	"sluice/internal/retry"
	"sluice/register"
	"sluice/register/access"
)

// Group commit: after this many readings, or this long, whichever is first, and
// at once when nothing more is waiting.
const (
	commitReadings = 1000
	commitWait     = 5 * time.Millisecond
	wallTick       = 250 * time.Millisecond
	idleState      = time.Minute
)

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

// Ingest is the running side that sees.
type Ingest struct {
	cfg      Config
	keys     *checkpoint.Keys
	log      *checkpoint.Log
	queue    *intake.Queue
	ways     []way
	tells    []way              // those on which feedback is sent
	listener *listener.Listener // nil for none
	broker   *mqtt.Client       // nil for none
	// passwords are the listener's, nil for none; of whoever calls Renew.
	passwords *access.Passwords
	link      link
	decoder   *format.Decoder
	enact     chan enactment
	renew     chan renewing
	fatal     chan error // a panic on a way in
	mail      chan []letter

	versions []Version
	roster
	streams map[string]*stream
	marks   window.Budget   // of what all open windows remember
	heard   map[uint64]bool // sensors that have sent a heartbeat, ever
	state   state
	since   time.Time // gateway time since when it has been up
	until   time.Time // until when it was up before that; to the minute in wall time
	started time.Time // wall time
	// saved is what the log has of the state that changes rarely, saving what it has
	// once the commit at hand is through.
	saved, saving saved

	crossing bool           // a closed window is on its way across the wall
	overdue  bool           // more is to be closed than one round holds
	beside   sync.WaitGroup // who sums closed windows up

	epochOver bool          // an epoch's key is gone; what its readings were in is not yet
	wash      chan struct{} // asks for a washing of memory

	// The message at hand.
	at      *sensor
	message *intake.Message
	serial  uint64 // of it
	kept    redact.Kept
	entry   window.Entry
	large   large // the one that is taken in parts

	pending    []intake.Message
	readings   int // since the last commit
	dirty      bool
	commits    uint64 // since the start, and what they took
	commitTime time.Duration
	// as of the last full hour
	shownCommits uint64
	shownTime    time.Duration
	feedback     tally
	told         time.Time // until when it was sent last, by the gateway's clock
	judged       time.Time // when it was looked last who lives
	report       atomic.Pointer[Report]
	failing      retry.Once

	pulse     pulse
	reckon    reckoning
	ticked    bool // since the start
	lingers   atomic.Bool
	clockSays atomic.Pointer[string]
	astray    atomic.Pointer[string]
}

// Open recovers the open windows and opens the ways in. The versions are those
// that open windows may have run under, oldest first.
func Open(cfg Config, versions []Version) (*Ingest, error) {
	i := &Ingest{
		cfg: cfg, decoder: format.NewDecoder(), enact: make(chan enactment), renew: make(chan renewing), wash: make(chan struct{}, 1), started: cfg.Now(),
		streams: make(map[string]*stream), heard: make(map[uint64]bool), state: newState(), feedback: make(tally),
		queue: intake.New(), fatal: make(chan error, 1), mail: make(chan []letter, 1), pulse: pulse{begun: time.Now()},
	}
	i.sensorsOf(cfg.Register)
	for _, v := range versions {
		if err := i.adopt(v); err != nil {
			return nil, err
		}
	}
	if err := i.recover(); err != nil {
		return nil, err
	}
	if cfg.Clock == "" {
		i.wake()
	}
	if err := i.openWays(); err != nil {
		return nil, errors.Join(err, i.closeWays(), i.log.Close())
	}
	i.publishReport(true)
	return i, nil
}

// Run works until ctx ends. Each batch goes to out; its window is kept until its
// key comes back on done, which says that its release has committed.
func (i *Ingest) Run(ctx context.Context, out chan<- release.Batch, done <-chan release.Key) error {
	defer i.log.Close()
	delivered := make(chan struct{})
	go func() { defer close(delivered); i.deliver() }()
	defer func() { close(i.mail); <-delivered }()
	washed := make(chan struct{})
	ctx, stop := context.WithCancel(ctx)
	go func() { defer close(washed); i.washing(ctx) }()
	defer func() { stop(); <-washed; i.beside.Wait() }()
	// After a panic nothing is committed: it may have come half way through.
	return crash.Guard(func() error { return i.run(ctx, wall{out, done}) })
}

func (i *Ingest) run(ctx context.Context, w wall) error {
	if err := i.resume(ctx, w); err != nil {
		return i.stop(ctx, err)
	}
	tick := time.NewTicker(wallTick)
	defer tick.Stop()
	feedback := time.NewTimer(i.untilFeedback())
	defer feedback.Stop()
	care := time.NewTicker(tending)
	defer care.Stop()
	for {
		i.pulse.beat(resting)
		enact := i.enact
		if !i.begun() {
			enact = nil
		}
		var err error
		select {
		case <-ctx.Done():
			return i.stop(ctx, nil)
		case err := <-i.fatal:
			return err
		case <-i.queue.Ready():
			err = i.burst(ctx, w)
		case <-w.done:
			err = i.crossed(ctx, w)
		case e := <-enact:
			i.pulse.beat(enacting)
			e.done <- i.enactNow(e)
		case n := <-i.renew:
			n.done <- i.renewNow(n)
		case <-tick.C:
			if i.cfg.Clock == "" {
				err = i.tick(ctx, w, i.now())
			}
		case <-care.C:
			i.tend()
			err = i.commit(ctx)
		case <-feedback.C:
			i.sendFeedback()
			feedback.Reset(i.untilFeedback())
		}
		if errors.As(err, new(*crash.Error)) {
			return err
		}
		if err != nil {
			return i.stop(ctx, err)
		}
	}
}

// burst takes messages until none waits or the commit is due.
func (i *Ingest) burst(ctx context.Context, w wall) error {
	i.pulse.beat(taking)
	deadline := time.Now().Add(commitWait)
	for i.readings < commitReadings && !time.Now().After(deadline) {
		m, ok := i.queue.Take()
		if !ok {
			break
		}
		if err := i.take(ctx, w, m); err != nil {
			return err
		}
	}
	return i.commit(ctx)
}

func (i *Ingest) take(ctx context.Context, w wall, m intake.Message) error {
	if i.cfg.Clock != "" && m.Topic == i.cfg.Clock {
		return i.takeTick(ctx, w, m)
	}
	i.dirty = true
	before, more := i.readings, false
	if m.Begun {
		more = i.goOn()
	} else {
		i.pending = append(i.pending, m)
		i.turnTo(&i.pending[len(i.pending)-1])
		more = i.hearFrom(i.message)
	}
	i.queue.Charge(i.readings-before, more)
	return nil
}

// turnTo makes a message, or the next part of one, the one at hand.
func (i *Ingest) turnTo(m *intake.Message) {
	i.message = m
	i.serial++
}

// hearFrom takes a message that is at the end of those to be acknowledged, and reports
// whether only a part of it: then it is none of those yet.
func (i *Ingest) hearFrom(m *intake.Message) (more bool) {
	if m.Own {
		i.hearOwn(m)
		return false
	}
	i.at = nil
	t, known := i.targets[m.Topic]
	switch {
	case !known:
		i.refuse(fault.New(fault.UnknownTopic))
	case m.Checked && m.Sender != t.sensor.entry.ID:
		i.at = i.byID[m.Sender] // whoever sent it is told, not whom it claims to be
		i.refuse(fault.New(fault.Identity))
	case t.heartbeat:
		i.at = t.sensor
		i.heartbeat(m.Payload)
	case t.sensor.shape == nil:
		i.at = t.sensor
		i.refuse(fault.New(fault.NoKind))
	case t.sensor.unfit:
		i.at = t.sensor
		i.refuse(fault.New(fault.Unfit))
	default:
		i.at = t.sensor
		if t.sensor.unmapped {
			i.feedback.add(i.at, fault.New(fault.Unfit), nil)
		}
		if m.Large() {
			return i.inParts()
		}
		i.decoder.Decode(m.Payload, t.sensor.shape, i.clock(m.Received), sink{i})
	}
	return false
}

// stop commits what came before, so that an orderly stop loses nothing.
func (i *Ingest) stop(ctx context.Context, err error) error {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if commitErr := i.commit(last); err == nil && ctx.Err() == nil {
		err = commitErr
	}
	closeErr := i.closeWays()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("ingest: %w", errors.Join(err, closeErr))
	}
	return nil
}
