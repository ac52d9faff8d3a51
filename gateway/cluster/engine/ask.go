package engine

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

// What waits to be answered at most, before questions are lost.
const (
	waiting      = 1000
	waitingBytes = 8 << 20
)

// Answer answers questions on a subject, one at a time, until stop is called; a nil answer is none. Neither is stored
// by anybody, if no log keeps the subject: for keys that is so in an account without JetStream alone. Servers that are
// not asked directly hear of it a moment later.
func (c *Conn) Answer(ctx context.Context, subject string, answer func([]byte) []byte) (stop func(), err error) {
	sub, err := c.nc.Subscribe(subject, func(m *nats.Msg) {
		if a := answer(m.Data); a != nil && m.Reply != "" {
			_ = m.Respond(a) // who gets none asks again
		}
	})
	if err != nil {
		return nil, fail("answering", err)
	}
	stop = func() { _ = sub.Unsubscribe() }
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	if err = sub.SetPendingLimits(waiting, waitingBytes); err == nil {
		err = c.nc.FlushWithContext(ctx)
	}
	if err != nil {
		stop()
		return nil, fail("answering", err)
	}
	return stop, nil
}

// Ask puts a question to whoever answers on the subject first, and waits for the answer. Neither is stored.
func (c *Conn) Ask(ctx context.Context, subject string, question []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	m, err := c.nc.RequestWithContext(ctx, subject, question)
	if err != nil {
		return nil, fail("asking", err)
	}
	return m.Data, nil
}

// What waits of answers to one question at most.
const (
	answers      = 1 << 14
	answersBytes = 32 << 20
)

// AskAll puts a question to all who answer on the subject, and hands over their answers until it is enough, or none has
// come for half a second. Whoever hears the question can answer, and as often as it likes: only the patience bounds how
// many are looked at, so that nobody's are crowded out.
func (c *Conn) AskAll(ctx context.Context, subject string, question []byte, take func(answer []byte) (enough bool),
) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	inbox := c.nc.NewInbox()
	sub, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return fail("asking", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := sub.SetPendingLimits(answers, answersBytes); err != nil {
		return fail("asking", err)
	}
	if err := c.nc.PublishRequest(subject, inbox, question); err != nil {
		return fail("asking", err)
	}
	wait := oneAttempt // for the first; the others follow soon
	for {
		one, cancel := context.WithTimeout(ctx, wait)
		m, err := sub.NextMsgWithContext(one)
		cancel()
		switch {
		case errors.Is(err, nats.ErrSlowConsumer): // some were lost, and others are there
		case err != nil && wait == oneAttempt:
			return fail("asking", err)
		case err != nil:
			return nil
		case take(m.Data):
			return nil
		default:
			wait = 500 * time.Millisecond
		}
	}
}
