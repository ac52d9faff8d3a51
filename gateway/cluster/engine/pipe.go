package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Limits bound what a Pipe has in flight: put, and not acknowledged.
type Limits struct {
	Entries int
	Bytes   int
}

// Pipe publishes many entries without waiting for each, and says in order which are acknowledged. What gets no answer
// is sent again with the same id until it has one; the servers know an id for two minutes, so that a longer outage can
// make an entry stand twice: who reads knows it by its id.
//
// Acknowledgements come in the order of Put. Entries need not stand in that order after a fault: who wants one to stand
// behind all others calls Wait first.
type Pipe struct {
	log    *Log
	js     jetstream.JetStream
	limits Limits
	acked  func(n uint64)

	flight chan flight
	freed  chan struct{} // one in it: something was acknowledged since it was taken out
	ended  chan struct{} // closed when Run has ended, for good
	why    error         // why it has; written before ended is closed
	once   sync.Once
	put    uint64        // of the goroutine that puts
	done   atomic.Uint64 // how many are acknowledged
	bytes  atomic.Int64  // in flight
}

// flight is an entry that is on its way.
type flight struct {
	subject, id string
	body        []byte
	answer      jetstream.PubAckFuture // nil: it could not be sent
}

// Pipe makes a pipe to the log. acked is told, on the goroutine of Run, that the first n entries that were put are on a
// majority's disks.
func (l *Log) Pipe(limits Limits, acked func(n uint64)) (*Pipe, error) {
	limits = Limits{max(limits.Entries, 1), max(limits.Bytes, 1)}
	// The library's own bound is never met: it would be an error, and it is only time to wait.
	js, err := jetstream.New(l.conn.nc, jetstream.WithPublishAsyncMaxPending(limits.Entries+1),
		jetstream.WithPublishAsyncTimeout(oneAttempt))
	if err != nil {
		return nil, fail("publishing", err)
	}
	return &Pipe{
		log: l, js: js, limits: limits, acked: acked,
		flight: make(chan flight, limits.Entries),
		freed:  make(chan struct{}, 1),
		ended:  make(chan struct{}),
	}, nil
}

// Put sends an entry. It waits while the limits are met, which is how a cluster that is slow or away holds its senders
// back; one entry goes even where it is larger than all bytes that may be in flight. The body must not be changed
// before it is acknowledged. Put and Wait are for one goroutine.
func (p *Pipe) Put(ctx context.Context, subject, id string, body []byte) error {
	if len(body) > p.log.most {
		return fmt.Errorf("publishing: %w (%d bytes are longer than %d)", ErrRefused, len(body), p.log.most)
	}
	fits := func() bool {
		n := p.put - p.done.Load()
		return n == 0 || n < uint64(p.limits.Entries) && int(p.bytes.Load())+len(body) <= p.limits.Bytes
	}
	if err := p.until(ctx, fits); err != nil {
		return err
	}
	p.put++
	p.bytes.Add(int64(len(body)))
	f := flight{subject: subject, id: id, body: body}
	if answer, err := p.js.PublishMsgAsync(f.message(), jetstream.WithMsgID(id),
		jetstream.WithExpectStream(p.log.name)); err == nil {
		f.answer = answer
	}
	p.flight <- f // there is room: fits says so
	return nil
}

// Wait waits until all that was put is acknowledged.
func (p *Pipe) Wait(ctx context.Context) error {
	return p.until(ctx, func() bool { return p.put == p.done.Load() })
}

func (p *Pipe) until(ctx context.Context, so func() bool) error {
	for {
		select {
		case <-p.ended:
			return p.why
		case <-ctx.Done():
			return fmt.Errorf("publishing: %w (%w)", ErrAway, ctx.Err())
		default:
		}
		if so() {
			return nil
		}
		select {
		case <-p.freed:
		case <-p.ended:
		case <-ctx.Done():
		}
	}
}

// Run waits for the acknowledgements until the context ends, or an entry is refused for good. What is not acknowledged
// then may still be written. A pipe runs once.
func (p *Pipe) Run(ctx context.Context) error {
	err := p.run(ctx)
	p.once.Do(func() {
		p.why = err
		close(p.ended)
		p.js.CleanupPublisher()
	})
	return err
}

func (p *Pipe) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("publishing: %w", ctx.Err())
		case f := <-p.flight:
			if err := p.settle(ctx, f); err != nil {
				return err
			}
			p.bytes.Add(-int64(len(f.body)))
			p.acked(p.done.Add(1))
			select {
			case p.freed <- struct{}{}:
			default:
			}
		}
	}
}

// settle waits until an entry is acknowledged.
func (p *Pipe) settle(ctx context.Context, f flight) error {
	if f.answer != nil {
		select {
		case <-ctx.Done():
			return fmt.Errorf("publishing: %w", ctx.Err())
		case <-f.answer.Ok():
			return nil
		case err := <-f.answer.Err():
			if why := fail("publishing", err); errors.Is(why, ErrRefused) {
				return why
			}
		}
	}
	for pause := pauses(); ; {
		one, cancel := context.WithTimeout(ctx, oneAttempt)
		_, err := p.js.PublishMsg(one, f.message(), jetstream.WithMsgID(f.id),
			jetstream.WithExpectStream(p.log.name), jetstream.WithRetryAttempts(0))
		cancel()
		if err == nil {
			return nil
		}
		if why := fail("publishing", err); errors.Is(why, ErrRefused) {
			return why
		}
		if !pause.Wait(ctx) {
			return fmt.Errorf("publishing: %w", ctx.Err())
		}
	}
}

func (f *flight) message() *nats.Msg { return &nats.Msg{Subject: f.subject, Data: f.body} }
