package activation

import (
	"log/slog"

	"sluice/policy/council"
)

// chain is the chain of motions, those for other gateways too.
type chain struct {
	last  *council.Enacted // nil for none
	taken map[string]bool  // the SHA-256 of all that were taken
}

// hash is where the chain is: that of the last motion; empty before the first.
func (c *chain) hash() string {
	if c.last == nil {
		return ""
	}
	return c.last.Hash
}

// follow goes on with a motion, of which raw is the file.
func (c *chain) follow(e *council.Enacted, raw []byte) {
	c.last = e
	c.taken[council.Sum(raw)] = true
}

// resume goes on with a motion that was taken before.
func (c *chain) resume(raw []byte) (*council.Enacted, error) {
	e, err := council.Reopen(raw, c.last)
	if err == nil {
		c.follow(e, raw)
	}
	return e, err
}

// sayOvertaken says that a motion which waited for its time is void, since another one
// has taken its place.
func sayOvertaken(coming *Announced, by *council.Enacted, log *slog.Logger) {
	if coming != nil && coming.Motion.Hash != by.Hash {
		log.Warn("a motion that waited for its time is void: another one has taken its place",
			"motion", coming.Motion.ID, "by", by.ID, "hint", "put it to the vote anew")
	}
}
