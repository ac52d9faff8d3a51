package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Bucket is a set of keys that expire unless they are written again. It is in the memory of the servers, so it does not
// outlive them: it says who is there, and is no place for what must be kept.
type Bucket struct {
	nc       *nats.Conn
	kv       jetstream.KeyValue
	ttl      time.Duration
	patience time.Duration
}

// mostKeys is how many keys of a bucket are read.
const mostKeys = 10_000

// Bucket opens a bucket, and makes it where there is none: name is a word, ttl how long a key lives, at least a second,
// replicas 3, or 1 in a simulation.
func (c *Conn) Bucket(ctx context.Context, name string, ttl time.Duration, replicas int) (*Bucket, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	pause := pauses()
	for {
		kv, err := c.bucket(ctx, name, ttl, replicas)
		if err == nil {
			return &Bucket{c.nc, kv, ttl, c.patience}, nil
		}
		if errors.Is(err, jetstream.ErrBucketExists) {
			return nil, fmt.Errorf("opening %s: %w (it is there with other settings)", name, ErrRefused)
		}
		if err := fail("opening "+name, err); errors.Is(err, ErrRefused) || !pause.Wait(ctx) {
			return nil, err
		}
	}
}

func (c *Conn) bucket(ctx context.Context, name string, ttl time.Duration, replicas int) (jetstream.KeyValue, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	return c.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, TTL: ttl, History: 1, Replicas: replicas,
		Storage: jetstream.MemoryStorage, MaxValueSize: 1024})
}

// TTL is how long a key lives after it was written.
func (b *Bucket) TTL() time.Duration { return b.ttl }

// Create writes a key that is not there, and returns its revision; ErrFenced if it is there. Who gets ErrAway does not
// know whether it was written.
func (b *Bucket) Create(ctx context.Context, key string, value []byte) (revision uint64, err error) {
	err = b.once(ctx, func(ctx context.Context) (err error) {
		revision, err = b.kv.Create(ctx, key, value)
		return err
	})
	return revision, b.fenced("taking a key", err)
}

// Get reads a key and its revision; nothing where it is not there. What it reads may be a moment old.
func (b *Bucket) Get(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	err = b.once(ctx, func(ctx context.Context) error {
		e, err := b.kv.Get(ctx, key)
		if err == nil {
			value, revision = e.Value(), e.Revision()
		}
		return err
	})
	if isAny(err, jetstream.ErrKeyNotFound, jetstream.ErrKeyDeleted) {
		return nil, 0, nil
	}
	return value, revision, b.fenced("reading a key", err)
}

// Update writes a key that is still of the revision, and returns the next one; ErrFenced if it is not, or is gone.
func (b *Bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (next uint64, err error) {
	err = b.once(ctx, func(ctx context.Context) (err error) {
		next, err = b.kv.Update(ctx, key, value, revision)
		return err
	})
	return next, b.fenced("keeping a key", err)
}

// Delete takes a key away that is still of the revision.
func (b *Bucket) Delete(ctx context.Context, key string, revision uint64) error {
	return b.fenced("dropping a key", b.once(ctx, func(ctx context.Context) error {
		return b.kv.Delete(ctx, key, jetstream.LastRevision(revision))
	}))
}

// once has the servers do something once: it is asked for again only where nobody was there to do it.
func (b *Bucket) once(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	for pause := pauses(); ; {
		err := do(ctx)
		if !isAny(err, nats.ErrNoResponders, jetstream.ErrNoStreamResponse) || !pause.Wait(ctx) {
			return err
		}
	}
}

func (b *Bucket) fenced(doing string, err error) error {
	switch code := codeOf(err); {
	case err == nil:
		return nil
	case code == codeWrongLast, code == codeWrongLast2, errors.Is(err, jetstream.ErrKeyExists):
		return fmt.Errorf("%s: %w", doing, ErrFenced)
	case errors.Is(err, jetstream.ErrInvalidKey):
		return fmt.Errorf("%s: %w (its name has other characters than letters, digits and -_=/.)", doing, ErrRefused)
	}
	return fail(doing, err)
}

// All are the keys that are there, with what was written to them.
func (b *Bucket) All(ctx context.Context) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, b.patience)
	defer cancel()
	pause := pauses()
	for {
		all, err := b.all(ctx)
		if err == nil {
			return all, nil
		}
		if err := fail("reading keys", err); errors.Is(err, ErrRefused) || !pause.Wait(ctx) {
			return nil, err
		}
	}
}

// all reads once. One question has the answer, from whichever server has the bucket. Where it does not, or there are
// no keys, which a server would say too that has lost its memory, a reader is made: by two votes of the servers, which
// cost them some 5 ms of processor time.
func (b *Bucket) all(ctx context.Context) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	if all, err := b.glance(ctx); err == nil && len(all) > 0 {
		return all, nil
	}
	return b.watched(ctx)
}

// glance asks one server for the last message of each key (ADR-31 of NATS, a batched direct get).
func (b *Bucket) glance(ctx context.Context) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt/3)
	defer cancel()
	inbox := b.nc.NewInbox()
	sub, err := b.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	prefix := "$KV." + b.kv.Bucket() + "."
	ask := fmt.Appendf(nil, `{"multi_last":[%q]}`, prefix+">")
	if err := b.nc.PublishRequest("$JS.API.DIRECT.GET.KV_"+b.kv.Bucket(), inbox, ask); err != nil {
		return nil, err
	}
	all, last := map[string][]byte{}, "0"
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		status, whole := m.Header.Get("Status"), m.Header.Get("Nats-Last-Sequence") == last
		switch {
		case status == endOfBatch && whole && m.Header.Get("Nats-Num-Pending") == "0":
			return all, nil
		case status != "" || !whole: // nobody is there, or there is nothing, or too much, or one got lost
			return nil, errors.New("no end of keys")
		}
		last = m.Header.Get(jetstream.SequenceHeader)
		key, ours := strings.CutPrefix(m.Header.Get(jetstream.SubjectHeader), prefix)
		gone := m.Header.Get("KV-Operation") + m.Header.Get(jetstream.MarkerReasonHeader)
		if ours && gone == "" {
			all[key] = m.Data
		}
	}
}

const endOfBatch = "204"

// watched reads by a reader at the servers.
func (b *Bucket) watched(ctx context.Context) (map[string][]byte, error) {
	watch, err := b.kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	defer func() { _ = watch.Stop() }()
	all := map[string][]byte{}
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case e, more := <-watch.Updates():
			if e == nil && more { // all that there were
				return all, nil
			}
			if !more || len(all) == mostKeys {
				return nil, errors.New("no end of keys")
			}
			all[e.Key()] = e.Value()
		}
	}
}
