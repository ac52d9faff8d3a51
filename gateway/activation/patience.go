package activation

import (
	"time"
)

// pauses are how long a policy rests that missed its deadline: a machine that was
// overloaded may be the reason the first time, and hardly the third. After the last
// it is not compiled again until its bytes change.
func pauses() []time.Duration { return []time.Duration{time.Minute, 10 * time.Minute} }

// patience says when to try again what has missed its deadline. It is of one file,
// or one directory, that does not change; the zero value has not been tried. Its
// owner is one goroutine.
type patience struct {
	missed int
	next   time.Time // the next try; the zero time for none
}

// miss notes that the deadline was missed at now, and returns how long the pause
// is; zero for no further try.
func (p *patience) miss(now time.Time) time.Duration {
	p.next = time.Time{}
	if p.missed >= len(pauses()) {
		return 0
	}
	pause := pauses()[p.missed]
	p.missed, p.next = p.missed+1, now.Add(pause)
	return pause
}

// hold puts the next try off by a pause and counts no miss: for what has nothing to
// do with the policy, such as a full disk.
func (p *patience) hold(now time.Time) time.Duration {
	p.next = now.Add(pauses()[0])
	return pauses()[0]
}

// due reports whether it is time for another try.
func (p *patience) due(now time.Time) bool { return !p.next.IsZero() && !now.Before(p.next) }

// lookout says when a directory is worth compiling: it has changed, it is gone, or
// a deadline was missed and the pause is over.
type lookout struct {
	last string // digest of what was compiled last; empty for nothing yet
	gone int    // looks since it was there
	// passed are the files that were passed over at the last look.
	passed string
	patience
}

// passes takes the files that are passed over now, and says whether they are news.
func (l *lookout) passes(files string) bool {
	news := files != "" && files != l.passed
	l.passed = files
	return news
}

// look takes one look's answer, the digest of what is there, empty for nothing.
func (l *lookout) look(digest string, now time.Time) bool {
	switch digest {
	case "":
		if l.gone++; l.gone < goneLooks {
			return false
		}
		l.last = "" // the same files, put back, are news
		return true
	case l.last:
		l.gone = 0
		return l.due(now)
	}
	*l = lookout{last: digest, passed: l.passed}
	return true
}
