// Package duty has members of a cluster do what falls to them, by leases: each partition is somebody's, and what only
// one can do has one who does it.
//
//	me := duty.New(bucket, "worker-1", log)
//	go me.Share(ctx, 32, func(ctx context.Context, partition int) error { return owner(partition).Run(ctx) })
//	go me.Alone(ctx, "releaser", func(ctx context.Context) error { return release(ctx) })
//
// For a moment two can do the same: one that has not heard yet, or that was frozen. What they write is fenced where it
// is written; this only sees to it that it is a moment. Who finds that it has lost its lease, or that nobody has
// answered for as long as it lives, stops at once and begins again when it has another one.
//
// Who is there is looked up each eighth of the leases' time to live T (m.look). So what a member did that has died is
// begun elsewhere after 4/5 T to 9/8 T; of one that has stopped as it should after 1/8 T; and a process that starts
// again under a dead one's name has its leases, and so its partitions, at once.
//
// What ends by itself, with an error or without, is begun again after a pause that grows, for as long as it falls to
// this member.
package duty

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/lease"
	"sluice/internal/retry"
)

// Member is one process that takes duties. Its methods may be called by several goroutines.
type Member struct {
	// Counts reports whether partitions can fall to a member; nil: to each who says that it is there. Without it one
	// that has left could keep them for as long as its process runs. It is not changed any more once there are duties.
	Counts func(member string) bool

	bucket *engine.Bucket
	name   string
	log    *slog.Logger
	tally  tally
	absent absence
	// sharing says that Share looks who is there.
	sharing atomic.Bool

	mu   sync.Mutex
	seen []string // who shares partitions, as it was last read; guarded by mu
}

// memberKey begins the keys of those who share partitions, onlyKey of what one does.
const (
	memberKey = "member."
	onlyKey   = "only."
)

// New makes a member. No two processes have one name; where there are two, the duties are of the one that began later.
func New(bucket *engine.Bucket, name string, log *slog.Logger) *Member {
	return &Member{bucket: bucket, name: name, log: log}
}

// look is how long after one look the next one is.
func (m *Member) look() time.Duration { return m.bucket.TTL() / 8 }

// Share runs something for each partition that falls to this member, of so many, until ctx ends. What is run must end
// when its context does; a partition that falls to another is left by then, or soon.
func (m *Member) Share(ctx context.Context, partitions int, run func(ctx context.Context, partition int) error) {
	m.holding(ctx, memberKey+m.name, func(ctx context.Context) {
		m.sharing.Store(true)
		defer m.sharing.Store(false)
		works := make([]*work, partitions)
		defer func() {
			for _, w := range works {
				w.stop()
			}
		}()
		for ok := true; ok; ok = retry.Sleep(ctx, m.look()) {
			members, err := m.there(ctx)
			if err != nil {
				continue // who it was before, until the lease is lost
			}
			for p, owner := range lease.Assign(partitions, members) {
				switch {
				case owner == m.name && works[p] == nil:
					works[p] = m.begin(ctx, func(ctx context.Context) error { return run(ctx, p) }, "partition", p)
				case owner != m.name && works[p] != nil:
					works[p].stop()
					works[p] = nil
				}
			}
		}
	})
}

// Alone runs something that one member does at a time, while it is this one, until ctx ends. What is run must end when
// its context does.
//
// That is no fence. Who was frozen wakes in the middle of a line, and does what stands there before it can hear that
// its time is over. So whatever is run may write only where each entry names the one that it follows, as read since it
// began (engine.Log.Append, ledger.Log): then it is refused, and ends. What it does beside that must be right when two
// do it, as taking out of a log what the books say is released.
func (m *Member) Alone(ctx context.Context, what string, run func(ctx context.Context) error) {
	m.holding(ctx, onlyKey+what, func(ctx context.Context) {
		m.log.Info("this member has a duty that only one has", "duty", what)
		w := m.begin(ctx, run, "duty", what)
		<-ctx.Done()
		w.stop()
	})
}

// Owns reports whether a partition falls to a member, as this one has seen last who is there.
func (m *Member) Owns(member string, partition int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return lease.Owner(partition, m.seen) == member
}

// Watch keeps who is there in mind, for Owns, until ctx ends. While this member shares it looks itself, and nobody need
// look again.
func (m *Member) Watch(ctx context.Context) {
	for ok := true; ok; ok = retry.Sleep(ctx, m.look()) {
		if !m.sharing.Load() {
			m.Look(ctx)
		}
	}
}

// Look looks once who is there. Where nobody answers it is who was there before.
func (m *Member) Look(ctx context.Context) { _, _ = m.there(ctx) }

// there are those who share partitions at the moment.
func (m *Member) there(ctx context.Context) ([]string, error) {
	members, err := lease.Holders(ctx, m.bucket, memberKey)
	if err != nil {
		return nil, err
	}
	if m.Counts != nil {
		members = slices.DeleteFunc(members, func(name string) bool { return !m.Counts(name) })
	}
	m.see(members)
	return members, nil
}

func (m *Member) see(members []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Equal(m.seen, members) {
		m.log.Info("partitions are shared by others than before", "members", members)
	}
	m.seen = members
}

// holding does something while a lease is held, again and again, until ctx ends. When it is lost the context of what is
// done ends first.
func (m *Member) holding(ctx context.Context, key string, do func(ctx context.Context)) {
	var news retry.Once
	who := lease.Who{Name: m.name, Run: rand.Text()}
	take := lease.Inherit // from the process that had this name before, and then never again
	for ctx.Err() == nil {
		l, err := take(ctx, m.bucket, key, who)
		if err != nil {
			m.absent.note(key, err)
			if !errors.Is(err, lease.ErrTaken) && ctx.Err() == nil && news.News(err.Error()) {
				m.log.Warn("a lease cannot be taken; it is tried again", "lease", key, "error", err)
			}
			retry.Sleep(ctx, m.look())
			continue
		}
		news.News("")
		m.absent.note(key, nil)
		take = lease.Take
		held, lost := context.WithCancel(ctx)
		kept := make(chan error, 1)
		go func() {
			kept <- l.Keep(held)
			lost()
		}()
		go func() { // while Keep waits for an answer the lease may expire
			for l.Held() && retry.Sleep(held, m.bucket.TTL()/10) {
			}
			lost()
		}()
		m.tally.held.Add(1)
		do(held)
		m.tally.held.Add(-1)
		lost()
		if err := <-kept; ctx.Err() == nil {
			m.tally.lost.Add(1)
			m.absent.note(key, err)
			m.log.Warn("a lease is lost; another one is taken", "lease", key, "error", err)
			continue
		}
		m.drop(ctx, l)
	}
}

// drop gives a lease back at the end, so that nobody need wait for it to expire.
func (m *Member) drop(ctx context.Context, l *lease.Lease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := l.Drop(ctx); err != nil {
		m.log.Info("a lease cannot be given back; it expires", "error", err)
	}
}

// work is something that runs.
type work struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

// begin runs something until it is stopped, and again after it has ended by itself.
func (m *Member) begin(ctx context.Context, run func(context.Context) error, what string, of any) *work {
	ctx, cancel := context.WithCancel(ctx)
	w := &work{cancel, make(chan struct{})}
	go func() {
		defer close(w.ended)
		m.tally.works.Add(1)
		defer m.tally.works.Add(-1)
		pause := retry.Backoff{First: 100 * time.Millisecond, Longest: 10 * time.Second}
		for began := time.Now(); ctx.Err() == nil; began = time.Now() {
			err := run(ctx)
			m.tally.ended(err)
			if ctx.Err() != nil {
				return
			}
			if time.Since(began) > time.Minute {
				pause.Reset()
			}
			if errors.Is(err, engine.ErrFenced) { // as machines come and go, two own a partition for a moment
				m.log.Info("another machine has written there; it is begun again", what, of)
			} else {
				m.log.Warn("it has ended by itself, and is begun again", what, of, "error", err)
			}
			pause.Wait(ctx)
		}
	}()
	return w
}

// stop ends it and waits until it has ended; of none it does nothing.
func (w *work) stop() {
	if w != nil {
		w.cancel()
		<-w.ended
	}
}
