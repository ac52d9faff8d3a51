package check

import "sluice/policy/diff"

// quorums finds those that nobody can reach (K01), that nobody has to (K02), and that are the
// wrong way round (K03).
func (c *checker) quorums() {
	before := len(c.found) // a quorum that cannot be is said once
	for _, q := range []diff.Quorum{diff.Enact, diff.Weaken, diff.Charter, diff.Roster, diff.Suspend} {
		n := q.Of(c.charter)
		switch {
		case n < 1:
			c.at("charter.yaml", "K02", "quorums/"+string(q), q)
		case c.council != nil && len(c.council.Members) > 0 && n > len(c.council.Members):
			c.at("charter.yaml", "K01", "quorums/"+string(q), q, n, len(c.council.Members))
		}
	}
	if q := c.charter.Quorums; len(c.found) == before && (q.Weaken < q.Enact || q.Suspend > q.Enact) {
		c.at("charter.yaml", "K03", "quorums", q.Weaken, q.Enact, q.Suspend)
	}
}
