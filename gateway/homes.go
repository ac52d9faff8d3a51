package gateway

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/books"
	"sluice/policy/compile"
	"sluice/register"
)

// Whether a sensor is shown singly, with place and contact, hangs on three files
// that people edit. A missing word, a misspelt kind or a kind that is gone must not
// show a home: a sensor is listed only where the policy knows its kind, and where
// its kind has never stood for somebody, or was voted out of that.

// homesOf are the kinds whose sensors stand for somebody, by kinds.yaml or as the
// unit of any decision, also one that is past, suspended or not run.
func homesOf(set *compile.Set) map[string]bool {
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

// mindHomes adds a set's homes to those known when it comes into force. A kind is
// forgotten only when a motion has it without, and as many members signed as the
// policy before asks for weakening. The caller holds mu.
func (g *Gateway) mindHomes(set *compile.Set) {
	homes := homesOf(set)
	for _, id := range slices.Sorted(maps.Keys(g.homes)) {
		_, known := set.Kinds[id]
		switch {
		case homes[id] || !known:
		case g.enacted != nil && g.latest != nil && len(g.enacted.Ballots) >= g.latest.Charter.Quorums.Weaken:
			delete(g.homes, id)
			g.log.Warn("the council has voted that sensors of this kind stand for nobody; they are listed singly now", "kind", id, "motion", g.enacted.ID)
		default:
			g.log.Warn("this kind stood for somebody and does not any more; its sensors stay a number", "kind", id, "hint", "give it back its unit {sensor: true, ...} in kinds.yaml, or let the council vote with the quorum for weakening")
		}
	}
	maps.Copy(g.homes, homes)
}

// shown is how a sensor is shown: singly, as one of homes, or as one of unknown kind.
type shown int

const (
	unknown shown = iota
	homely
	singly
)

// sorts are how each sensor of the register is shown, in its order, under the policy
// that was in force last; nothing is shown singly before there is one. It is
// keepBooks' own.
func (g *Gateway) sorts(reg *register.Register, set *compile.Set) []shown {
	g.mu.Lock()
	homes := homesOf(set)
	maps.Copy(homes, g.homes)
	g.mu.Unlock()
	out := make([]shown, len(reg.Sensors))
	for i := range reg.Sensors {
		s := &reg.Sensors[i]
		switch _, known := set.Kinds[s.Kind]; {
		case !known:
			out[i] = unknown
		case homes[s.Kind]:
			out[i] = homely
			g.housed.mind(s)
		case g.housed.other(s, homes):
			out[i] = unknown
		default:
			out[i] = singly
		}
	}
	return out
}

// strangers are the sensors whose kind a policy does not know.
func strangers(reg *register.Register, set *compile.Set) (ids []string) {
	for i := range reg.Sensors {
		if _, known := set.Kinds[reg.Sensors[i].Kind]; !known {
			ids = append(ids, reg.Sensors[i].ID)
		}
	}
	return ids
}

// crowd counts the sensors that are not shown singly.
type crowd struct {
	homes   map[books.Homes]int
	unknown map[books.Unknown]int
}

func newCrowd() crowd {
	return crowd{make(map[books.Homes]int), make(map[books.Unknown]int)}
}

// add counts one; a zone that the policy does not have is nobody's business.
func (c crowd) add(s *register.Sensor, set *compile.Set, how shown) {
	zone := s.ZoneOf(set.Zones)
	if !set.Zones.Has(zone) {
		zone = ""
	}
	if how == unknown {
		c.unknown[books.Unknown{Zone: zone}]++
	} else {
		c.homes[books.Homes{Kind: s.Kind, Zone: zone}]++
	}
}

// write puts the numbers into the register's book, in one order.
func (c crowd) write(reg *books.Register) {
	for h, n := range c.homes {
		h.Number = n
		reg.Homes = append(reg.Homes, h)
	}
	for u, n := range c.unknown {
		u.Number = n
		reg.Unknown = append(reg.Unknown, u)
	}
	slices.SortFunc(reg.Homes, func(a, b books.Homes) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Zone, b.Zone)) })
	slices.SortFunc(reg.Unknown, func(a, b books.Unknown) int { return cmp.Compare(a.Zone, b.Zone) })
}

// strangers names the sensors whose kind the policy does not know: here only, since
// one of them may be somebody's home.
func (d *doctor) strangers(set *compile.Set) {
	if d.reg == nil {
		return
	}
	if ids := strangers(d.reg, set); len(ids) > 0 {
		d.say("kinds", Warn, fmt.Sprintf("%d sensors are of a kind that the policy does not know: %s", len(ids), firstOf(ids)), "mend kind in the register, or add the kind to kinds.yaml; until then they are counted, not listed, and nothing of them is kept")
	}
	h, err := readHoused(d.cfg.Dir)
	if err != nil {
		d.say("homes", Fail, err.Error(), "see docs/operations.md")
		return
	}
	if ids := h.moved(d.reg); len(ids) > 0 {
		d.say("homes", Warn, fmt.Sprintf("%d sensors stood for homes and have another kind now: %s", len(ids), firstOf(ids)), "mend kind in the register; or, if the device is put to another use, give it a new id. Until then they are counted, not listed")
	}
}

// firstOf are the first twenty of names.
func firstOf(ids []string) string {
	names := strings.Join(ids[:min(len(ids), 20)], ", ")
	if len(ids) > 20 {
		names += ", ..."
	}
	return names
}
