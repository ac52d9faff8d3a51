package engine

import (
	"context"
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

// AskAll puts a question to all who answer on the subject, and gathers their answers until most of them are there, or
// none has come for half a second.
func (c *Conn) AskAll(ctx context.Context, subject string, question []byte, most int) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	inbox := c.nc.NewInbox()
	sub, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fail("asking", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := c.nc.PublishRequest(subject, inbox, question); err != nil {
		return nil, fail("asking", err)
	}
	var answers [][]byte
	wait := oneAttempt // for the first; the others follow soon
	for len(answers) < most {
		one, cancel := context.WithTimeout(ctx, wait)
		m, err := sub.NextMsgWithContext(one)
		cancel()
		if err != nil && len(answers) == 0 {
			return nil, fail("asking", err)
		}
		if err != nil {
			break
		}
		answers = append(answers, m.Data)
		wait = 500 * time.Millisecond
	}
	return answers, nil
}
