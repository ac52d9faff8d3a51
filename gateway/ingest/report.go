package ingest

import (
	"maps"
	"time"
)

// Report is what may be known of ingest: instants, counts, closed codes and ids
// of registered sensors. Nothing in it comes from a message.
type Report struct {
	// Now is the gateway's clock; zero before its first tick. Every window that
	// was due at Through has been released.
	Now, Through time.Time
	// Received = Counted + Duplicate + Late + Refused + Open readings.
	Received, Counted, Duplicate, Late, Open int64
	Refused                                  map[string]int64
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

// Report returns the latest report.
func (i *Ingest) Report() Report {
	r := *i.report.Load()
	r.Problem = i.journal.problem()
	return r
}

// publishReport publishes the account as it may be seen now; windows and lives are those of
// the last refreshReport.
func (i *Ingest) publishReport() {
	old := i.report.Load()
	if old == nil {
		old = &Report{}
	}
	i.report.Store(i.newReport(old))
}

// refreshReport publishes it with windows and lives as they are now.
func (i *Ingest) refreshReport() {
	old := Report{}
	if was := i.report.Load(); was != nil {
		old = *was
	}
	old.Lives, old.Windows = i.liveness.judge(&i.routing.roster, old.Lives), i.windows.begun()
	i.report.Store(i.newReport(&old))
}

func (i *Ingest) newReport(old *Report) *Report {
	c := &i.account
	a, commits, commitTime := c.account, c.commits, c.commitTime
	a.Open = i.openReadings()
	if !i.cfg.Exact {
		a, commits, commitTime = c.visible, c.visibleCommits, c.visibleTime
	}
	r := &Report{
		Now: i.clock.now, Through: old.Through, Lives: old.Lives, Windows: old.Windows,
		Received: a.Received, Counted: a.Counted, Duplicate: a.Duplicate, Late: a.Late,
		Refused: maps.Clone(a.Refused), Open: a.Open, Commits: commits, CommitTime: commitTime,
	}
	if i.closes.through() {
		r.Through = i.clock.now
	}
	if i.cfg.Exact {
		r.Windows = i.windows.used()
	}
	return r
}

// revealCounters lets the account be seen as it is now, once an hour.
func (i *Ingest) revealCounters() {
	i.clock.doubt(i.account.outOfTime() && !i.windows.silentUntilLater())
	i.account.reveal(i.openReadings())
}
