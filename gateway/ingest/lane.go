package ingest

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/handover"
)

// lane is the way to one partition.
type lane struct {
	number uint64 // of the last batch
	epochs map[int64]*parcel
	sealed []sealedBatch // that are not known to be there
}

// parcel is what is gathered for a partition under an epoch's key.
type parcel struct {
	handover.Builder
	seal cipher.AEAD
}

type sealedBatch struct {
	head handover.Head
	body []byte
}

// keyPatience is how long a front waits for a key that is on its way to it. Intake waits as long, so
// that senders are held back; a stop waits for none.
const keyPatience = time.Minute

// patience is how long keys are waited for, and what ends it.
type patience struct {
	most     time.Duration
	stopping <-chan struct{}
}

// key is a key of the cluster, once it is there.
func (f *front) key(epoch int64, use string) ([]byte, error) {
	for begun := time.Now(); ; {
		key, err := f.Keys.Key(epoch, use)
		if err == nil || errors.Is(err, fs.ErrNotExist) || time.Since(begun) >= f.patience.most {
			return key, err
		}
		select {
		case <-f.patience.stopping:
			return nil, errors.Join(context.Canceled, err) // an end in order
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// current is the epoch in which a front says how far it is. Before the first tick of a simulated
// clock it is the latest of which something has come; false where nothing has.
func (f *front) current() (epoch int64, known bool) {
	if !f.clock.now.IsZero() {
		return keyEpoch(f.clock.now), true
	}
	for n := range f.lanes {
		for e := range f.lanes[n].epochs {
			if !known || e > epoch {
				epoch, known = e, true
			}
		}
	}
	return epoch, known
}

func (f *front) parcel(partition int, epoch int64) (*parcel, error) {
	l := &f.lanes[partition]
	if p := l.epochs[epoch]; p != nil {
		return p, nil
	}
	key, err := f.key(epoch, fmt.Sprint("seal-", partition))
	if err != nil {
		return nil, err
	}
	defer clear(key)
	head := handover.Head{Epoch: epoch, Partition: uint16(partition), Life: f.life}
	seal, err := head.Seal(key)
	if err != nil {
		return nil, err
	}
	p := &parcel{seal: seal}
	l.epochs[epoch] = p
	return p, nil
}

// close seals what is gathered under an epoch's key.
func (l *lane) close(life handover.Life, partition int, epoch int64) {
	l.number++
	head := handover.Head{Epoch: epoch, Partition: uint16(partition), Life: life, Number: l.number}
	p := l.epochs[epoch]
	l.sealed = append(l.sealed, sealedBatch{head, p.Append(nil, head, p.seal)})
}

// finish seals all that is gathered, the current epoch last: what it says of the front comes
// behind all entries. Epochs of the past leave with their last entries.
func (l *lane) finish(life handover.Life, partition int, current int64, even bool) {
	for _, epoch := range slices.Sorted(maps.Keys(l.epochs)) {
		if epoch == current {
			continue
		}
		if !l.epochs[epoch].Empty() {
			l.close(life, partition, epoch)
		}
		if epoch < current {
			delete(l.epochs, epoch)
		}
	}
	if even || !l.epochs[current].Empty() {
		l.close(life, partition, current)
	}
}
