package ingest

import (
	"fmt"
	"sync/atomic"
	"time"
)

// stalled is how long the one goroutine may stand still before that is said. It moves
// four times a second when it has nothing to do, and once a commit when it has.
const stalled = 8 * time.Second

// stage is what ingest is about.
type stage int32

const (
	resting stage = iota
	taking
	writing
	acknowledging
	compacting
	releasing
	enacting
)

// stages say what ingest is about, and what to do when it stays there.
var stages = [...]struct{ at, fix string }{
	resting: {"waits for something to do",
		"kill -QUIT shows where every part is; a restart loses nothing that was acknowledged"},
	taking: {"takes readings",
		"kill -QUIT shows where every part is; a restart loses nothing that was acknowledged"},
	writing: {"writes the checkpoint", "see whether the disk of the state directory answers"},
	acknowledging: {"acknowledges",
		"kill -QUIT shows where every part is; a restart loses nothing that was acknowledged"},
	compacting: {"copies the checkpoint", "see whether the disk of the state directory answers"},
	releasing:  {"waits until a window is released", "see ledger and store"},
	enacting:   {"takes a new policy", "see whether another process holds ledger.db"},
}

// pulse is when ingest has moved last, for those who watch it from outside its
// goroutine.
type pulse struct {
	begun time.Time
	front bool         // it writes no checkpoint, but into the cluster's log
	at    atomic.Int64 // since begun
	stage atomic.Int32
}

func (p *pulse) beat(s stage) {
	p.stage.Store(int32(s))
	p.at.Store(int64(time.Since(p.begun)))
}

// problem is what is to be said after a standstill; empty for nothing.
func (p *pulse) problem() string {
	still := time.Since(p.begun) - time.Duration(p.at.Load())
	if still < stalled {
		return ""
	}
	at := stage(p.stage.Load())
	s := stages[at]
	if p.front && at == writing {
		s.at = "waits until a majority of the cluster's servers has what was read"
		s.fix = "See the part cluster here, and sluice cluster status"
	}
	return fmt.Sprintf("ingest has not moved for %s: it %s; nothing is acknowledged meanwhile. %s",
		still.Truncate(time.Second), s.at, s.fix)
}

// Intake is why readings are not taken; empty when they are. It never waits.
func (i *Ingest) Intake() string { return i.pulse.problem() }
