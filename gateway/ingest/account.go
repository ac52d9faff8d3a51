package ingest

import (
	"maps"
	"time"

	"sluice/gateway/ingest/internal/fault"
)

// account is what became of all readings. Received is the sum of the others and
// of those in open windows.
type account struct {
	Received  int64            `json:"received"`
	Counted   int64            `json:"counted"`
	Duplicate int64            `json:"duplicate"`
	Late      int64            `json:"late"`
	Ignored   int64            `json:"ignored,omitempty"` // what a preset knows, and is no reading
	Refused   map[string]int64 `json:"refused"`
	Open      int64            `json:"open,omitempty"` // where it is shown
	// Bounded is of a version that told readings of units at their bound apart.
	Bounded int64 `json:"bounded,omitempty"`
}

func newAccount() account { return account{Refused: make(map[string]int64)} }

// merge counts what an earlier version told apart.
func (a *account) merge() { a.Counted, a.Bounded = a.Counted+a.Bounded, 0 }

// equal reports whether b says the same.
func (a *account) equal(b *account) bool {
	return a.Received == b.Received && a.Counted == b.Counted && a.Duplicate == b.Duplicate && a.Late == b.Late &&
		a.Ignored == b.Ignored && a.Open == b.Open && maps.Equal(a.Refused, b.Refused)
}

// clone shares nothing with a.
func (a *account) clone() account {
	c := *a
	c.Refused = maps.Clone(a.Refused)
	return c
}

// counters are the account as it is and as it may be seen: when and how many readings
// came tells of people, and an hour blurs it. Beside them is what commits took, which
// is not durable.
type counters struct {
	account
	// visible is the account as of the last full hour, for gateways that count people.
	visible account

	commits        uint64 // since the start
	commitTime     time.Duration
	visibleCommits uint64
	visibleTime    time.Duration
}

func newCounters() counters { return counters{account: newAccount()} }

// refuse counts a reading that does not come into a window.
func (c *counters) refuse(code fault.Code) {
	c.Received++
	switch code {
	case fault.Late:
		c.Late++
	case fault.Duplicate:
		c.Duplicate++
	default:
		c.Refused[code.String()]++
	}
}

// ignore counts what is known and is no reading.
func (c *counters) ignore() { c.Received, c.Ignored = c.Received+1, c.Ignored+1 }

// committed counts a commit and what it took.
func (c *counters) committed(took time.Duration) {
	c.commits++
	c.commitTime += took
}

// reveal makes the account visible as it is now, with so many readings in open windows.
func (c *counters) reveal(open int64) {
	c.visible = c.clone()
	c.visible.Open = open
	c.visibleCommits, c.visibleTime = c.commits, c.commitTime
}

// merge counts what an earlier version told apart.
func (c *counters) merge() {
	c.account.merge()
	c.visible.merge()
}

// missing is how many readings are accounted for nowhere when so many are in open
// windows; below zero, how many are accounted for twice.
func (c *counters) missing(open int64) int64 {
	missing := c.Received - c.Counted - c.Duplicate - c.Late - c.Ignored - open
	for _, n := range c.Refused {
		missing -= n
	}
	return missing
}

// outOfTime reports whether most readings since the account was last revealed were late
// or ahead of time: then it may well be the gateway's clock that is wrong.
func (c *counters) outOfTime() bool {
	came := c.Received - c.visible.Received
	wrong := c.Late - c.visible.Late + c.Refused["E301"] - c.visible.Refused["E301"]
	return came >= 10 && wrong > came/2
}
