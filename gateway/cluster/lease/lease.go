// Package lease says who should do what: which processes are there, which one has a role that only one can have, and
// who owns which partition.
//
// A lease is a key in the memory of three servers that expires unless its holder writes it again. Who holds one has it
// for its time to live, by its own clock, from when it began to ask; afterwards somebody else can have it, so two may
// believe in it for a moment, and one that was frozen for longer. Nothing is safe because of a lease: what is written
// is fenced by the place in the log that it expects (engine.Log.Append). A lease only keeps two from working in vain.
// One that lives for less than an election takes (five to eleven seconds) lapses when the server dies that leads the
// bucket.
//
//	me, err := lease.Take(ctx, bucket, "member.worker-1", "worker-1")
//	go me.Keep(ctx)
//	members, err := lease.Holders(ctx, bucket, "member.")
//	for p := range partitions { mine := lease.Owner(p, members) == "worker-1" }
//
// Partitions are assigned by rendezvous: of the members that are there, the one owns a partition whose hash with it is
// the largest. All who see the same members see the same owners without a word between them, and who comes or goes
// moves only its own partitions.
package lease

import (
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
	holder   []byte
	revision uint64       // of the goroutine that keeps it
	until    atomic.Int64 // nanoseconds since begun until which it is held; 0: it is not
	begun    time.Time    // whose monotonic clock counts
}

// ErrTaken: somebody else holds the lease.
var ErrTaken = errors.New("somebody else holds the lease")

// Take takes a lease for its bucket's time to live; ErrTaken if somebody has it. Key and holder are words of ours, as
// releaser or member.worker-1. A lease that this process has lost, or dropped, is taken as a new one.
func Take(ctx context.Context, b *engine.Bucket, key, holder string) (*Lease, error) {
	l := &Lease{bucket: b, key: key, holder: []byte(holder), begun: time.Now()}
	asked := l.now()
	revision, err := b.Create(ctx, key, l.holder)
	if errors.Is(err, engine.ErrFenced) {
		return nil, ErrTaken
	}
	if err != nil {
		return nil, err
	}
	l.revision = revision
	l.until.Store(int64(asked + b.TTL()))
	return l, nil
}

func (l *Lease) now() time.Duration { return time.Since(l.begun) }

// Held reports whether the lease is held at this moment: it was written less than its time to live ago. A process that
// was frozen finds that it is not.
func (l *Lease) Held() bool { return int64(l.now()) < l.until.Load() }

// Keep writes the lease again each third of its time to live, until the context ends or the lease is lost: another has
// it (ErrTaken), or the servers have not answered for as long as it lives (engine.ErrAway).
func (l *Lease) Keep(ctx context.Context) error {
	every := l.bucket.TTL() / 3
	pause := every
	for retry.Sleep(ctx, pause) {
		asked := l.now()
		revision, err := l.bucket.Update(ctx, l.key, l.holder, l.revision)
		switch {
		case err == nil:
			l.revision, pause = revision, every
			l.until.Store(int64(asked + l.bucket.TTL()))
		case errors.Is(err, engine.ErrFenced):
			// Ours may have been written although no answer came: then the next revision is ours too, and is left to
			// expire. To lose a lease is always safe.
			l.until.Store(0)
			return ErrTaken
		case errors.Is(err, engine.ErrRefused) || !l.Held():
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
	for key, holder := range all {
		if strings.HasPrefix(key, prefix) {
			holders[string(holder)] = true
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
