package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Spec is what a log must be. What is not said here is fixed: entries are in files, synchronised before they are
// acknowledged, and a full log takes no more instead of forgetting its first.
type Spec struct {
	Name     string   // of the stream, as IN
	Subjects []string // what is kept, as in.*; nothing else can keep it
	Replicas int      // 3; 1 is for simulations
	Forever  bool     // nobody can delete or purge, not by mistake either
	MaxBytes int64    // of one replica; 0: as much as the disk has
	MaxEntry int      // bytes of one entry; 0: MaxEntry
}

// MaxEntry is the longest entry, in bytes, and MaxPayload what the servers must take for it: its headers come with it.
// NATS takes 1 MiB by itself.
const (
	MaxEntry   = 1_000_000
	MaxPayload = MaxEntry + headers
)

// memory is how long the servers know the ids of what was put, so that a repetition is none.
const memory = 2 * time.Minute

// config is the stream that a Spec asks for.
func (s *Spec) config() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              s.Name,
		Subjects:          s.Subjects,
		Replicas:          s.Replicas,
		Retention:         jetstream.LimitsPolicy,
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardNew,
		DenyDelete:        s.Forever,
		DenyPurge:         s.Forever,
		MaxBytes:          orNone(s.MaxBytes),
		MaxMsgSize:        int32(s.most()) + headers,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: -1,
		MaxConsumers:      -1,
		Duplicates:        memory,
		AllowDirect:       false, // a follower that lags would answer, and what it lacks looks unwritten
	}
}

// headers is room for those of an entry: its id, and the place that it expects.
const headers = 1024

func (s *Spec) most() int {
	if s.MaxEntry > 0 {
		return s.MaxEntry
	}
	return MaxEntry
}

func orNone(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}

// Log is one stream of JetStream: entries by subject, numbered in one row. It may be used by several goroutines.
type Log struct {
	conn    *Conn
	stream  jetstream.Stream
	name    string
	most    int
	forever bool
}

// Open makes the log if there is none. One that is there must be as the Spec says, or it is refused and the error says
// in what it differs: nothing is changed by itself that somebody has set.
func (c *Conn) Open(ctx context.Context, s Spec) (*Log, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	pause := pauses()
	for {
		stream, err := c.open(ctx, s)
		if err == nil {
			if wrong := s.differs(stream.CachedInfo().Config); len(wrong) > 0 {
				return nil, fmt.Errorf("opening %s: %w (%s)", s.Name, ErrRefused, strings.Join(wrong, ", "))
			}
			return &Log{c, stream, s.Name, s.most(), s.Forever}, nil
		}
		if err := fail("opening "+s.Name, err); errors.Is(err, ErrRefused) || !pause.Wait(ctx) {
			return nil, err
		}
	}
}

func (c *Conn) open(ctx context.Context, s Spec) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	stream, err := c.js.Stream(ctx, s.Name)
	if codeOf(err) == codeNoLog {
		stream, err = c.js.CreateStream(ctx, s.config())
	}
	if err != nil {
		return nil, err
	}
	// Where several open it for the first time, one is told that it is made, and a moment later that it is not there.
	_, err = stream.GetLastMsgForSubject(ctx, s.Subjects[0])
	switch codeOf(err) {
	case codeNoEntry:
		return stream, nil
	case codeNoLog:
		return nil, jetstream.ErrNoStreamResponse
	}
	return stream, err
}

// Differs says in what a log that is there is not what the Spec asks for, in words for an operator; nil if in nothing
// that matters, or there is none.
func (c *Conn) Differs(ctx context.Context, s Spec) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	stream, err := c.js.Stream(ctx, s.Name)
	if codeOf(err) == codeNoLog {
		return nil, nil
	}
	if err != nil {
		return nil, fail("looking at "+s.Name, err)
	}
	return s.differs(stream.CachedInfo().Config), nil
}

// differs says in what a stream is not what the Spec asks for, in words for an operator; nil if in nothing that
// matters.
func (s *Spec) differs(is jetstream.StreamConfig) (wrong []string) {
	want := s.config()
	say := func(is bool, text string, args ...any) {
		if is {
			wrong = append(wrong, fmt.Sprintf(text, args...))
		}
	}
	say(!slices.Equal(is.Subjects, want.Subjects), "its subjects are others")
	say(is.Storage != want.Storage, "storage is not file")
	say(is.Replicas != want.Replicas, "replicas is %d and not %d", is.Replicas, want.Replicas)
	say(is.Discard != want.Discard, "discard is not new")
	say(is.Retention != want.Retention, "retention is not limits")
	say(is.PersistMode == jetstream.AsyncPersistMode, "persist_mode is async")
	say(is.NoAck, "no_ack is set")
	say(is.MaxAge != 0 || is.AllowMsgTTL, "entries end by age")
	say(is.MaxMsgs > 0 || is.MaxMsgsPerSubject > 0, "the number of entries is bounded")
	say(is.MaxMsgSize >= 0 && is.MaxMsgSize < want.MaxMsgSize, "max_msg_size is less than %d", want.MaxMsgSize)
	say(s.Forever && !is.DenyDelete, "deny_delete is not set")
	say(s.Forever && !is.DenyPurge, "deny_purge is not set")
	say(is.AllowRollup, "rollups are allowed")
	say(is.AllowDirect, "direct reading is allowed")
	say(is.Mirror != nil || len(is.Sources) > 0, "it copies another stream")
	say(is.RePublish != nil, "it publishes again what it keeps")
	say(is.SubjectTransform != nil, "it changes subjects")
	say(is.AllowMsgCounter || is.AllowMsgSchedules || is.AllowBatchPublish, "counters, schedules or fast batches")
	say(is.Sealed, "it is sealed")
	return wrong
}

// Last is the number of a subject's last entry; 0 where it has none.
func (l *Log) Last(ctx context.Context, subject string) (uint64, error) {
	e, err := l.last(ctx, subject)
	return e.Seq, err
}

// last is a subject's last entry; one without a number where it has none.
func (l *Log) last(ctx context.Context, subject string) (e Entry, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.conn.patience)
	defer cancel()
	pause := pauses()
	for {
		one, cancel := context.WithTimeout(ctx, oneAttempt)
		m, err := l.stream.GetLastMsgForSubject(one, subject)
		cancel()
		if err == nil {
			return entryOf(m), nil
		}
		if codeOf(err) == codeNoEntry {
			return e, nil
		}
		if err := fail("reading", err); errors.Is(err, ErrRefused) || !pause.Wait(ctx) {
			return e, err
		}
	}
}

// Drop deletes the entries of a subject that stand before one of them. The last one stays, whatever is asked: without
// it the subject would look as if nobody had ever written, and that is what ErrFenced is told by. Of a log that is
// Forever nothing can be dropped.
func (l *Log) Drop(ctx context.Context, subject string, before uint64) error {
	if l.forever {
		return fmt.Errorf("dropping: %w (the log is for ever)", ErrRefused)
	}
	last, err := l.Last(ctx, subject)
	if err != nil {
		return err
	}
	if before = min(before, last); before == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, l.conn.patience)
	defer cancel()
	pause := pauses()
	for {
		one, cancel := context.WithTimeout(ctx, oneAttempt)
		err := l.stream.Purge(one, jetstream.WithPurgeSubject(subject), jetstream.WithPurgeSequence(before))
		cancel()
		if err == nil {
			return nil
		}
		if err := fail("dropping", err); errors.Is(err, ErrRefused) || !pause.Wait(ctx) {
			return err
		}
	}
}
