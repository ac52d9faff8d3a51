package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"sluice/internal/locales"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/register"
)

// zones: of zones that share points the first by id has them. So a zone that goes,
// or gets another id, gives its points to those behind it, and one that comes takes
// points away.
func (c *comparison) zones() {
	old, new := c.old.Zones, c.new.Zones
	for _, id := range new.IDs() {
		x := Change{About: "zones.geojson", Key: "zone " + word(id), New: c.showZone(new, id)}
		if !old.Has(id) {
			if c.named(id) {
				x.Mark = Weaker
			}
			c.add(x)
			continue
		}
		x.Old = c.showZone(old, id)
		if x.Old == x.New {
			continue
		}
		if !new.SameArea(id, old) || old.Gateway(id) != new.Gateway(id) {
			x.Mark = Weaker
		}
		c.add(x)
	}
	for _, id := range old.IDs() {
		if !new.Has(id) {
			c.add(Change{About: "zones.geojson", Key: "zone " + word(id), Mark: Stronger, Ends: c.named(id),
				Old: c.showZone(old, id)})
		}
	}
	c.layers()
	if a, b := fileDigest(old), fileDigest(new); a != b {
		c.add(Change{About: "zones.geojson", Key: "file", Old: text(a), New: text(b)})
	}
}

// layers looks at zones that stay and that a decision names: whether points that
// another zone had before them can be theirs now, or theirs another's.
func (c *comparison) layers() {
	for _, id := range c.old.Zones.IDs() {
		if !c.new.Zones.Has(id) || !c.named(id) {
			continue
		}
		was, is := before(c.old.Zones, id), before(c.new.Zones, id)
		if gone := missing(was, is); len(gone) > 0 {
			c.add(Change{About: "zones.geojson", Key: "uncovered " + word(id), Mark: Weaker, New: text(words(gone))})
		}
		if come := missing(is, was); len(come) > 0 {
			c.add(Change{About: "zones.geojson", Key: "covered " + word(id), Mark: Stronger, Ends: true,
				New: text(words(come))})
		}
	}
}

// before are the zones that have a zone's points before it has them, by the digest
// of their area: their ids do not matter.
func before(z *register.Zones, id string) map[string]string {
	out := make(map[string]string)
	for _, x := range z.IDs() {
		if x < id && overlap(z, x, z, id) {
			out[z.Shape(x).Digest] = x
		}
	}
	return out
}

// missing are the ids of areas that other has not.
func missing(list, other map[string]string) []string {
	var out []string
	for area, id := range list {
		if _, ok := other[area]; !ok {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// named reports whether a decision in force names the zone.
func (c *comparison) named(zone string) bool {
	return slices.ContainsFunc(c.old.Decisions, func(d bundle.Decision) bool {
		return slices.Contains(d.AppliesTo.Zones, zone)
	})
}

// showZone says what a zone is called, whose it is, and where: its extent, and a
// digest of its corners, so that another shape is another text.
// zonesSince is the first format of motions that say what zones are called in each language.
const zonesSince = 7

func (c *comparison) showZone(z *register.Zones, id string) (out locales.Texts) {
	s := z.Shape(id)
	gateway := ""
	if g := z.Gateway(id); g != "" {
		gateway = "gateway " + word(g) + ", "
	}
	titles := ""
	if by := z.Names(id); len(by) > 0 && (c.before.Format == 0 || c.before.Format >= zonesSince) {
		titles = " (" + showTitles(by) + ")"
	}
	for l := range out {
		out[l] = fmt.Sprintf("%s%s, %s%s, %s - %s, %s, %d %s %s", quote(z.Name(id)), titles, gateway,
			plan.Plain(s.South), plan.Plain(s.West), plan.Plain(s.North), plan.Plain(s.East), s.Corners,
			say(explain.Lang(l), "corners"), s.Digest)
	}
	return out
}

// fileDigest is of all that zones.geojson holds: it is public as it is.
func fileDigest(z *register.Zones) string {
	sum := sha256.Sum256(z.GeoJSON())
	return "sha256:" + hex.EncodeToString(sum[:])
}
