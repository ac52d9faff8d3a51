package keys

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// due are the epochs of which something is lacking, the oldest first.
func (r *Ring) due() (list []span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.c.Keep {
		r.foresee()
	}
	for at, e := range r.epochs {
		if !e.gone && (e.is == nil && !r.over(at, e, "") || len(r.lacking(at, e)) > 0) {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.start, b.start), strings.Compare(a.String(), b.String()))
	})
	return list
}

// foresee knows of the epochs that will be needed soon; with mu.
func (r *Ring) foresee() {
	soon := r.c.Now().Add(r.c.Ahead)
	ahead := []span{dayOf(EpochOf(r.c.Now())), dayOf(EpochOf(soon))}
	for at, e := range r.epochs {
		if at.tags && e.used && !soon.Before(at.end()) {
			ahead = append(ahead, at.next())
		}
	}
	for _, at := range ahead {
		if r.epochs[at] == nil && r.room() && !r.over(at, nil, "") {
			r.know(at)
		}
	}
}

// lacking are the uses for which there is no key, and should be; with mu.
func (r *Ring) lacking(at span, e *epoch) (list []string) {
	now := r.c.Now()
	for _, use := range at.uses(r.c.Partitions) {
		asked, wanted := e.wanted[use]
		if e.keys[use] == nil && (r.c.Keep || wanted && now.Sub(asked) < wantedFor) && !r.over(at, e, use) {
			list = append(list, use)
		}
	}
	return list
}

// missing is lacking, for who does not have mu.
func (r *Ring) missing(at span) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.epochs[at]; e != nil {
		return r.lacking(at, e)
	}
	return nil
}

// patience says what is still missing, and takes what was asked for in vain for long enough for lost.
func (r *Ring) patience(at span) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.epochs[at]
	if e == nil {
		return nil
	}
	left, now := r.lacking(at, e), r.c.Now()
	vain := make(map[string]time.Time, len(left))
	for _, use := range left {
		since, known := e.vain[use]
		if !known {
			since = now
		}
		if now.Sub(since) >= r.c.Patience {
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
func (r *Ring) lost() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for at, e := range r.epochs {
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
