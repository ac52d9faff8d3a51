package keys

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// stock is what a ring has in memory, of which epochs, and what it lacks.
type stock struct {
	c *Config // which nobody changes

	mu     sync.Mutex
	epochs map[span]*epoch // guarded by mu, with all that is in it
}

// epoch is what a ring has of one.
type epoch struct {
	is     *commitment          // nil while it has none
	all    digests              // nil while they are not known
	keys   bunch                // as the commitment says
	wanted map[string]time.Time // when a use was asked for last
	vain   map[string]time.Time // since when it is asked for in vain
	lost   map[string]bool      // what nobody has any more
	draft  *draft               // what this front has drawn; nil for none
	used   bool                 // Key was called for it
	had    bool                 // there were keys before they were shredded
	gone   bool                 // shredded
}

// over reports whether there will never be such a key again; with mu.
func (s *stock) over(at span, e *epoch, use string) bool {
	if e != nil && (e.gone || e.lost[use]) {
		return true
	}
	until := s.until(at)
	if e != nil && e.is != nil && e.is.Until.Before(until) {
		until = e.is.Until
	}
	return !s.c.Now().Before(until)
}

// until is when an epoch's keys die, as this member's configuration has it.
func (s *stock) until(at span) time.Time {
	if at.tags {
		return at.end().Add(s.c.Tags)
	}
	return at.end().Add(s.c.Opens)
}

// know begins to know of an epoch; with mu.
func (s *stock) know(at span) *epoch {
	e := &epoch{
		keys: bunch{}, wanted: map[string]time.Time{}, vain: map[string]time.Time{}, lost: map[string]bool{},
	}
	s.epochs[at] = e
	return e
}

func (s *stock) room() bool { return len(s.epochs) < mostEpochs }

// foresee knows of the epochs that will be needed soon; with mu.
func (s *stock) foresee() {
	soon := s.c.Now().Add(s.c.Ahead)
	ahead := []span{dayOf(EpochOf(s.c.Now())), dayOf(EpochOf(soon))}
	for at, e := range s.epochs {
		if at.tags && e.used && !soon.Before(at.end()) {
			ahead = append(ahead, at.next())
		}
	}
	for _, at := range ahead {
		if s.epochs[at] == nil && s.room() && !s.over(at, nil, "") {
			s.know(at)
		}
	}
}

// due are the epochs of which something is lacking, the oldest first.
func (s *stock) due() (list []span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c.Keep {
		s.foresee()
	}
	for at, e := range s.epochs {
		if !e.gone && (e.is == nil && !s.over(at, e, "") || len(s.lacking(at, e)) > 0) {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.start, b.start), strings.Compare(a.String(), b.String()))
	})
	return list
}

// lacking are the uses for which there is no key, and should be; with mu.
func (s *stock) lacking(at span, e *epoch) (list []string) {
	now := s.c.Now()
	for _, use := range at.uses(s.c.Partitions) {
		asked, wanted := e.wanted[use]
		if e.keys[use] == nil && (s.c.Keep || wanted && now.Sub(asked) < wantedFor && s.given(use)) &&
			!s.over(at, e, use) {
			list = append(list, use)
		}
	}
	return list
}

// given reports whether a key would be given to this member now. To ask for one of a partition that has fallen to
// another worker only keeps those back that this one needs.
func (s *stock) given(use string) bool {
	me, _ := s.c.Roster().Member(s.c.Me.Name)
	return may(me, use, s.c.Partitions, s.c.Owns)
}

// missing is lacking, for who does not have mu.
func (s *stock) missing(at span) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.epochs[at]; e != nil {
		return s.lacking(at, e)
	}
	return nil
}

// patience says what is still missing, and takes what was asked for in vain for long enough for lost.
func (s *stock) patience(at span) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.epochs[at]
	if e == nil {
		return nil
	}
	left, now := s.lacking(at, e), s.c.Now()
	vain := make(map[string]time.Time, len(left))
	for _, use := range left {
		since, known := e.vain[use]
		if !known {
			since = now
		}
		if now.Sub(since) >= s.c.Patience {
			e.lost[use] = true
			continue
		}
		vain[use] = since
	}
	e.vain = vain
	if len(vain) > 0 {
		return fmt.Errorf("%w: nobody who answers has %d of them", ErrNotYet, len(vain))
	}
	return nil
}

// lost says which epochs have keys that nobody has any more.
func (s *stock) lost() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for at, e := range s.epochs {
		if len(e.lost) > 0 && !e.gone {
			list = append(list, fmt.Sprintf("%d of epoch %s", len(e.lost), at))
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.Sort(list)
	return errors.New("nobody has these keys any more, and there will be gaps: " + strings.Join(list, ", "))
}

// take makes copies of keys the epoch's; of one that is over nothing.
func (s *stock) take(at span, is *commitment, all digests, b bunch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.epochs[at]
	e.is = is
	if all != nil {
		e.all = all
	}
	for use, k := range b {
		if e.keys[use] == nil && !s.over(at, e, use) {
			e.keys[use] = new(key)
			*e.keys[use] = *k
		}
	}
}

// has are copies of the keys that are asked for and here.
func (s *stock) has(at span, want []string) (all digests, b bunch, partitions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.epochs[at]
	if e == nil || e.gone || e.is == nil || e.all == nil {
		return nil, nil, 0
	}
	b = bunch{}
	for _, use := range want {
		if k := e.keys[use]; k != nil && b[use] == nil && !s.over(at, e, use) {
			b[use] = new(key)
			*b[use] = *k
		}
	}
	return e.all, b, e.is.Partitions
}
