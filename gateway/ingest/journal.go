package ingest

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/internal/retry"
)

// tending is how often the key directory is looked at.
const tending = 5 * time.Second

// keysUnwritten is logged when a new key cannot be kept.
const keysUnwritten = "keys cannot be written, so intake waits. Make room in the key directory, or let the gateway's " +
	"user write it"

// keysUnremovable is said while a key that is over is still in the directory.
const keysUnremovable = "a key that is over cannot be removed from the key directory. Let the gateway's user write it"

// journal is what is durable: the log, the keys that it is sealed with, and what it has of
// the state already.
type journal struct {
	cfg  *Config
	keys *checkpoint.Keys
	log  *checkpoint.Log
	// factsAt numbers the facts that were written last.
	factsAt uint64
	saved   saved
	// rewrite says that keys are to be written again, which a commit does.
	rewrite bool

	failing retry.Once
	stuck   atomic.Bool // a key that is over cannot be removed
}

// saved is what the log has of the state; nothing at a start, since a start begins a
// segment.
type saved struct {
	now     time.Time
	account account
	facts   facts
	heard   int // how many of their list
}

// has reports whether the log has all that a snapshot says. The clock alone is worth a
// commit once a minute.
func (j *journal) has(s *snapshot) bool {
	return !j.rewrite && !s.lastChanged && len(s.open) == 0 && !minutePassed(j.saved.now, s.now) &&
		j.saved.account.equal(s.account) &&
		j.saved.heard == len(s.heard) && j.saved.facts.equal(&s.facts)
}

// records are what the next commit has to say, and what the log has after it. A segment of
// the log begins with all of the state; else the facts are in it where they have changed,
// and new numbers of sensors.
func (j *journal) records(s *snapshot) ([]checkpoint.Record, saved, error) {
	records, after := s.open, saved{now: s.now, account: j.saved.account, facts: j.saved.facts, heard: len(s.heard)}
	whole := j.log.Whole()
	if whole || !s.facts.equal(&j.saved.facts) {
		j.factsAt++
		s.facts.At = j.factsAt
		body, err := json.Marshal(&s.facts)
		if err != nil {
			return nil, after, err
		}
		records = append(records, checkpoint.Record{Kind: checkpoint.Facts, Body: body})
		after.facts = s.facts.clone()
	}
	records = append(records, s.last(whole)...)
	more := s.heard
	if !whole {
		more = more[j.saved.heard:]
	}
	if len(more) > 0 {
		records = append(records, checkpoint.Record{Kind: checkpoint.Heard, Body: checkpoint.AppendNumbers(nil, more)})
	}
	body, err := json.Marshal(&accountRecord{Now: s.now, account: *s.account, FactsAt: j.factsAt,
		HeardCount: len(s.heard)})
	if err != nil {
		return nil, after, err
	}
	if !after.account.equal(s.account) {
		after.account = s.account.clone()
	}
	return append(records, checkpoint.Record{Kind: checkpoint.Account, Body: body}), after, nil
}

// write makes records durable. It tries until it succeeds or ctx ends, and logs once why it
// cannot.
func (j *journal) write(ctx context.Context, records []checkpoint.Record) error {
	pauses := retry.Backoff{First: 50 * time.Millisecond, Longest: 5 * time.Second}
	for {
		what, err := j.tryWrite(records)
		if err == nil {
			return nil
		}
		if j.failing.News(what) {
			j.cfg.Log.Error(what, "error", err)
		}
		if !pauses.Wait(ctx) {
			return ctx.Err()
		}
	}
}

// tryWrite writes the keys that the directory lacks, and then the block that needs them. With
// an error comes the message to log.
func (j *journal) tryWrite(records []checkpoint.Record) (string, error) {
	if err := j.keys.Save(); err != nil {
		return keysUnwritten, err
	}
	return "the checkpoint cannot be written; intake waits. Make room on the disk of the state directory",
		j.log.Append(records)
}

// written notes what the log has now.
func (j *journal) written(after saved) {
	j.saved, j.rewrite = after, false
	if j.failing.News("") {
		j.cfg.Log.Info("the checkpoint is written again, and intake goes on")
	}
}

// compact makes room in the log.
func (j *journal) compact() {
	if err := j.log.Tidy(); err != nil {
		j.cfg.Log.Warn("the checkpoint cannot be compacted; it goes on growing", "error", err)
	}
}

// shred ends a key. Where its file cannot be removed that is tried again: it is no
// reason to stand still.
func (j *journal) shred(name string) {
	if err := j.keys.Shred(name); err != nil {
		j.noteStuck(err)
	}
}

func (j *journal) noteStuck(err error) {
	if was := j.stuck.Swap(err != nil); err != nil && !was {
		j.cfg.Log.Error(keysUnremovable, "error", err)
	} else if err == nil && was {
		j.cfg.Log.Info("keys that are over are gone")
	}
}

// tend sees to it that the key directory holds what memory holds: a file that is lost
// or damaged is written again with the next commit, which this asks for.
func (j *journal) tend() {
	mended, err := j.keys.Tend()
	j.noteStuck(err)
	if mended > 0 {
		j.cfg.Log.Warn("the key directory has lost keys, or had them wrong; they are written again from memory",
			"keys", mended)
		j.rewrite = true
	}
	if mended, err := j.log.Tend(); err != nil {
		j.cfg.Log.Warn(
			"the checkpoint's list and mark cannot be written beside the keys; a crash now would lose the open windows",
			"error", err)
	} else if mended {
		j.cfg.Log.Warn("the checkpoint's list or mark was gone or wrong; they are written again from memory")
	}
}

// problem is why intake stands still, or what else is wrong with disk and keys, or empty.
func (j *journal) problem() string {
	if why := j.failing.Last(); why != "" {
		return why
	}
	if j.stuck.Load() {
		return keysUnremovable
	}
	return ""
}
