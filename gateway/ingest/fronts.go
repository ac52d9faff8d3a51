package ingest

import (
	"cmp"
	"slices"
	"time"
)

// FrontSeen is one of the fronts that a partition's windows wait for, as the partition's owner sees it.
type FrontSeen struct {
	Name string // in the roster; empty until it has said it
	// Heard is when its last batch came, in wall time.
	Heard time.Time
	// Behind is since when another front has turned from a window that it has not turned from; zero for not.
	Behind time.Time
}

// Fronts are those that the partition's windows wait for, as it was about a second ago. Any goroutine may ask.
func (a *ownAccount) Fronts() []FrontSeen {
	if list := a.seen.Load(); list != nil {
		return *list
	}
	return nil
}

// see notes what is seen of fronts; of run, once a second.
func (a *ownAccount) see(lives lives, now time.Time) {
	ahead := make(places)
	for _, of := range lives {
		if !of.Lapsed {
			for stream, at := range of.Places {
				ahead[stream] = max(ahead[stream], at)
			}
		}
	}
	var list []FrontSeen
	for _, of := range lives {
		if of.Lapsed || len(of.Places) == 0 {
			continue
		}
		behind := false
		for stream, at := range of.Places {
			behind = behind || at < ahead[stream]
		}
		switch {
		case !behind:
			of.behind = time.Time{}
		case of.behind.IsZero():
			of.behind = now
		}
		list = append(list, FrontSeen{of.Name, of.heard, of.behind})
	}
	slices.SortFunc(list, func(a, b FrontSeen) int { return cmp.Compare(a.Name, b.Name) })
	a.seen.Store(&list)
}
