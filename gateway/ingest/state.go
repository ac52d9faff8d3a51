package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/fault"
	"sluice/internal/retry"
)

// account is what became of all readings. Received is the sum of the others and
// of those in open windows.
type account struct {
	Received  int64            `json:"received"`
	Counted   int64            `json:"counted"`
	Duplicate int64            `json:"duplicate"`
	Late      int64            `json:"late"`
	Refused   map[string]int64 `json:"refused"`
	Open      int64            `json:"open,omitempty"` // where it is shown
	// Bounded is of a version that told readings of units at their bound apart.
	Bounded int64 `json:"bounded,omitempty"`
}

// merge counts what an earlier version told apart.
func (a *account) merge() { a.Counted, a.Bounded = a.Counted+a.Bounded, 0 }

// state is what every commit says anew: the clock and the account. What changes
// rarely is in records of its own, so that no commit grows with sensors or streams.
type state struct {
	Now time.Time `json:"now"`
	account
	// Facts and Heard say which facts, and how many numbers of sensors, belong to
	// it, so that it is seen when they could not be read.
	FactsAt    uint64 `json:"facts_at"`
	HeardCount int    `json:"heard_count"`
	facts      `json:"-"`
	// Heard are the sensors that have ever sent a heartbeat. It only grows.
	Heard []uint64 `json:"-"`
}

// facts change with a window or an hour, not with a reading.
type facts struct {
	At uint64 `json:"at"`
	// Shown is the account as of the last full hour, for gateways that count people.
	Shown account              `json:"shown"`
	Next  map[string]time.Time `json:"next"`
	// Closes are closed but perhaps not yet released.
	Closes []closing `json:"closes"`
	// Lost are the names of windows and epochs whose keys are gone too soon.
	Lost []string `json:"lost"`
	// Unread says that the log could not be read, before the gateway knows the time;
	// LostUntil that everything that began until then is lost by it.
	Unread    bool      `json:"unread,omitempty"`
	LostUntil time.Time `json:"lost_until"`
	// Session says that the gateway has had a session at the broker.
	Session bool `json:"session,omitempty"`
	// Secret makes markers those of this state directory.
	Secret []byte `json:"secret,omitempty"`
	// Lives are the gateway's processes that have had a connection to the broker and whose
	// end has not come from there.
	Lives []string `json:"lives,omitempty"`
	// Dropped is how many messages the broker had dropped when it last said so, plus one;
	// 0 for not known.
	Dropped int64 `json:"dropped,omitempty"`
	// Holes are times of which some may be lost.
	Holes []hole `json:"holes,omitempty"`
}

// clone shares nothing with f that anybody changes.
func (f *facts) clone() facts {
	c := *f
	c.Shown.Refused, c.Next = maps.Clone(f.Shown.Refused), maps.Clone(f.Next)
	c.Closes, c.Lost, c.Holes, c.Lives = slices.Clone(f.Closes), slices.Clone(f.Lost), slices.Clone(f.Holes), slices.Clone(f.Lives)
	return c
}

// equal reports whether g says the same; their numbers apart.
func (f *facts) equal(g *facts) bool {
	a, b := f.Shown, g.Shown
	if !maps.Equal(a.Refused, b.Refused) || !maps.EqualFunc(f.Next, g.Next, time.Time.Equal) {
		return false
	}
	a.Refused, b.Refused = nil, nil
	return a.equal(b) && f.Unread == g.Unread && f.LostUntil.Equal(g.LostUntil) && f.Session == g.Session && bytes.Equal(f.Secret, g.Secret) && f.Dropped == g.Dropped && slices.Equal(f.Lives, g.Lives) &&
		slices.Equal(f.Closes, g.Closes) && slices.Equal(f.Lost, g.Lost) && slices.Equal(f.Holes, g.Holes)
}

// equal compares the numbers alone.
func (a account) equal(b account) bool {
	return a.Received == b.Received && a.Counted == b.Counted && a.Duplicate == b.Duplicate && a.Late == b.Late &&
		a.Open == b.Open
}

// saved is what the log has of what changes rarely.
type saved struct {
	facts facts
	heard int // of state.Heard
}

// closing is one closed window.
type closing struct {
	Stream string    `json:"stream"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Policy string    `json:"policy"`
	Down   bool      `json:"down"` // nothing could reach it
	Gap    string    `json:"gap,omitempty"`
	// Readings are those that the window keeps the account of. They are here, too,
	// because the window's key may be shredded before the account is durable.
	Readings int64 `json:"readings"`
}

func newState() state {
	return state{account: account{Refused: make(map[string]int64)}, facts: facts{Next: make(map[string]time.Time)}}
}

// commit makes everything so far durable and acknowledges it. It tries until it
// succeeds: until then nothing is acknowledged and intake stands still.
func (i *Ingest) commit(ctx context.Context) error {
	if !i.dirty {
		return nil
	}
	records, err := i.records()
	if err != nil {
		return err
	}
	pauses, begun := retry.Backoff{First: 50 * time.Millisecond, Longest: 5 * time.Second}, time.Now()
	i.pulse.beat(writing)
	for {
		what, err := i.durable(records)
		if err == nil {
			break
		}
		i.fail(what, err)
		if !pauses.Wait(ctx) {
			return ctx.Err()
		}
	}
	if i.failing.News("") {
		i.cfg.Log.Info("the checkpoint is written again, and intake goes on")
	}
	i.commits++
	i.commitTime += time.Since(begun)
	i.settle()
	i.publishReport(false) // first, so that who was acknowledged finds it counted
	i.pulse.beat(acknowledging)
	for _, w := range i.ways {
		w.Ack(i.pending)
	}
	i.queue.Done(i.pending)
	i.pending, i.readings, i.dirty = i.pending[:0], 0, false
	i.message = nil
	i.pulse.beat(compacting)
	if err := i.log.Tidy(); err != nil {
		i.cfg.Log.Warn("the checkpoint cannot be compacted; it goes on growing", "error", err)
	}
	return nil
}

func (i *Ingest) fail(what string, err error) {
	if i.failing.News(what) {
		i.cfg.Log.Error(what, "error", err)
	}
}

// records are what the next commit has to say. A segment of the log begins with all of
// the state; else the facts are in it where they have changed, and new numbers of
// sensors.
func (i *Ingest) records() ([]checkpoint.Record, error) {
	var records []checkpoint.Record
	for _, s := range i.streams {
		for _, w := range s.windows {
			if len(w.pending) > 0 {
				records = append(records, checkpoint.Record{Kind: checkpoint.Window, Name: w.name, Body: w.pending})
			}
		}
		for _, e := range s.epochs {
			if len(e.pending) > 0 {
				records = append(records, checkpoint.Record{Kind: checkpoint.Epoch, Name: e.name, Body: e.pending})
			}
			if len(e.divided) > 0 {
				records = append(records, checkpoint.Record{Kind: checkpoint.Parts, Name: e.name, Body: e.divided})
			}
		}
		if !s.next.IsZero() {
			i.state.Next[s.id] = s.next
		}
	}
	whole := i.log.Whole()
	if whole || !i.state.facts.equal(&i.saved.facts) {
		i.state.At++
		body, err := json.Marshal(&i.state.facts)
		if err != nil {
			return nil, err
		}
		records = append(records, checkpoint.Record{Kind: checkpoint.Facts, Body: body})
		i.saving.facts = i.state.clone()
	}
	more := i.state.Heard
	if !whole {
		more = more[i.saved.heard:]
	}
	if len(more) > 0 {
		records = append(records, checkpoint.Record{Kind: checkpoint.Heard, Body: checkpoint.AppendNumbers(nil, more)})
	}
	i.saving.heard = len(i.state.Heard)
	i.state.FactsAt, i.state.HeardCount = i.state.At, len(i.state.Heard)
	body, err := json.Marshal(&i.state)
	if err != nil {
		return nil, err
	}
	return append(records, checkpoint.Record{Kind: checkpoint.Account, Body: body}), nil
}

// settle forgets what the log has now.
func (i *Ingest) settle() {
	i.saved = i.saving
	for _, s := range i.streams {
		for _, w := range s.windows {
			w.pending = w.pending[:0]
		}
		for _, e := range s.epochs {
			e.pending, e.divided = e.pending[:0], e.divided[:0]
		}
	}
}

// balance books readings that went with lost windows, so that the sum holds. Where it
// is the closes that are of an earlier time than the account, some of them are counted
// already: those that were closed first.
func (i *Ingest) balance() {
	s := &i.state
	missing := s.Received - s.Counted - s.Duplicate - s.Late
	for _, n := range s.Refused {
		missing -= n
	}
	missing -= i.openReadings()
	for n := range s.Closes {
		c := &s.Closes[n]
		if done := min(c.Readings, -missing); done > 0 {
			c.Readings -= done
			missing += done
			i.dirty = true
		}
	}
	if missing > 0 {
		s.Refused[fault.Gap.String()] += missing
		i.dirty = true
	}
}

// openReadings counts what is in windows that are not released.
func (i *Ingest) openReadings() (n int64) {
	for _, s := range i.streams {
		for _, w := range s.windows {
			if !w.Start.Before(s.next) { // otherwise it is closed
				n += w.Readings
			}
		}
	}
	for _, c := range i.state.Closes {
		n += c.Readings
	}
	return n
}
