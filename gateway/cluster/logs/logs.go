// Package logs are the logs of a cluster's engine that fronts and owners of partitions share, as gateway/ingest wants
// them.
//
//	IN     in.EPOCH.P    what fronts hand to a partition's owner, in the order in which it counts
//	STATE  state.P       what an owner would have to read again; each entry names the one before
//
// Subjects have the number of an epoch and of a partition, and nothing else; all bodies are sealed by ingest. What a
// front puts is sent again until it is acknowledged, with the same id: so it can stand there twice, and owners know it
// by its number.
package logs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/ingest"
)

// InSpec is the log of what fronts hand over.
func InSpec(replicas int) engine.Spec {
	return engine.Spec{Name: "IN", Subjects: []string{"in.*.*"}, Replicas: replicas}
}

// StateSpec is the log of owners' states.
func StateSpec(replicas int) engine.Spec {
	return engine.Spec{Name: "STATE", Subjects: []string{"state.*"}, Replicas: replicas}
}

// In reads what fronts hand over.
type In struct{ Log *engine.Log }

// Read are a partition's batches from a place on, and those to come.
func (i In) Read(ctx context.Context, partition int, from uint64) iter.Seq2[ingest.Entry, error] {
	return entries(i.Log.Follow(ctx, fmt.Sprintf("in.*.%d", partition), from))
}

// Drop takes away a partition's batches before a place; the last one stays.
func (i In) Drop(ctx context.Context, partition int, before uint64) error {
	return i.Log.Drop(ctx, fmt.Sprintf("in.*.%d", partition), before)
}

func entries(list iter.Seq2[engine.Entry, error]) iter.Seq2[ingest.Entry, error] {
	return func(yield func(ingest.Entry, error) bool) {
		for e, err := range list {
			if !yield(ingest.Entry{Seq: e.Seq, Body: e.Body}, err) {
				return
			}
		}
	}
}

// limits bound what a front has on its way.
var limits = engine.Limits{Entries: 256, Bytes: 32 << 20}

// Out takes what one front hands over, or an owner says. It is for one goroutine.
type Out struct {
	pipe *engine.Pipe
	stop context.CancelFunc
	end  sync.WaitGroup
	told account
}

// NewOut makes it, until ctx ends or Close is called.
func NewOut(ctx context.Context, log *engine.Log) (*Out, error) {
	o := &Out{}
	pipe, err := log.Pipe(limits, o.told.acked)
	if err != nil {
		return nil, err
	}
	o.pipe = pipe
	ctx, o.stop = context.WithCancel(ctx)
	o.end.Go(func() { _ = pipe.Run(ctx) }) // Put and Wait say what has ended it
	return o, nil
}

// Put sends a batch. While too much is on its way it waits.
func (o *Out) Put(ctx context.Context, epoch int64, partition int, id string, body []byte) error {
	began := time.Now()
	err := o.pipe.Put(ctx, fmt.Sprintf("in.%d.%d", epoch, partition), id, body)
	if err == nil {
		o.told.put(began)
	}
	return err
}

// Wait waits until a majority has on its disks what was put.
func (o *Out) Wait(ctx context.Context) error { return o.pipe.Wait(ctx) }

// Close ends it. What is on its way may still come to be.
func (o *Out) Close() {
	o.stop()
	o.end.Wait()
}

// State keeps owners' states.
type State struct{ Log *engine.Log }

// Load are the entries of a partition's state, in order.
func (s State) Load(ctx context.Context, partition int) iter.Seq2[ingest.Entry, error] {
	return entries(s.Log.Entries(ctx, subject(partition), 1))
}

// Append writes an entry behind the one at after, and tries for as long as nobody answers: it cannot be there twice.
func (s State) Append(ctx context.Context, partition int, after uint64, id string, body []byte) (uint64, error) {
	return Surely(ctx, s.Log, subject(partition), after, id, body)
}

// Drop takes away entries before a place; the last one stays.
func (s State) Drop(ctx context.Context, partition int, before uint64) error {
	return s.Log.Drop(ctx, subject(partition), before)
}

func subject(partition int) string { return fmt.Sprintf("state.%d", partition) }

// Surely is engine.Log.Append until there is an answer, or ctx ends.
func Surely(
	ctx context.Context, log *engine.Log, subject string, after uint64, id string, body []byte,
) (seq uint64, err error) {
	for {
		seq, err = log.Append(ctx, subject, after, id, body)
		if !errors.Is(err, engine.ErrAway) || ctx.Err() != nil {
			return seq, err
		}
	}
}
