package verify

import (
	"maps"
	"slices"

	"sluice/books"
)

// votes notes which decisions members have verifiably signed. Numbers add up without a vote as
// well, so that whoever reads that they do is told who decided them.
func (c *checker) votes() error {
	list, err := c.books.Decisions()
	if err != nil {
		return err
	}
	c.voted = make(map[string]bool)
	for _, d := range list {
		c.voted[d.ID] = slices.ContainsFunc(d.Votes, func(v books.Vote) bool { return v.Verified })
		if err := c.statements(&d); err != nil {
			return err
		}
	}
	return nil
}

// votes adds up the decisions of all gateways: one is voted where the books of any say so.
func (w *walk) votes() {
	voted := make(map[string]bool)
	for _, c := range w.of {
		w.Simulation = w.Simulation || c.city.Simulation
		for id, yes := range c.voted {
			voted[id] = voted[id] || yes
		}
	}
	w.Decisions = len(voted)
	for _, id := range slices.Sorted(maps.Keys(voted)) {
		if !voted[id] {
			w.Unvoted = append(w.Unvoted, id)
		}
	}
}
