package gateway

import (
	"time"

	"sluice/policy/compile"
)

// known is what is known of the policies that were in force.
type known struct{ g *Gateway }

// Location is the city's; nil before any policy.
func (k known) Location() *time.Location {
	k.g.mu.Lock()
	defer k.g.mu.Unlock()
	if k.g.latest == nil {
		return nil
	}
	return k.g.latest.Location
}

// Cells are the cells of this gateway's streams, by stream.
func (k known) Cells() map[string]map[string]bool {
	k.g.mu.Lock()
	defer k.g.mu.Unlock()
	out := make(map[string]map[string]bool)
	for _, set := range k.g.sets {
		cellsOf(set, out)
	}
	return out
}

func cellsOf(set *compile.Set, out map[string]map[string]bool) {
	for _, s := range set.Streams {
		if out[s.ID] == nil {
			out[s.ID] = make(map[string]bool)
		}
		for _, c := range s.Cells {
			out[s.ID][c.ID()] = true
		}
	}
}
