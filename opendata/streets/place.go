package streets

import (
	"cmp"
	"slices"

	"sluice/opendata/zonemap"
)

// Place is what has a name on the ground, and the zones in which it lies: all streets, or
// other features of one kind, of one name that share a zone or lie in none.
type Place struct {
	Kind  Kind
	Names map[string]string // by language; "" for that of the place itself
	Zones []string          // ids, as the map has them
}

// Name is the place's in a language, else its own.
func (p *Place) Name(lang string) string {
	return cmp.Or(p.Names[lang], p.Names[""], p.Names["ca"], p.Names["es"], p.Names["en"])
}

// Places lists what has a name and is on the map, by name.
func (g *Ground) Places(m zonemap.Map) []Place {
	if g == nil || m.Height == 0 {
		return nil
	}
	type key struct {
		kind Kind
		name string
	}
	at := make(map[key]int)
	var out []Place
	for i := range g.features {
		f := &g.features[i]
		if len(f.names) == 0 || f.kind == Building {
			continue
		}
		p, some := f.on(m)
		if !some {
			continue
		}
		one := Place{Kind: f.kind, Names: f.names}
		k := key{f.kind, one.Name("")}
		n, known := at[k]
		if !known {
			n, at[k] = len(out), len(out)
			out = append(out, one)
		}
		for _, z := range p.zones(m) {
			if !slices.Contains(out[n].Zones, z) {
				out[n].Zones = append(out[n].Zones, z)
			}
		}
	}
	slices.SortFunc(out, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Name(""), b.Name("")), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// between are the units between two looks along a line.
const between = 6.0

// zones are those through which a piece goes.
func (p *piece) zones(m zonemap.Map) (out []string) {
	for _, l := range p.lines {
		few := thin(l, 1)
		for i := 1; i < len(few); i++ {
			a, b := few[i-1], few[i]
			n := 1 + int(max(abs(b.X()-a.X()), abs(b.Y()-a.Y()))/between)
			for k := range n {
				t := (float64(k) + 0.5) / float64(n)
				x, y := a.X()+t*(b.X()-a.X()), a.Y()+t*(b.Y()-a.Y())
				for z := range m.Zones {
					if id := m.Zones[z].ID; !slices.Contains(out, id) && m.Zones[z].Has(x, y) {
						out = append(out, id)
					}
				}
			}
		}
	}
	return out
}

func abs(v float64) float64 { return max(v, -v) }
