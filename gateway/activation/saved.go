package activation

import (
	"time"

	"sluice/gateway/config"
)

// When files that are saved are read anew: an editor writes a file in several steps, and a copy
// takes its time.
const (
	// lookEvery is how often they are looked at; where a look takes longer than a fiftieth of that,
	// as of ten thousand files, less often, and not less than each lookSlowly.
	lookEvery  = time.Second
	lookSlowly = 2 * time.Second
	// quiet is how long they must be as they are; where the register has become smaller, as a file
	// is that has been emptied to be written anew, it is shrunkQuiet.
	quiet       = time.Second
	shrunkQuiet = 4 * time.Second
	// retryAfter is when files are read once more that could not be used through no fault of theirs.
	retryAfter = time.Minute
)

// saved says when files have been saved and are whole. Its owner is one goroutine.
type saved struct {
	// used are the files as they are in force; taken as they were read last, whether or not
	// they could be used.
	used, taken config.Stamp
	// last is how they were at the last look, since when.
	last  config.Stamp
	since time.Time
	retry time.Time // when to read them although nothing has changed; zero for never
}

// look takes how the files are now, and reports whether to read them.
func (s *saved) look(is config.Stamp, now time.Time) bool {
	if is != s.last {
		s.last, s.since = is, now
	}
	if is == s.taken {
		return !s.retry.IsZero() && !now.Before(s.retry)
	}
	wait := quiet
	if is.Size < s.taken.Size {
		wait = shrunkQuiet
	}
	return now.Sub(s.since) >= wait
}

// take notes that the files were read as they were, and whether they are in force.
func (s *saved) take(was config.Stamp, inForce bool) {
	if s.taken, s.retry = was, (time.Time{}); inForce {
		s.used = was
	}
}

// pause is how long to wait after a look that has taken so long.
func pause(took time.Duration) time.Duration { return min(max(lookEvery, 50*took), lookSlowly) }
