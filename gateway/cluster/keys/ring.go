package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/roster"
	"sluice/internal/retry"
)

// Channel carries questions and answers, and keeps neither; a connection of the engine in an account without JetStream
// is one.
type Channel interface {
	// Answer answers questions on a subject until stop is called; a nil answer is none.
	Answer(ctx context.Context, subject string, answer func([]byte) []byte) (stop func(), err error)
	// AskAll puts a question to all who answer on the subject, and hands over their answers until it is enough.
	AskAll(ctx context.Context, subject string, question []byte, take func(answer []byte) (enough bool)) error
}

// Config says who has a ring, and by what it lives.
type Config struct {
	Me          *roster.Me
	Roster      func() *roster.Roster // as it is now
	Channel     Channel
	Commitments Commitments
	Partitions  int  // of the city; for who makes an epoch's keys
	Keep        bool // of a front: it makes keys, and has all of them, for others to ask
	// Tags is how long after the end of a span in which units are recognised something of it is tagged, and Opens how
	// long after a day something of it is opened.
	Tags, Opens time.Duration
	// Ahead is how long before they begin the keys of epochs are made that will be needed.
	Ahead time.Duration
	// Patience is how long keys of a commitment are asked for in vain before they are taken for lost.
	Patience time.Duration
	// Owns reports whether a worker should have a partition; nil: any worker gets any.
	Owns func(member string, partition int) bool
	// Shredded is given each receipt, as it was signed.
	Shredded func(receipt []byte)
	Dir      string // memory-backed; empty for none
	Now      func() time.Time
	Log      *slog.Logger
}

// wantedFor is how long a key is asked for after Key was called for it last: a worker may not own the partition any
// more.
const wantedFor = time.Minute

// mostEpochs bounds the epochs that a ring knows of.
const mostEpochs = 4096

// Ring is what one member has of the keys. Key and Problem may be called by several goroutines, beside Run.
type Ring struct {
	c       Config
	shelf   shelf
	wake    chan struct{}
	trouble retry.Once
	have    *stock
	wait    time.Duration // for answers to the next question; of Run
}

// Open makes a ring. Nothing is asked for before Run.
func Open(c Config) (*Ring, error) {
	if c.Partitions < 1 || c.Partitions > MostPartitions {
		return nil, fmt.Errorf("keys: partitions are between 1 and %d", MostPartitions)
	}
	if c.Tags < 0 || c.Opens < 0 || c.Tags > mostUntil || c.Opens > mostUntil {
		return nil, errors.New("keys: they live for 400 days after their epoch at most")
	}
	r := &Ring{c: c, shelf: shelf(c.Dir), wake: make(chan struct{}, 1),
		wait: firstWait}
	r.have = &stock{c: &r.c, epochs: map[span]*epoch{}}
	return r, nil
}

// Key is a copy of a key, of Size bytes; whoever asks overwrites it when it is done with. The day is EpochOf what the
// key is for, and the use
//
//	seal-P, part-P             of partition P, in decimal
//	tag-UNIX-SECONDS-STREAM    of a stream whose units are recognised for so long from UNIX on, which is in that day
//
// Key does not wait: ErrNotYet says that the key is asked for, and that the same call may have it later, if it is made
// again within a minute; ErrGone that it never will. Any other error is one of the caller.
func (r *Ring) Key(day int64, use string) ([]byte, error) {
	at, of, stream, ok := wantOf(day, use)
	me, _ := r.c.Roster().Member(r.c.Me.Name)
	if !ok || !may(me, of, r.c.Partitions, nil) {
		return nil, errors.New("keys: there is no such use, or none for this member's roles")
	}
	r.have.mu.Lock()
	defer r.have.mu.Unlock()
	e := r.have.epochs[at]
	if r.have.over(at, e, of) {
		return nil, ErrGone
	}
	if e == nil {
		if time.Unix(at.start, 0).After(r.c.Now().Add(secondsOfDay*time.Second)) || !r.have.room() {
			return nil, ErrNotYet
		}
		e = r.have.know(at)
	}
	e.used = true
	if k := e.keys[of]; k != nil && at.tags {
		own, err := derive(k, "sluice cluster tag 1 "+stream)
		if err != nil {
			return nil, err
		}
		return own[:], nil
	} else if k != nil {
		return bytes.Clone(k[:]), nil
	}
	if _, known := e.wanted[of]; !known {
		r.stir()
	}
	e.wanted[of] = r.c.Now()
	return nil, ErrNotYet
}

func (r *Ring) stir() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run answers questions, asks for what is wanted, has a front make what will be, and sees to it that keys die in time,
// until the context ends.
func (r *Ring) Run(ctx context.Context) error {
	var stop func()
	for pause := (retry.Backoff{First: 100 * time.Millisecond, Longest: 5 * time.Second}); stop == nil; {
		var err error
		if stop, err = r.c.Channel.Answer(ctx, subject, r.answer); err != nil {
			if errors.Is(err, engine.ErrRefused) {
				return err
			}
			if !pause.Wait(ctx) {
				return nil
			}
		}
	}
	defer stop()
	if err := r.restore(); err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		r.tend(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-r.wake:
		}
	}
}

// Agree reports an error where this member would part the city otherwise than the others do today. A cluster whose
// clock is simulated has no keys for today, and is told as soon as it needs one.
func (r *Ring) Agree(ctx context.Context) error {
	is, _, _, err := r.first(ctx, dayOf(EpochOf(r.c.Now())))
	if err != nil || is == nil || is.Partitions == r.c.Partitions {
		return err
	}
	return fmt.Errorf("cluster.partitions is %d, and the others have %d today; give all members the same, or wait for "+
		"the next day (UTC) to change it on all of them", r.c.Partitions, is.Partitions)
}

// restore knows of each epoch that there are files of; what they hold is believed when its commitment has been read.
func (r *Ring) restore() error {
	found, err := r.shelf.epochs()
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	r.have.mu.Lock()
	defer r.have.mu.Unlock()
	for _, at := range found {
		if r.have.epochs[at] == nil && r.have.room() {
			r.have.know(at)
		}
	}
	return nil
}

// tend does what there is to do at this moment.
func (r *Ring) tend(ctx context.Context) {
	err := r.sweep()
	for _, at := range r.have.due() {
		if ctx.Err() != nil {
			return
		}
		if e := r.fetch(ctx, at); e != nil {
			err = errors.Join(err, fmt.Errorf("epoch %s: %w", at, e))
		}
	}
	if err = errors.Join(err, r.have.lost()); ctx.Err() != nil {
		return
	}
	if err != nil && r.trouble.News(err.Error()) {
		r.c.Log.Warn("keys of the cluster's epochs are not all here; they are asked for again", "error", err)
	}
	if err == nil && r.trouble.News("") {
		r.c.Log.Info("keys of the cluster's epochs are here again")
	}
}

// Problem says which keys are not here that should be; empty if all are.
func (r *Ring) Problem() string { return r.trouble.Last() }
