package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// idHeader has the id of an entry that was appended. It is not Nats-Msg-Id: the servers would then take an entry for a
// repetition before they look at the place that it expects.
const idHeader = "Sluice-Id"

// Append writes an entry if the last one of its subject is still the one numbered expected (0: it has none), and
// returns its number. When it returns one, a majority has the entry on its disk.
//
// An answer that does not come is not a no. The subject is then read behind expected: an entry with the same id and
// the same bytes is this one; another one is somebody else's (ErrFenced); where there is none yet, the same is offered
// again at the same place, so it cannot be there twice. After the patience it is ErrAway, and the entry may still come
// to be.
//
// Two writers must not give two entries the same id and the same bytes. Each subject has one append under way at a
// time.
func (l *Log) Append(ctx context.Context, subject string, expected uint64, id string, body []byte) (uint64, error) {
	if len(body) > l.most {
		return 0, fmt.Errorf("appending: %w (%d bytes are longer than %d)", ErrRefused, len(body), l.most)
	}
	ctx, cancel := context.WithTimeout(ctx, l.conn.patience)
	defer cancel()
	pause := pauses()
	offered := false // whether a server may have got it
	for {
		seq, err := l.offer(ctx, subject, expected, id, body)
		if err == nil {
			return seq, nil
		}
		why := fail("appending", err)
		if full := codeOf(err) == codeStoreFailed; (full || errors.Is(why, ErrRefused)) && !offered {
			return 0, fmt.Errorf("appending: %w (%s)", ErrRefused, reason(err))
		}
		offered = offered || !isAny(err, nats.ErrNoResponders, jetstream.ErrNoStreamResponse,
			nats.ErrReconnectBufExceeded, nats.ErrConnectionClosed)
		seq, read := l.fate(ctx, subject, expected, id, body)
		if read == nil && seq > 0 || errors.Is(read, ErrFenced) {
			return seq, read
		}
		if !pause.Wait(ctx) {
			return 0, fmt.Errorf("appending: %w (%s)", ErrAway, reason(err))
		}
	}
}

// offer offers an entry once.
func (l *Log) offer(ctx context.Context, subject string, expected uint64, id string, body []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	m := &nats.Msg{Subject: subject, Header: nats.Header{idHeader: {id}}, Data: body}
	ack, err := l.conn.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(expected),
		jetstream.WithExpectStream(l.name), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// fate looks at what stands first behind expected: the number of the entry if it is this one, ErrFenced if it is
// another one, 0 if there is none yet. The leader is asked: one that has been deposed without knowing may lack the
// entry, and then it is only offered again.
func (l *Log) fate(ctx context.Context, subject string, expected uint64, id string, body []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, oneAttempt)
	defer cancel()
	m, err := l.stream.GetMsg(ctx, expected+1, jetstream.WithGetMsgSubject(subject))
	switch {
	case codeOf(err) == codeNoEntry:
		return 0, nil
	case err != nil:
		return 0, fail("reading", err)
	case m.Header.Get(idHeader) == id && bytes.Equal(m.Data, body):
		return m.Sequence, nil
	}
	return 0, fmt.Errorf("appending: %w", ErrFenced)
}
