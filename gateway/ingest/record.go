package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
)

// accountRecord is what every commit says anew: the clock and the account. What changes
// rarely is in records of its own, so that no commit grows with sensors or streams.
type accountRecord struct {
	Now time.Time `json:"now"`
	account
	// FactsAt and HeardCount say which facts, and how many numbers of sensors, belong to
	// it, so that it is seen when they could not be read.
	FactsAt    uint64 `json:"facts_at"`
	HeardCount int    `json:"heard_count"`
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
	Holes []gap `json:"holes,omitempty"`
}

// clone shares nothing with f that anybody changes.
func (f *facts) clone() facts {
	c := *f
	c.Shown, c.Next = f.Shown.clone(), maps.Clone(f.Next)
	c.Closes, c.Lost, c.Holes, c.Lives = slices.Clone(f.Closes), slices.Clone(f.Lost), slices.Clone(f.Holes),
		slices.Clone(f.Lives)
	return c
}

// equal reports whether g says the same; their numbers apart.
func (f *facts) equal(g *facts) bool {
	return f.Shown.equal(&g.Shown) && maps.EqualFunc(f.Next, g.Next, time.Time.Equal) &&
		slices.Equal(f.Closes, g.Closes) && slices.Equal(f.Lost, g.Lost) &&
		f.Unread == g.Unread && f.LostUntil.Equal(g.LostUntil) &&
		f.Session == g.Session && bytes.Equal(f.Secret, g.Secret) && slices.Equal(f.Lives, g.Lives) &&
		f.Dropped == g.Dropped && slices.Equal(f.Holes, g.Holes)
}

// snapshot is all that the parts want to be durable. It shares what they hold, and is good
// until they go on.
type snapshot struct {
	now     time.Time
	account *account
	facts   facts
	heard   []uint64
	// open is what open windows and epochs owe the log.
	open []checkpoint.Record
	// last are the last values of sensors about nobody: of all, or of those that have changed.
	last        func(all bool) []checkpoint.Record
	lastChanged bool
}

// recovered is what the log says, while it is read.
type recovered struct {
	accountRecord
	facts facts
	heard []uint64 // each once
	known map[uint64]bool
	last  map[uint64]memory // by the sensors' numbers
}

func newRecovered() recovered {
	return recovered{accountRecord: accountRecord{account: newAccount()}, known: make(map[uint64]bool),
		last: make(map[uint64]memory)}
}

// whole reports whether facts and numbers of sensors are those of the account.
func (v *recovered) whole() bool { return v.FactsAt == v.facts.At && v.HeardCount == len(v.heard) }

// addHeard adds numbers of sensors.
func (v *recovered) addHeard(numbers []uint64) {
	for _, n := range numbers {
		if !v.known[n] {
			v.known[n] = true
			v.heard = append(v.heard, n)
		}
	}
}

// read takes records of the state: each replaces the one before, but numbers of
// sensors, which are added.
func (v *recovered) read(r checkpoint.Record) error {
	switch r.Kind {
	case checkpoint.State: // of a version that wrote all of it in each commit
		old := struct {
			facts
			Heard []uint64 `json:"heard"`
		}{}
		v.accountRecord = accountRecord{account: newAccount()}
		if err := errors.Join(json.Unmarshal(r.Body, &v.accountRecord), json.Unmarshal(r.Body, &old)); err != nil {
			return err
		}
		v.facts = old.facts
		v.addHeard(old.Heard)
		v.FactsAt, v.HeardCount = v.facts.At, len(v.heard) // it is one record with them
	case checkpoint.Account:
		v.account, v.Now = newAccount(), time.Time{}
		return json.Unmarshal(r.Body, &v.accountRecord)
	case checkpoint.Facts:
		v.facts = facts{}
		return json.Unmarshal(r.Body, &v.facts)
	case checkpoint.Heard:
		v.addHeard(checkpoint.Numbers(r.Body))
	case checkpoint.Last:
		readMemories(r.Body, v.last)
	}
	return nil
}
