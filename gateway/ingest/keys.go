package ingest

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"sluice/plan"
)

// Keys are a cluster's, in memory. A key is of 32 bytes, for one use in one epoch, which is a day:
// how many have passed since 1970, in UTC. Uses are
//
//	tag-UNIX-SECONDS-STREAM   tags of a stream's units in its epoch that begins at UNIX, in that
//	                          day, and lasts for SECONDS; about nobody, of its messages in the day
//	seal-P, part-P            what is said of the partition with the number P to its owner, and
//	                          what that says of it
//
// The error is fs.ErrNotExist where the secret is gone for ever; after any other one it may be
// asked for again. What is returned is a copy, and overwritten once it has been used.
type Keys interface {
	Key(epoch int64, use string) ([]byte, error)
}

const daySeconds = 24 * 60 * 60

// dayOf is the epoch of the keys of a window's entries.
func dayOf(spec *plan.Stream, start time.Time) int64 {
	if !spec.Unit.None() {
		start, _ = spec.Epoch(start)
	}
	return keyEpoch(start)
}

// keyEpoch is the epoch of the keys of what begins at an instant.
func keyEpoch(t time.Time) int64 {
	n := t.Unix() / daySeconds
	if t.Unix()%daySeconds < 0 {
		n--
	}
	return n
}

// awaitKey asks until there is a key, or never will be.
func awaitKey(ctx context.Context, keys Keys, epoch int64, use string) ([]byte, error) {
	for {
		key, err := keys.Key(epoch, use)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return key, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
