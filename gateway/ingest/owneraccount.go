package ingest

import (
	"sync/atomic"
	"time"

	"sluice/gateway/ingest/internal/fault"
)

// ownAccount is the account of an owner: what it says, when it said it, and what it sees of fronts.
type ownAccount struct {
	inner *Ingest
	shown time.Time // up to when windows had closed when it could be seen last
	seen  atomic.Pointer[[]FrontSeen]
}

// Report is what became of the partition's readings, as its state says it: whoever owns the partition
// says the same, and goes on from there. They were received by fronts, whose reports say that; so what
// fronts and owners report adds up to what one process would. Of a gateway that counts people it is as
// of the last hour in which windows closed. It may be called by any goroutine.
func (a *ownAccount) Report() Report {
	r := *a.inner.reporter.latest.Load()
	r.Received = 0
	return r
}

// show lets the account be seen as it is now, once an hour by what has closed: more often would tell
// when somebody came.
func (a *ownAccount) show(end time.Time) {
	if hour := end.Truncate(time.Hour); hour.After(a.shown) {
		a.shown = hour
		a.inner.account.reveal(a.inner.windows.readings())
	}
}

// saveTo writes it into the facts.
func (a *ownAccount) saveTo(f *ownerFacts) {
	f.Account, f.Facts.Shown, f.Shown = a.inner.account.account, a.inner.account.visible, a.shown
}

// recover takes what the facts say, and books readings whose keys are gone, so that the sum holds.
func (a *ownAccount) recover(f *ownerFacts) {
	c := &a.inner.account
	c.account, c.visible, a.shown = f.Account, f.Facts.Shown, f.Shown
	for _, one := range []*account{&c.account, &c.visible} {
		if one.Refused == nil { // of a state that had none
			one.Refused = make(map[string]int64)
		}
	}
	if missing := c.missing(a.inner.windows.readings()); missing > 0 {
		c.Refused[fault.Gap.String()] += missing
	}
	a.inner.reporter.publish()
}
