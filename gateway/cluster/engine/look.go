package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Find is a log that is there, to look at; nil where there is none. Nothing is made, and how it is kept is not asked.
func (c *Conn) Find(ctx context.Context, name string) (*Log, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	stream, err := c.js.Stream(ctx, name)
	if codeOf(err) == codeNoLog {
		return nil, nil
	}
	if err != nil {
		return nil, fail("looking at "+name, err)
	}
	return &Log{conn: c, stream: stream, name: name, most: MaxEntry}, nil
}

// FindBucket is a bucket that is there, to look at; nil where there is none.
func (c *Conn) FindBucket(ctx context.Context, name string) (*Bucket, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	kv, err := c.js.KeyValue(ctx, name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fail("looking at "+name, err)
	}
	return &Bucket{nc: c.nc, kv: kv, patience: oneAttempt}, nil
}

// Held is how many entries the log has of each subject that a pattern takes in.
func (l *Log) Held(ctx context.Context, pattern string) (map[string]uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	info, err := l.stream.Info(ctx, jetstream.WithSubjectFilter(pattern))
	if err != nil {
		return nil, fail("looking at "+l.name, err)
	}
	return info.State.Subjects, nil
}

// Newest is the last entry of a subject; one without a number where it has none.
func (l *Log) Newest(ctx context.Context, subject string) (e Entry, err error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	m, err := l.stream.GetLastMsgForSubject(ctx, subject)
	if codeOf(err) == codeNoEntry {
		return e, nil
	}
	if err != nil {
		return e, fail("looking at "+l.name, err)
	}
	return entryOf(m), nil
}

// Written is when the last entry of a subject was written, by the servers' clock; zero where it has none.
func (l *Log) Written(ctx context.Context, subject string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	m, err := l.stream.GetLastMsgForSubject(ctx, subject)
	if codeOf(err) == codeNoEntry {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fail(fmt.Sprintf("looking at %s", l.name), err)
	}
	return m.Time, nil
}

// Out are the servers that do not keep a log although they are to: those that its leader does not hear from. A server
// is named as it names itself.
func (l *Log) Out(ctx context.Context) (servers []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	info, err := l.stream.Info(ctx)
	if err != nil {
		return nil, fail("looking at "+l.name, err)
	}
	if info.Cluster == nil {
		return nil, nil
	}
	for _, r := range info.Cluster.Replicas {
		if r.Offline || !r.Current && r.Active > 5*time.Second {
			servers = append(servers, r.Name)
		}
	}
	slices.Sort(servers)
	return servers, nil
}
