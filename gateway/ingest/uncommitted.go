package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"sluice/internal/retry"
)

// errUncommitted says that nobody has committed to an epoch's keys, so that nothing can have been sealed with them.
var errUncommitted = errors.New("nobody has committed to this epoch's keys")

// How long an owner looks whether there is a commitment before it believes that there is none. A server that has just
// lost its lead may not know of the last one for a moment.
const (
	doubtful  = 5 * time.Second
	lookAgain = 500 * time.Millisecond
	// believed is for how long one look is enough then, so that much of what nobody can open keeps a partition back
	// hardly longer than one entry of it.
	believed = time.Minute
)

// seals is where an owner has the keys from with which its partition's entries were sealed.
type seals struct {
	partition int
	keys      Keys
	committed func(ctx context.Context, epoch int64) (bool, error) // as Owned has it
	none      time.Time                                            // when an epoch last had no commitment
	sure      int64                                                // an epoch that has one
}

// never reports whether nobody has committed to an epoch's keys so far: a day on which the city's machines were away,
// or that began before they were founded. What is said of it may be sealed with another one's.
func (s *seals) never(ctx context.Context, epoch int64) bool {
	if s.committed == nil || s.sure == epoch {
		return false
	}
	is, err := s.committed(ctx, epoch)
	if is {
		s.sure = epoch
	}
	return !is && err == nil
}

// key is the partition's of an epoch. It waits until it is here, and says errUncommitted where it never was; any other
// error is awaitKey's.
func (s *seals) key(ctx context.Context, epoch int64) ([]byte, error) {
	use := fmt.Sprint("seal-", s.partition)
	key, err := s.keys.Key(epoch, use)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if s.committed == nil {
		return awaitKey(ctx, s.keys, epoch, use)
	}
	patience := doubtful
	if time.Since(s.none) < believed {
		patience = 0
	}
	for since := (time.Time{}); ; {
		is, err := s.committed(ctx, epoch)
		switch {
		case is:
			return awaitKey(ctx, s.keys, epoch, use)
		case err != nil: // nobody can say at the moment
			since = time.Time{}
		case since.IsZero() && patience > 0:
			since = time.Now()
		case time.Since(since) >= patience:
			if patience > 0 {
				s.none = time.Now()
			}
			return nil, errUncommitted
		}
		if !retry.Sleep(ctx, lookAgain) {
			return nil, ctx.Err()
		}
	}
}
