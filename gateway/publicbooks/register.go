package publicbooks

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"slices"
	"time"

	"sluice/books"
	"sluice/gateway/activation"
	"sluice/gateway/homes"
	"sluice/gateway/ingest"
	"sluice/plan"
	"sluice/policy/compile"
	"sluice/register"
)

// listing is what the register's book was last made of.
type listing struct {
	reg      *register.Register
	set      *compile.Set
	running  bool
	versions int
	lives    *ingest.Lives
	states   string  // of the decisions
	idle     []idler // decisions that are not in force
	// until is when it may be written again for lives alone.
	until time.Time
}

// listingShare is which part of the time may be spent on writing anew who lives: a
// hundred thousand sensors take a second, and are written once in a minute.
const listingShare = 50

// registerBook is register.json.
type registerBook struct {
	files   *files
	housed  *homes.Record // sensors that stood for homes
	listing listing       // what the book was last made of
}

// write writes register.json where something has changed; the decisions are as they
// stand.
func (b *registerBook) write(ctx context.Context, v *activation.View, stood []books.Decision,
	lives *ingest.Lives) error {
	now := listing{reg: v.Register, set: v.Latest, running: v.Running(), versions: v.Versions, lives: lives,
		states: states(stood)}
	old := b.listing
	same := now.reg == old.reg && now.set == old.set && now.running == old.running && now.versions == old.versions &&
		now.states == old.states &&
		b.files.shelf.Untouched("register.json")
	soon := time.Now().Before(old.until) && ctx.Done() != nil // at the end, ctx cannot be done
	if same && (now.lives == old.lives || soon) {
		return nil
	}
	began := time.Now()
	now.idle = idlers(stood, v.Latest, v.Coming)
	sorts := b.housed.Sorts(now.reg, v.Latest, v.Homes)
	if err := b.housed.Save(); err != nil {
		return err
	}
	if err := b.files.shelf.Write("register.json",
		func(w io.Writer) error { return now.write(ctx, w, sorts) }); err != nil {
		return err
	}
	now.until = time.Now().Add(listingShare * time.Since(began))
	b.listing = now
	return nil
}

// write lists the sensors by id, one a line. Those that stand for homes are a number
// per kind and zone, those of unknown kind a number per zone.
func (l *listing) write(ctx context.Context, w io.Writer, sorts []homes.Shown) error {
	out := bufio.NewWriter(w)
	others := newCrowd()
	sort := make(map[string]homes.Shown, len(sorts))
	order := make([]int, len(sorts))
	for i := range sorts {
		order[i] = i
		sort[l.reg.Sensors[i].ID] = sorts[i]
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(l.reg.Sensors[a].ID, l.reg.Sensors[b].ID) })
	_, _ = out.WriteString(`{"sensors": [`)
	comma := "\n"
	for _, i := range order {
		one, err := l.one(ctx, i, sorts[i], others)
		if err != nil {
			return err
		}
		if one == nil {
			continue
		}
		if before, here := sort[one.Replaces]; here && before != homes.Singly {
			one.Replaces = "" // the name of a home's sensor
		}
		raw, err := json.Marshal(one)
		if err != nil {
			return err
		}
		_, _ = out.WriteString(comma)
		_, _ = out.Write(raw)
		comma = ",\n"
	}
	rest := books.Register{Homes: []books.Homes{}, Unknown: []books.Unknown{}}
	others.write(&rest)
	standing, err := json.Marshal(rest.Homes)
	if err != nil {
		return err
	}
	unknown, err := json.Marshal(rest.Unknown)
	if err != nil {
		return err
	}
	_, _ = out.WriteString("\n], \"homes\": " + string(standing) + ", \"unknown\": " + string(unknown) + "}\n")
	return out.Flush() // and its first error
}

// one is a sensor as it is shown; nil for one that is only counted.
func (l *listing) one(ctx context.Context, i int, how homes.Shown, others crowd) (*books.Sensor, error) {
	s := &l.reg.Sensors[i]
	if how == homes.Unknown {
		others.add(s, l.set, homes.Unknown)
		return nil, nil
	}
	plans, reasons, err := l.set.Plans(ctx, s)
	if err != nil {
		return nil, err
	}
	if how == homes.Home || slices.ContainsFunc(plans, func(p plan.Plan) bool { return p.Stream.Unit.Sensor }) {
		others.add(s, l.set, homes.Home)
		return nil, nil
	}
	b := &books.Sensor{
		ID: s.ID, Owner: s.Owner, Kind: s.Kind, Preset: s.Preset, Zone: s.ZoneOf(l.set.Zones), Lat: s.Lat, Lon: s.Lon,
		Registered: s.Registered.String(), Until: s.Until.String(), Contact: s.Contact, Purpose: s.Purpose,
		Replaces: s.Replaces,
	}
	if !s.Private() {
		// Another may hold a secret or a name, as pointers into a vendor's messages may.
		b.Topic = s.UpTopic()
	}
	flowing, idle := l.split(s, b.Zone, plans, reasons)
	b.Fields = fates(l.set.Kinds[s.Kind], flowing, idle)
	if l.lives != nil && l.lives.Register == l.reg && l.lives.Of[i] != ingest.NotKnown {
		alive := l.lives.Of[i] == ingest.Living
		b.Alive = &alive
	}
	return b, nil
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
func (c crowd) add(s *register.Sensor, set *compile.Set, how homes.Shown) {
	zone := s.ZoneOf(set.Zones)
	if !set.Zones.Has(zone) {
		zone = ""
	}
	if how == homes.Unknown {
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
	slices.SortFunc(reg.Homes, func(a, b books.Homes) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Zone, b.Zone))
	})
	slices.SortFunc(reg.Unknown, func(a, b books.Unknown) int { return cmp.Compare(a.Zone, b.Zone) })
}
