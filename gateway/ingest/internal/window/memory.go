package window

import (
	"hash/maphash"
	"time"

	"sluice/gateway/ingest/internal/pseudonym"
)

// What a window remembers of the readings that it has seen, in marks: a run, a
// member of a set, or the tag of a message without seq, some 32 to 64 bytes each.
// A sensor that counts its seq up needs few. One that does not, or whose times are
// irregular, needs one a reading; inside its bounds it is remembered exactly, then by
// seq alone, and then no more:
//
//	exact   16,384 marks and one for each second of the window, in each window
//	seqs    16,384 marks; so are tags, and each boot is 8
//
// All sensors together have a budget besides (Budget). When that is spent, each
// sensor still has the first 64 of either kind in each window, and a seq that follows
// one that is known never costs any. So whoever spends it harms no sensor that counts
// up, and one that was quiet until then can begin.
const (
	own       = 64
	most      = 16 << 10
	perBoot   = 8
	allExact  = 1 << 20
	allCoarse = 1 << 19
)

// Readings of units that one sensor may bring where they add up, and are told apart unit by
// unit at 12 to 24 bytes each: so many at once, and so many a second, up to as many as
// cost 100 MB. As with units, the bound is each sensor's own.
const (
	readBurst = 1 << 17
	readRate  = 256
	mostRead  = 1 << 22
)

// Units that one sensor may bring into a window: so many at once, and so many new
// ones a second, up to as many as any place can have. It is each sensor's own bound: what
// others have seen must not decide what becomes of its readings.
const (
	burst     = 16 << 10
	unitRate  = 32
	mostUnits = 1 << 20
)

// Budget is how many marks are used in all windows that share it. It is used by one
// goroutine.
type Budget struct{ exact, coarse int }

// account is how many of them one sensor uses in one window, and how many different
// units it has brought into cells. Of those that another had brought before, or that are
// at their bound, it is remembered which they were.
type account struct {
	exact, coarse, read, units int

	index  int32
	others marks
}

type source struct{ sensor, boot uint64 }

// memory is who was seen in one window.
type memory struct {
	budget   *Budget
	most     int // exact marks of a sensor
	units    int // that a sensor may bring
	reads    int // of units, that it may bring where they add up
	seed     maphash.Seed
	accounts map[uint64]*account
	seen     map[source]*Runs
	messages map[pseudonym.Tag]struct{}

	// The one asked for last: most come in a row.
	last        source
	lastRuns    *Runs // nil when it was not there
	lastAccount *account
}

func newMemory(span time.Duration) memory {
	return memory{
		budget: &Budget{}, most: most + int(span/time.Second),
		units: min(mostUnits, burst+unitRate*int(span/time.Second)),
		reads: min(mostRead, readBurst+readRate*int(span/time.Second)), seed: maphash.MakeSeed(),
		accounts: make(map[uint64]*account), seen: make(map[source]*Runs), messages: make(map[pseudonym.Tag]struct{}),
	}
}

// Share has the window spend from a budget that others spend from, too. It must be
// called before the first entry.
func (w *Window) Share(b *Budget) { w.memory.budget = b }

// Forget drops who was seen, when the window is closed or lost, and gives back what
// that took of the budget.
func (w *Window) Forget() {
	for _, a := range w.memory.accounts {
		w.memory.budget.exact -= a.exact
		w.memory.budget.coarse -= a.coarse
	}
	w.memory = memory{}
	for i := range w.cells {
		w.cells[i].marks = marks{}
	}
}

// Seen reports whether a reading of the entry's sensor with its boot, seq and time, or its
// message, was applied before. It may have been another unit's (News).
func (w *Window) Seen(e *Entry) bool {
	m := &w.memory
	seen := false
	if !e.Sequenced {
		_, seen = m.messages[e.Message]
	} else {
		m.find(e)
		seen = m.lastRuns != nil && m.lastRuns.Has(e.Seq, e.stamp())
	}
	e.looked = isNew
	if seen {
		e.looked = wasSeen
	}
	return seen
}

// Room reports whether a reading that was not Seen can be remembered. One that
// cannot must not be applied; what is recovered was there before, and always can.
func (w *Window) Room(e *Entry) bool {
	m := &w.memory
	m.find(e)
	switch a := m.lastAccount; {
	case a == nil:
		return true // its first
	case !e.Sequenced:
		return m.coarseRoom(a, 1)
	case m.lastRuns == nil:
		return m.coarseRoom(a, perBoot+1)
	default:
		return m.exactRoom(a) || m.lastRuns.Follows(e.Seq) || m.coarseRoom(a, 1)
	}
}

func (m *memory) exactRoom(a *account) bool {
	return a.exact < own || a.exact < m.most && m.budget.exact < allExact
}

func (m *memory) coarseRoom(a *account, n int) bool {
	return a.coarse+n <= own || a.coarse+n <= most && m.budget.coarse+n <= allCoarse
}

// account is the entry's sensor's.
func (m *memory) account(e *Entry) *account {
	if m.find(e); m.lastAccount == nil {
		m.lastAccount = &account{index: int32(len(m.accounts))}
		m.accounts[e.Sensor] = m.lastAccount
	}
	return m.lastAccount
}

// find looks for the entry's sensor and boot.
func (m *memory) find(e *Entry) {
	key := source{e.Sensor, e.Boot}
	if m.last == key && m.lastRuns != nil {
		return
	}
	m.last, m.lastRuns = key, m.seen[key]
	if m.lastRuns != nil {
		m.lastAccount = m.lastRuns.of
	} else {
		m.lastAccount = m.accounts[e.Sensor]
	}
}

// remember notes that a reading was seen.
func (m *memory) remember(e *Entry) {
	a := m.account(e)
	if !e.Sequenced {
		m.messages[e.Message] = struct{}{}
		m.spend(a, 0, 1)
		return
	}
	if m.lastRuns == nil {
		m.lastRuns = &Runs{of: a}
		m.seen[m.last] = m.lastRuns
		m.spend(a, 0, perBoot)
	}
	if m.exactRoom(a) {
		m.spend(a, m.lastRuns.Add(e.Seq, e.stamp()), 0)
	} else {
		m.spend(a, 0, m.lastRuns.AddSeq(e.Seq))
	}
}

func (m *memory) spend(a *account, exact, coarse int) {
	a.exact, a.coarse = a.exact+exact, a.coarse+coarse
	m.budget.exact, m.budget.coarse = m.budget.exact+exact, m.budget.coarse+coarse
}
