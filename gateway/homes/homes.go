// Package homes says which sensors stand for somebody and are therefore never shown
// singly.
package homes

import (
	"log/slog"
	"maps"
	"slices"

	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/register"
)

// Whether a sensor is shown singly, with place and contact, hangs on three files
// that people edit. A missing word, a misspelt kind or a kind that is gone must not
// show a home: a sensor is listed only where the policy knows its kind, and where
// its kind has never stood for somebody, or was voted out of that.

// Of are the kinds whose sensors stand for somebody, by kinds.yaml or as the
// unit of any decision, also one that is past, suspended or not run.
func Of(set *compile.Set) map[string]bool {
	homes := make(map[string]bool)
	for id, k := range set.Kinds {
		if k.Home() {
			homes[id] = true
		}
	}
	for _, d := range set.Decisions {
		for _, id := range d.AppliesTo.Kinds {
			if d.Unit.Sensor != "" {
				homes[id] = true
			}
		}
	}
	return homes
}

// Shown is how a sensor is shown: singly, as one of homes, or as one of unknown kind.
type Shown int

// How a sensor is shown: where its kind is not known, or was a home's and is in doubt, it
// is only counted, as it is where it stands for a home.
const (
	Unknown Shown = iota
	Home
	Singly
)

// Strangers are the sensors whose kind a policy does not know.
func Strangers(reg *register.Register, set *compile.Set) (ids []string) {
	for i := range reg.Sensors {
		if _, known := set.Kinds[reg.Sensors[i].Kind]; !known {
			ids = append(ids, reg.Sensors[i].ID)
		}
	}
	return ids
}

// Known are the kinds that have stood for somebody since the first policy. A Known does
// not change: Next makes another.
type Known map[string]bool

// Next are the kinds when a policy comes into force after another, nil for none; the
// motion is the one that brought it, nil in an unsigned directory. A kind is forgotten
// only when a motion has it without, and as many members signed as the policy before
// asks for weakening.
func (k Known) Next(set, before *compile.Set, motion *council.Enacted, log *slog.Logger) Known {
	next, homes := maps.Clone(k), Of(set)
	for _, id := range slices.Sorted(maps.Keys(k)) {
		_, known := set.Kinds[id]
		switch {
		case homes[id] || !known:
		case motion != nil && before != nil && len(motion.Ballots) >= before.Charter.Quorums.Weaken:
			delete(next, id)
			log.Warn("the council has voted that sensors of this kind stand for nobody; they are listed singly now",
				"kind", id, "motion", motion.ID)
		default:
			log.Warn("this kind stood for somebody and does not any more; its sensors stay a number", "kind", id,
				"hint", "give it back its unit {sensor: true, ...} in kinds.yaml, or let the council vote with the "+
					"quorum for weakening")
		}
	}
	if next == nil {
		next = make(Known)
	}
	maps.Copy(next, homes)
	return next
}
