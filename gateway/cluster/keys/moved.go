package keys

import (
	"context"
	"crypto/rand"
)

// movedSubject is where keys of a gateway that ran alone are in the log of epochs, sealed with keys for tags: who moves
// it seals them, and fronts open them (ingest.Moved).
const movedSubject = "epochs.moved"

// Of sealed keys in the log, the bytes of an entry at most, and how many entries are read.
const (
	movedBytes   = 700_000
	movedEntries = 64
)

// Leave writes sealed keys into the log, for fronts. The items have so many bytes each; what is written twice counts
// once.
func (r *Ring) Leave(ctx context.Context, items []byte, size int) error {
	most := movedBytes / size * size
	var last uint64
	for e, err := range r.c.Commitments.Entries(ctx, movedSubject, 1) {
		if err != nil {
			return err
		}
		last = e.Seq
	}
	for len(items) > 0 {
		n := min(most, len(items))
		var err error
		if last, err = r.c.Commitments.Append(ctx, movedSubject, last, rand.Text(), items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// Left hands over what Leave has written.
func (r *Ring) Left(ctx context.Context, take func(items []byte)) error {
	n := 0
	for e, err := range r.c.Commitments.Entries(ctx, movedSubject, 1) {
		if err != nil {
			return err
		}
		if n++; n > movedEntries {
			return nil
		}
		take(e.Body)
	}
	return nil
}
