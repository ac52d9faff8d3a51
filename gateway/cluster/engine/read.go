package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Entry is one entry of a log.
type Entry struct {
	Seq     uint64 // its number, which grows but need not be the next
	Subject string
	ID      string // as it was given to Append or Put
	Body    []byte
}

const (
	readAhead      = 256     // entries that are under way to a reader at most
	readAheadBytes = 8 << 20 // and their bytes
	heartbeat      = 2 * time.Second
	idle           = 30 * time.Second // after which the servers forget a reader that is gone
)

// few is how many numbers of a log are asked for one by one. A reader is made and taken back by votes of the servers,
// which cost them more than all these questions; and who looks for what is new finds most often nothing.
const few = 16

// Entries are the entries of a subject from one number on, in order, up to the one that was the last when reading
// began. It ends with ErrAway where nothing comes for as long as the patience.
func (l *Log) Entries(ctx context.Context, subject string, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		last, err := l.last(ctx, subject)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		if last.Seq < from || last.Seq == 0 {
			return
		}
		for last.Seq < max(from, 1)+few {
			e := last
			if from < last.Seq {
				if e, err = l.next(ctx, subject, from); err != nil {
					break // a reader waits for it
				}
			}
			if from = e.Seq + 1; !yield(e, nil) || e.Seq >= last.Seq {
				return
			}
		}
		for e, err := range l.read(ctx, subject, from, l.conn.patience) {
			if !yield(e, err) || err != nil || e.Seq >= last.Seq {
				return
			}
		}
	}
}

// next asks for the first entry of a subject from a number on.
func (l *Log) next(ctx context.Context, subject string, from uint64) (e Entry, err error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	m, err := l.stream.GetMsg(ctx, max(from, 1), jetstream.WithGetMsgSubject(subject))
	if err != nil {
		return e, err
	}
	return entryOf(m), nil
}

func entryOf(m *jetstream.RawStreamMsg) Entry {
	return Entry{Seq: m.Sequence, Subject: m.Subject, ID: idOf(m.Header), Body: m.Data}
}

// idOf is the id of an entry that was appended, or put.
func idOf(h nats.Header) string {
	if id := h.Get(idHeader); id != "" {
		return id
	}
	return h.Get(jetstream.MsgIDHeader)
}

// Follow are the entries of a subject from one number on, in order, and those to come, until the context ends. While
// the servers are away it waits; it ends with an error only where they refuse, or the context has ended.
func (l *Log) Follow(ctx context.Context, subject string, from uint64) iter.Seq2[Entry, error] {
	return l.read(ctx, subject, from, 0)
}

// read reads by one reader at the servers after another: whatever goes wrong with one, the next begins behind the last
// entry that came. With a patience it ends where nothing comes for so long.
func (l *Log) read(ctx context.Context, subject string, from uint64, patience time.Duration) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		next, came := max(from, 1), time.Now()
		pause := pauses()
		for {
			err := l.stretch(ctx, subject, next, patience, func(e Entry) bool {
				next, came = e.Seq+1, time.Now()
				pause.Reset()
				return yield(e, nil)
			})
			switch {
			case err == nil: // the caller has had enough
				return
			case ctx.Err() != nil:
				yield(Entry{}, fmt.Errorf("reading: %w", ctx.Err()))
				return
			case errors.Is(err, ErrRefused), patience > 0 && time.Since(came) >= patience:
				yield(Entry{}, err)
				return
			}
			pause.Wait(ctx)
		}
	}
}

// stretch reads until something goes wrong; nil if take has said that it is enough. The reader at the server counts
// what it sends, so that a gap shows. With a patience it ends where nothing comes for so long, as it does when the
// servers were put back meanwhile and do not have the last entry any more.
func (l *Log) stretch(
	ctx context.Context, subject string, from uint64, patience time.Duration, take func(Entry) bool,
) error {
	one, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	reader, err := l.stream.CreateConsumer(one, jetstream.ConsumerConfig{
		FilterSubject:     subject,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       from,
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: idle,
	})
	if err != nil {
		return fail("reading", err)
	}
	messages, err := reader.Messages(jetstream.PullMaxMessagesWithBytesLimit(readAhead, readAheadBytes),
		jetstream.PullHeartbeat(heartbeat), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return fail("reading", err)
	}
	defer l.forget(reader.CachedInfo().Name)
	defer messages.Stop()
	for n := uint64(1); ; n++ {
		m, err := arrives(ctx, messages, patience)
		if err != nil {
			return fail("reading", err)
		}
		meta, err := m.Metadata()
		if err != nil || meta.Sequence.Consumer != n {
			return fmt.Errorf("reading: %w (a gap)", ErrAway)
		}
		e := Entry{Seq: meta.Sequence.Stream, Subject: m.Subject(), ID: idOf(m.Headers()), Body: m.Data()}
		if !take(e) {
			return nil
		}
	}
}

// arrives is the next message; a patience of 0 has no end.
func arrives(ctx context.Context, messages jetstream.MessagesContext, patience time.Duration) (jetstream.Msg, error) {
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	return messages.Next(jetstream.NextContext(ctx))
}

// forget takes a reader back, so that thousands of short readings do not wait for the servers to forget them. It asks
// and does not wait for the answer.
func (l *Log) forget(reader string) {
	_ = l.conn.nc.Publish("$JS.API.CONSUMER.DELETE."+l.name+"."+reader, nil)
}
