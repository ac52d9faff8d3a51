package roster

import (
	"context"
	"errors"
	"os"
	"time"

	"sluice/internal/retry"
)

// settles is how long after one of its files was written a roster and its signature need not belong together: they are
// replaced one after the other.
const settles = 5 * time.Second

// Settled is Signed and Verify of two files that somebody may be replacing at this moment: where they do not belong
// together and one of them is new, they are read again for a while, in whichever order they come.
func Settled(ctx context.Context, file, allowed string) (s Signature, r *Roster, by string, err error) {
	for begun := time.Now(); ; {
		if s, err = Signed(file); err == nil {
			r, by, err = s.Verify(file, allowed)
		}
		waits := errors.As(err, new(*unfit)) && (young(file) || young(file+".sig")) && time.Since(begun) < settles
		if !waits || !retry.Sleep(ctx, settles/50) {
			return s, r, by, err
		}
	}
}

// young reports whether a file was written a moment ago.
func young(file string) bool {
	info, err := os.Stat(file)
	return err == nil && time.Since(info.ModTime()).Abs() < settles
}
