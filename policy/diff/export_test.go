package diff

import (
	"math/rand/v2"

	"sluice/policy/bundle"
)

// Broken and Misfits are what this package takes the rules to say.
func Broken(p *bundle.Policy, d *bundle.Decision) []string { return view{p}.broken(d) }

func Misfits(p *bundle.Policy, kind string, d *bundle.Decision) []string {
	return misfits(p.Kinds[kind], d)
}

// RandomPolicy is some town's, edited a few times; nil where that is none.
func RandomPolicy(rng *rand.Rand) *bundle.Policy {
	t := newTown(rng)
	for range rng.IntN(4) {
		t.edit(rng)
	}
	return t.policy()
}

// OwnIn are the digests of the program's rules in earlier formats of motions.
var OwnIn = ownIn
