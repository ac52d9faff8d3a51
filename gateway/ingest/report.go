package ingest

import (
	"maps"
	"sync/atomic"
	"time"
)

// Report is what may be known of ingest: instants, counts, closed codes and ids
// of registered sensors. Nothing in it comes from a message.
type Report struct {
	// Now is the gateway's clock; zero before its first tick. Every window that
	// was due at Through has been released.
	Now, Through time.Time
	// Received = Counted + Duplicate + Late + Ignored + Refused + Open readings.
	Received, Counted, Duplicate, Late, Ignored, Open int64
	Refused                                           map[string]int64
	// Partitions are the reports of the partitions of a cluster that this process owns at the moment. Theirs are not
	// in the numbers above: they go on from where they are, wherever a partition goes.
	Partitions map[int]Report
	// Windows are those that have begun and are not closed, whether or not a reading has
	// come for them; in a simulation only those for which something has.
	Windows int
	// Commits counts group commits since the start, CommitTime what they took.
	Commits    uint64
	CommitTime time.Duration
	// Lives says of the sensors whether they live; the same value as before when
	// nothing has changed.
	Lives *Lives
	// Problem is why intake stands still, or what else is wrong with disk and keys; empty
	// for nothing.
	Problem string
}

// Report returns the latest report. Of a front it has only what the front knows by itself: what becomes of readings
// that it has handed over is said by the partitions' owners.
func (i *Ingest) Report() Report {
	r := *i.reporter.latest.Load()
	r.Problem = i.journal.problem()
	if i.front != nil {
		r.Counted = 0
	}
	return r
}

// Add adds what another part of a cluster reports of its readings.
func (r Report) Add(o Report) Report {
	r.Received, r.Counted, r.Duplicate = r.Received+o.Received, r.Counted+o.Counted, r.Duplicate+o.Duplicate
	r.Late, r.Ignored, r.Open = r.Late+o.Late, r.Ignored+o.Ignored, r.Open+o.Open
	r.Refused = maps.Clone(r.Refused)
	for code, n := range o.Refused {
		if r.Refused == nil {
			r.Refused = make(map[string]int64)
		}
		r.Refused[code] += n
	}
	return r
}

// reporter publishes reports, which are read from other goroutines.
type reporter struct {
	cfg      *Config
	clock    *eventClock
	account  *counters
	liveness *liveness
	routing  *routing
	windows  *windows
	closes   *closes

	latest atomic.Pointer[Report]
}

// publish publishes the account as it may be seen now. Windows and lives stay those of the
// last refresh: to count them takes longer than a commit should.
func (p *reporter) publish() {
	old := p.latest.Load()
	if old == nil {
		old = &Report{}
	}
	p.latest.Store(p.report(old))
}

// refresh publishes the account with windows and lives as they are now.
func (p *reporter) refresh() {
	old := Report{}
	if was := p.latest.Load(); was != nil {
		old = *was
	}
	old.Lives, old.Windows = p.liveness.judge(&p.routing.roster, old.Lives), p.windows.begun()
	p.latest.Store(p.report(&old))
}

// report makes a report that follows an old one.
func (p *reporter) report(old *Report) *Report {
	c := p.account
	a, commits, commitTime := c.account, c.commits, c.commitTime
	a.Open = p.closes.unreleased()
	if !p.cfg.Exact {
		a, commits, commitTime = c.visible, c.visibleCommits, c.visibleTime
	}
	r := &Report{
		Now: p.clock.now, Through: old.Through, Lives: old.Lives, Windows: old.Windows,
		Received: a.Received, Counted: a.Counted, Duplicate: a.Duplicate, Late: a.Late, Ignored: a.Ignored,
		Refused: maps.Clone(a.Refused), Open: a.Open, Commits: commits, CommitTime: commitTime,
	}
	if p.closes.through() {
		r.Through = p.clock.now
	}
	if p.cfg.Exact {
		r.Windows = p.windows.used()
	}
	return r
}

// revealCounters makes the account visible as it is now, and judges the clock by it. It is
// called once an hour.
func (p *reporter) revealCounters() {
	p.clock.doubt(p.account.outOfTime() && !p.windows.silentUntilLater())
	p.account.reveal(p.closes.unreleased())
}
