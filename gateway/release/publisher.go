package release

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"sync"
	"time"

	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
)

// Book is the durable memory that disclosure control needs: what was paid for,
// and what was released.
type Book interface {
	// Released reports whether the key is in the journal.
	Released(ctx context.Context, key Key) (bool, error)
	// Reserve durably reserves a day's budget once per reservation and returns its
	// line in the ledger, or ErrSpent, and the line, when the charter's cap is reached.
	Reserve(ctx context.Context, r Reservation) (Paid, error)
	// Commit stores journal, releases, outbox rows and the gap in one transaction.
	Commit(ctx context.Context, c Commit) error
}

// Commit is everything that one closed window leaves behind.
type Commit struct {
	Key      Key
	End      time.Time
	Policy   string
	Plan     string // digest
	Ledger   int64  // the line that paid; 0 where nothing was to be paid
	Releases []Release
	Gap      string // reason, or empty
}

// Rules are the council's release rules: which zones are withheld, and why.
type Rules interface {
	Withhold(ctx context.Context, q plan.Question) (map[string]string, error)
}

// ErrSpent says that the charter's budget for the day is used up.
var ErrSpent = errors.New("the day's privacy budget is spent")

// Reservation is the only debit: one decision's budget for one local day.
type Reservation struct {
	Day, Decision, Plan, Unit string
	// Epsilon and Delta are per unit, for all epochs of the day; Cap is the
	// charter's epsilon per day for this kind of unit.
	Epsilon, Delta, Cap float64
	// Method is the one that the day's protection is computed by, see mechanism.Method.
	Method int
}

// Paid is a line of the ledger, and the method that the day was entered with: the
// reservation's or, where the line was there before, an earlier one.
type Paid struct {
	Line   int64
	Method int
}

// Charter is what disclosure control must know of the charter.
type Charter struct{ EpsilonPerDay map[string]float64 }

// Publisher turns batches into committed releases.
type Publisher struct {
	book       Book
	simulation bool
	source     func() source // one for each batch

	mu     sync.Mutex
	counts map[store.Status]int64           // since the start; guarded by mu
	mechs  map[mechKey]*mechanism.Mechanism // guarded by mu
}

// mechKey is what a protection is computed from: a stream, by its digest, and a method.
type mechKey struct {
	digest string
	method int
}

// quiet keeps the noise library, which logs through glog, from writing files into the temporary
// directory. That is a flag of the whole process, so it is set once.
var quiet = sync.OnceFunc(func() {
	if flag.Lookup("logtostderr") != nil {
		_ = flag.Set("logtostderr", "true")
	}
})

// NewPublisher makes a publisher; simulation marks every release as such.
func NewPublisher(book Book, simulation bool) *Publisher {
	quiet()
	return &Publisher{book: book, simulation: simulation, source: newRandom, counts: make(map[store.Status]int64),
		mechs: make(map[mechKey]*mechanism.Mechanism)}
}

// Counts says how many observations were released since the start, by status.
func (p *Publisher) Counts() map[store.Status]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts)
}

// Publish releases one batch. A batch whose key is in the journal is done
// already and is not computed again; any error leaves nothing half done, and
// Publish may be called again.
func (p *Publisher) Publish(ctx context.Context, b Batch, charter Charter, rules Rules) error {
	done, err := p.book.Released(ctx, b.Key())
	if err != nil || done {
		return err
	}
	withheld, err := rules.Withhold(ctx, plan.Question{Stream: b.stream, Start: b.start, End: b.end})
	if err != nil {
		// Fail closed: without an answer, everything is withheld.
		withheld = make(map[string]string)
		for _, zone := range b.stream.Zones {
			withheld[zone] = "rules"
		}
	}
	// What cannot be protected pays nothing.
	if _, err := p.mechanism(b.stream, mechanism.Method); err != nil {
		return err
	}
	paid, spent, err := p.pay(ctx, b, charter)
	if err != nil {
		return err
	}
	mech, err := p.mechanism(b.stream, paid.Method)
	if err != nil {
		return err
	}
	var list []Release
	a := answer{batch: b, mech: mech, noise: p.source(), ledger: paid.Line, sim: p.simulation}
	for i, cell := range b.stream.Cells {
		a.cell = cell
		reason, hidden := withheld[cell.Zone]
		if spent {
			reason, hidden = "budget", true
		}
		rows, err := a.answer(b.cells[i], reason, hidden)
		if err != nil {
			return fmt.Errorf("drawing noise: %w", err)
		}
		list = append(list, rows...)
	}
	rows, err := a.epochRows(withheld, spent)
	if err != nil {
		return fmt.Errorf("drawing noise: %w", err)
	}
	list = append(list, rows...)
	if err := p.book.Commit(ctx,
		Commit{Key: b.Key(), End: b.end, Policy: b.policy, Plan: b.stream.Digest, Ledger: paid.Line, Releases: list,
			Gap: b.gap}); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range list {
		p.counts[r.o.Status]++
	}
	return nil
}

// mechanism computes a stream's protection once.
func (p *Publisher) mechanism(s *plan.Stream, method int) (*mechanism.Mechanism, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := mechKey{s.Digest, method}
	if m := p.mechs[key]; m != nil {
		return m, nil
	}
	m, err := mechanism.By(s, method)
	if err == nil {
		p.mechs[key] = m
	}
	return m, err
}

// pay reserves the day's budget before any noise is drawn.
func (p *Publisher) pay(ctx context.Context, b Batch, charter Charter) (paid Paid, spent bool, err error) {
	s := b.stream
	if s.Unit.None() {
		return Paid{Method: mechanism.Method}, false, nil
	}
	epochs := float64(s.EpochsOfDay(b.start))
	paid, err = p.book.Reserve(ctx, Reservation{
		Day: s.Day(b.start), Decision: s.Decision, Plan: s.Digest, Unit: s.Unit.StandsFor,
		Epsilon: s.Protect.Epsilon * epochs, Delta: s.Protect.Delta * epochs,
		Cap: charter.EpsilonPerDay[s.Unit.StandsFor], Method: mechanism.Method,
	})
	if errors.Is(err, ErrSpent) {
		return paid, true, nil
	}
	return paid, false, err
}

func (a answer) answer(sums Sums, reason string, hidden bool) ([]Release, error) {
	if hidden {
		return a.all(store.Withheld, reason), nil
	}
	if a.batch.stream.Unit.None() {
		return a.exact(sums), nil
	}
	return a.noisy(sums)
}
