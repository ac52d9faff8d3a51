// Package books keeps a ledger's transactions in a log of the engine, so that the ledgers of several machines follow
// one another.
//
// It is a ledger.Log: a transaction is written where its writer has read to, or not at all. One that is longer than an
// entry is written in parts, each at the place behind the one before. A part's id says whose it is:
//
//	WRITER-N I/K     part I of K of the Nth transaction of a writer; 1/1 is a whole one
//
// A transaction is there when its last part is; its place is the number of that. Whoever dies, or is overtaken, in
// between leaves parts that nobody reads: nothing of the same transaction can come behind another's.
package books

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/ledger"
)

// Spec is the log that the books are in.
func Spec(replicas int) engine.Spec {
	return engine.Spec{Name: "BOOKS", Subjects: []string{subject}, Replicas: replicas, Forever: true}
}

const subject = "books"

// mostParts bounds a transaction: 64 MB, which a year of a large city's windows in one are not.
const mostParts = 64

// Books are the transactions in a log. They are for one ledger, whose calls may come from several goroutines.
type Books struct {
	log    *engine.Log
	writer string

	mu   sync.Mutex
	n    int    // transactions that this writer began; guarded by mu
	end  uint64 // where the last whole transaction that was read ends; guarded by mu
	tail uint64 // and where the log did, with parts of others behind it; guarded by mu
}

// Of makes the books of a log that Spec describes.
func Of(log *engine.Log) *Books { return &Books{log: log, writer: rand.Text()} }

// Find are the books that the servers have, for who looks at them or writes beside a gateway.
func Find(ctx context.Context, conn *engine.Conn) (*Books, error) {
	log, err := conn.Find(ctx, "BOOKS")
	if err == nil && log == nil {
		err = errors.New("the servers have no books: no gateway of the cluster has run yet, or they have lost them")
	}
	if err != nil {
		return nil, err
	}
	return Of(log), nil
}

// Halted is why the books wait to be recovered; empty where they do not. Nothing is written into them until then, so
// that their last entry says so.
func Halted(ctx context.Context, conn *engine.Conn) (why string, err error) {
	log, err := conn.Find(ctx, "BOOKS")
	if err != nil || log == nil {
		return "", err
	}
	last, err := log.Newest(ctx, subject)
	if err != nil {
		return "", err
	}
	if body, whole := new(assembly).add(last); whole && ledger.Halts(body) {
		why = ledger.ErrHalted.Error()
	}
	return why, nil
}

// Append writes a transaction behind the one that ends at after: see ledger.Log.
func (b *Books) Append(ctx context.Context, after uint64, body []byte) (end uint64, err error) {
	parts := max(len(body)-1, 0)/engine.MaxEntry + 1
	if parts > mostParts {
		return 0, fmt.Errorf("a transaction of %d bytes is longer than %d parts", len(body), mostParts)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n++
	if end = after; b.end == after {
		end = max(end, b.tail)
	}
	for i := range parts {
		part := body[i*engine.MaxEntry : min((i+1)*engine.MaxEntry, len(body))]
		id := fmt.Sprintf("%s-%d %d/%d", b.writer, b.n, i+1, parts)
		if end, err = b.log.Append(ctx, subject, end, id, part); err != nil {
			b.end, b.tail = 0, 0 // who goes on reads first
			if errors.Is(err, engine.ErrFenced) {
				return 0, ledger.ErrOvertaken
			}
			return 0, err
		}
	}
	b.end, b.tail = end, end
	return end, nil
}

// Each hands over the whole transactions behind a place: see ledger.Log.
func (b *Books) Each(ctx context.Context, after uint64, f func(end uint64, body []byte) error) error {
	var at assembly
	end, tail := after, after
	for e, err := range b.log.Entries(ctx, subject, after+1) {
		if err != nil {
			return err
		}
		tail = e.Seq
		if body, whole := at.add(e); whole {
			end = e.Seq
			if err := f(end, body); err != nil {
				return err
			}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if end >= b.end {
		b.end, b.tail = end, max(tail, b.tail)
	}
	return nil
}

// assembly is a transaction of which not all parts have been read.
type assembly struct {
	of    string // whose
	parts int    // read
	body  []byte
}

// add takes the next entry, and returns the transaction that is whole with it. What does not belong to the parts before
// begins anew; what nobody of ours has written is nothing.
func (a *assembly) add(e engine.Entry) (body []byte, whole bool) {
	var of string
	var i, k int
	n, err := fmt.Sscanf(e.ID, "%s %d/%d", &of, &i, &k)
	if n != 3 || err != nil || i < 1 || i > k || k > mostParts {
		*a = assembly{}
		return nil, false
	}
	if i == 1 {
		*a = assembly{of: of}
	}
	if of != a.of || i != a.parts+1 {
		*a = assembly{}
		return nil, false
	}
	a.parts, a.body = i, append(a.body, e.Body...)
	if i < k {
		return nil, false
	}
	body = a.body
	*a = assembly{}
	return body, true
}
