package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Bucket is a set of keys that expire unless they are written again. It is in the memory of the servers, so it does not
// outlive them: it says who is there, and is no place for what must be kept.
type Bucket struct {
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
			return &Bucket{kv, ttl, c.patience}, nil
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

func (b *Bucket) all(ctx context.Context) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
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
