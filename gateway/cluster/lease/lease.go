// Package lease says who should do what: which processes are there, which one has a role that only one can have, and
// who owns which partition.
//
// A lease is a key in the memory of three servers that expires unless its holder writes it again. Who holds one has it
// for its time to live, by its own clock, from when it began to ask; afterwards somebody else can have it, so two may
// believe in it for a moment, and one that was frozen for longer. Nothing is safe because of a lease: what is written
// is fenced by the place in the log that it expects (engine.Log.Append). A lease only keeps two from working in vain.
//
// It is written each fifth of its time to live T, and each twentieth while no answer comes. So who dies is missed
// after 4/5 T to T; and who stands still, or hears from no server, for 4/5 T keeps it. That covers a machine that is
// busy, and most elections, that a server's death begins (the first attempt 4 to 9 s after it): where it does not,
// leases lapse and are taken again as soon as there is somebody to ask.
//
//	me := lease.Who{Name: "worker-1", Run: rand.Text()}
//	held, err := lease.Inherit(ctx, bucket, "member.worker-1", me)
//	go held.Keep(ctx)
//	members, err := lease.Holders(ctx, bucket, "member.")
//	for p := range partitions { mine := lease.Owner(p, members) == "worker-1" }
//
// Partitions are assigned by rendezvous: of the members that are there, the one owns a partition whose hash with it is
// the largest. All who see the same members see the same owners without a word between them, and who comes or goes
// moves only its own partitions.
package lease

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/internal/retry"
)

// Lease is a key that this process has taken. It may be used by several goroutines; one of them keeps it.
type Lease struct {
	bucket   *engine.Bucket
	key      string
	who      Who
	revision uint64       // of the goroutine that keeps it
	until    atomic.Int64 // nanoseconds since begun until which it is held; 0: it is not
	begun    time.Time    // whose monotonic clock counts
}

// ErrTaken: somebody else holds the lease.
var ErrTaken = errors.New("somebody else holds the lease")

// Who is it that takes a lease: a member by its name, and which run of it, so that a process is told from the one that
// had the name before. Both are words without a space; a run is of one lease alone.
type Who struct{ Name, Run string }

func (w Who) text() []byte { return []byte(w.Name + " " + w.Run) }

// Name is the name of whose lease it is, by what stands in its key.
func Name(text []byte) string {
	name, _, _ := strings.Cut(string(text), " ")
	return name
}

// Take takes a lease for its bucket's time to live; ErrTaken if somebody has it. The key is a word of ours, as releaser
// or member.worker-1. A lease that this process has lost, or dropped, is taken as a new one.
func Take(ctx context.Context, b *engine.Bucket, key string, who Who) (*Lease, error) {
	return take(ctx, b, key, who, who.has)
}

// Inherit is Take, but a lease of an earlier run of the same member is taken from it: a process that starts need not
// wait until that expires. The earlier one is dead, or hears that it has lost it. Who does so more than once takes it
// to and fro with another process of its name.
func Inherit(ctx context.Context, b *engine.Bucket, key string, who Who) (*Lease, error) {
	return take(ctx, b, key, who, func(text []byte) bool { return Name(text) == who.Name })
}

func (w Who) has(text []byte) bool { return bytes.Equal(text, w.text()) }

func take(ctx context.Context, b *engine.Bucket, key string, who Who, ours func([]byte) bool) (*Lease, error) {
	l := &Lease{bucket: b, key: key, who: who, begun: time.Now()}
	asked := l.now()
	revision, err := b.Create(ctx, key, who.text())
	if errors.Is(err, engine.ErrFenced) {
		asked = l.now()
		revision, err = l.again(ctx, ours)
	}
	if err != nil {
		return nil, err
	}
	l.wrote(revision, asked)
	return l, nil
}

// again writes the lease if what stands there is ours: an attempt's whose answer did not come, or an earlier run's.
func (l *Lease) again(ctx context.Context, ours func([]byte) bool) (revision uint64, err error) {
	text, revision, err := l.bucket.Get(ctx, l.key)
	if err != nil {
		return 0, err
	}
	if !ours(text) {
		return 0, ErrTaken
	}
	if revision, err = l.bucket.Update(ctx, l.key, l.who.text(), revision); errors.Is(err, engine.ErrFenced) {
		return 0, ErrTaken
	}
	return revision, err
}

// wrote notes that the lease is written, by who began to ask then.
func (l *Lease) wrote(revision uint64, asked time.Duration) {
	l.revision = revision
	l.until.Store(int64(asked + l.bucket.TTL()))
}

func (l *Lease) now() time.Duration { return time.Since(l.begun) }

// Held reports whether the lease is held at this moment: it was written less than its time to live ago. A process that
// was frozen finds that it is not.
func (l *Lease) Held() bool { return int64(l.now()) < l.until.Load() }

// Keep writes the lease again each fifth of its time to live, until the context ends or the lease is lost: another has
// it (ErrTaken), or the servers have not answered for as long as it lives (engine.ErrAway).
func (l *Lease) Keep(ctx context.Context) error {
	every := l.bucket.TTL() / 5
	pause := every
	for retry.Sleep(ctx, pause) {
		asked := l.now()
		revision, err := l.bucket.Update(ctx, l.key, l.who.text(), l.revision)
		if errors.Is(err, engine.ErrFenced) {
			// Ours may have been written although no answer came: then the next revision is ours too.
			asked = l.now()
			revision, err = l.again(ctx, l.who.has)
		}
		switch {
		case err == nil:
			l.wrote(revision, asked)
			pause = every
		case errors.Is(err, ErrTaken) || errors.Is(err, engine.ErrRefused) || !l.Held():
			l.until.Store(0)
			return err
		default:
			pause = every / 4
		}
	}
	return ctx.Err()
}

// Drop gives the lease back, so that nobody need wait until it expires; others can take it a moment later, when the
// server that they ask has heard of it. It is for who has ended Keep.
func (l *Lease) Drop(ctx context.Context) error {
	l.until.Store(0)
	return l.bucket.Delete(ctx, l.key, l.revision)
}

// Holders are who hold the leases whose keys begin so, in order, each once.
func Holders(ctx context.Context, b *engine.Bucket, prefix string) ([]string, error) {
	all, err := b.All(ctx)
	if err != nil {
		return nil, err
	}
	holders := map[string]bool{}
	for key, text := range all {
		if strings.HasPrefix(key, prefix) {
			holders[Name(text)] = true
		}
	}
	return slices.Sorted(maps.Keys(holders)), nil
}

// Owner is who of the members should own a partition; empty if there are none. The order of the members is all the
// same.
func Owner(partition int, members []string) (owner string) {
	var most uint64
	for _, m := range members {
		sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, uint64(partition)), m...))
		h := binary.BigEndian.Uint64(sum[:])
		if owner == "" || h > most || h == most && m < owner {
			owner, most = m, h
		}
	}
	return owner
}

// Assign is Owner for each of so many partitions.
func Assign(partitions int, members []string) []string {
	owners := make([]string, partitions)
	for p := range owners {
		owners[p] = Owner(p, members)
	}
	return owners
}
