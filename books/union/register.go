package union

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"sluice/books"
)

// register is what was made of all registers last, and of which.
type register struct {
	of  []*snapshot
	all books.Register
}

// Register is each sensor once, by id: as the gateway says that has its zone, else the one
// that hears it. Homes are never added up over gateways, since each may have the register
// of the whole city: a zone's are as its gateway counts them.
func (b *Books) Register() (books.Register, error) {
	list, err := b.known()
	if err != nil {
		return books.Register{}, err
	}
	of := make([]*snapshot, len(list))
	for n := range list {
		of[n] = list[n].snapshot
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.EqualFunc(of, b.merged.of, sameRegister) {
		b.merged.all = joined(list)
	}
	b.merged.of = of
	return b.merged.all, nil
}

// sameRegister reports whether a gateway's register is the one that was parsed before.
func sameRegister(a, b *snapshot) bool {
	if a == b {
		return true
	}
	x, y := a.register.Sensors, b.register.Sensors
	return len(x) > 0 && len(x) == len(y) && &x[0] == &y[0] && string(a.zones) == string(b.zones)
}

// joined makes one register of all.
func joined(list []used) books.Register {
	zones := owners(list)
	type entry struct {
		books.Sensor
		of string
	}
	sensors := make(map[string]entry)
	homes, unknown := make(map[books.Homes]int), make(map[books.Unknown]int)
	counted := make(map[string]string) // whose count of homes holds, by zone
	for n := range list {
		name := list[n].name()
		for _, s := range list[n].register.Sensors {
			old, there := sensors[s.ID]
			if !there || better(&s, name, &old.Sensor, old.of, zones[s.Zone]) {
				sensors[s.ID] = entry{s, name}
			}
		}
		for _, h := range list[n].register.Homes {
			key := books.Homes{Kind: h.Kind, Zone: h.Zone}
			homes[key] = count(homes[key], h.Number, name, zones[h.Zone], counted, "h "+h.Kind+" "+h.Zone)
		}
		for _, x := range list[n].register.Unknown {
			key := books.Unknown{Zone: x.Zone}
			unknown[key] = count(unknown[key], x.Number, name, zones[x.Zone], counted, "u "+x.Zone)
		}
	}
	reg := books.Register{Sensors: []books.Sensor{}, Homes: []books.Homes{}, Unknown: []books.Unknown{}}
	for _, id := range slices.Sorted(maps.Keys(sensors)) {
		reg.Sensors = append(reg.Sensors, sensors[id].Sensor)
	}
	for h, number := range homes {
		h.Number = number
		reg.Homes = append(reg.Homes, h)
	}
	for x, number := range unknown {
		x.Number = number
		reg.Unknown = append(reg.Unknown, x)
	}
	slices.SortFunc(reg.Homes, func(a, b books.Homes) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Zone, b.Zone))
	})
	slices.SortFunc(reg.Unknown, func(a, b books.Unknown) int { return cmp.Compare(a.Zone, b.Zone) })
	return reg
}

// better reports whether what a gateway says of a sensor is better than what another does.
func better(s *books.Sensor, of string, old *books.Sensor, oldOf, owner string) bool {
	if owner != "" && (of == owner || oldOf == owner) {
		return of == owner && oldOf != owner
	}
	return heard(s) > heard(old)
}

// heard is how much a gateway has to do with a sensor: it hears it, or uses what it sends.
func heard(s *books.Sensor) int {
	n := 0
	if s.Alive != nil && *s.Alive {
		n = 2
	}
	if slices.ContainsFunc(s.Fields, func(f books.Field) bool { return f.Fate != "dropped" }) {
		n++
	}
	return n
}

// count is a number of homes after another gateway's: its zone's gateway knows, and where
// no gateway has the zone, the larger number holds.
func count(old, number int, of, owner string, counted map[string]string, key string) int {
	switch {
	case owner != "" && counted[key] == owner:
		return old
	case owner != "" && of == owner:
		counted[key] = of
		return number
	}
	return max(old, number)
}

// owners are the gateways that have zones, by zone.
func owners(list []used) map[string]string {
	out := make(map[string]string)
	for _, u := range list {
		var doc struct {
			Features []books.Zone `json:"features"`
		}
		if json.Unmarshal(u.zones, &doc) != nil {
			continue
		}
		for _, z := range doc.Features {
			if _, known := out[z.Name()]; !known {
				out[z.Name()] = z.Properties.Gateway
			}
		}
	}
	return out
}
