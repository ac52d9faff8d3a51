package web

import (
	"net/http"
	"slices"
	"strings"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/zonemap"
)

// sensorsAtOnce are on one page: a city has a hundred thousand.
const sensorsAtOnce = 500

// sensorList is a page of sensors, and how many are not shown singly.
type sensorList struct {
	books.Register
	// First and Later are paths, empty where there is nothing before or behind.
	First, Later string
	// Only is what was asked for, of All sensors; Zones and Kinds what can be.
	Only         only
	All          int
	Zones, Kinds []string
	Map          *sensorMap
}

// only is what was asked for.
type only struct {
	Zone, Kind string
	Silent     bool
}

// some reports whether anything was asked for.
func (o only) some() bool { return o != only{} }

// has reports whether a sensor is what was asked for.
func (o only) has(s *books.Sensor) bool {
	return (o.Zone == "" || s.Zone == o.Zone) && (o.Kind == "" || s.Kind == o.Kind) &&
		(!o.Silent || s.Alive != nil && !*s.Alive)
}

// sensorMap is where sensors are: as points, or, where only the zone is known, in the zone's
// number.
type sensorMap struct {
	zonemap.Map
	Rows []sensorZone
	backdrop
}

// sensorZone is a zone and how many sensors are in it.
type sensorZone struct {
	zonemap.Zone
	Number int
	Label  []string
}

func (w *Web) sensors(r *http.Request, s *i18n.Localizer) (any, error) {
	reg, err := w.source.Books.Register()
	if err != nil {
		return nil, err
	}
	p := sensorList{Register: reg, All: len(reg.Sensors)}
	for i := range reg.Sensors {
		p.Zones, p.Kinds = append(p.Zones, reg.Sensors[i].Zone), append(p.Kinds, reg.Sensors[i].Kind)
	}
	for _, list := range []*[]string{&p.Zones, &p.Kinds} {
		slices.Sort(*list)
		*list = slices.DeleteFunc(slices.Compact(*list), func(id string) bool { return id == "" })
	}
	if err := p.ask(w, r); err != nil {
		return nil, err
	}
	if p.Only.some() {
		p.Sensors = slices.DeleteFunc(slices.Clone(reg.Sensors), func(x books.Sensor) bool { return !p.Only.has(&x) })
	}
	if p.Map, err = w.sensorMap(s, p.Sensors); err != nil {
		return nil, err
	}
	if after := r.URL.Query().Get("after"); after != "" {
		at, _ := slices.BinarySearchFunc(p.Sensors, after, func(s books.Sensor, id string) int {
			return strings.Compare(s.ID, id+"\x00")
		})
		p.Sensors, p.First = p.Sensors[at:], p.path("")
	}
	if len(p.Sensors) > sensorsAtOnce {
		p.Sensors = p.Sensors[:sensorsAtOnce]
		p.Later = p.path(p.Sensors[sensorsAtOnce-1].ID)
	}
	return p, nil
}

// ask reads what was asked for.
func (p *sensorList) ask(w *Web, r *http.Request) error {
	q := r.URL.Query()
	p.Only = only{q.Get("zone"), q.Get("kind"), q.Get("silent") == "1"}
	if zone := p.Only.Zone; zone != "" && !slices.Contains(p.Zones, zone) {
		if _, known := w.Zone(zone, ""); !known {
			return &query.Invalid{Parameter: "zone", Hint: "names no zone"}
		}
		p.Zones = append(p.Zones, zone) // a zone without sensors is one all the same
	}
	if kind := p.Only.Kind; kind != "" && !slices.Contains(p.Kinds, kind) {
		return &query.Invalid{Parameter: "kind", Hint: "names no kind of sensors"}
	}
	return nil
}

// path is that of the same list behind a sensor.
func (p *sensorList) path(after string) string {
	silent := ""
	if p.Only.Silent {
		silent = "1"
	}
	return link("/sensors", "zone", p.Only.Zone, "kind", p.Only.Kind, "silent", silent, "after", after)
}

// sensorMap draws where sensors are; nil where there is no map.
func (w *Web) sensorMap(s *i18n.Localizer, list []books.Sensor) (*sensorMap, error) {
	zoneMap, err := w.zoneMap(s.Code)
	if err != nil || zoneMap.Height == 0 {
		return nil, err
	}
	m := &sensorMap{Map: zoneMap, backdrop: w.beneath(s, zoneMap, false)}
	m.Points = points(zoneMap, list)
	in := make(map[string]int)
	for i := range list {
		in[list[i].Zone]++
	}
	for _, z := range zoneMap.Zones {
		m.Rows = append(m.Rows, sensorZone{z, in[z.ID], label(z.Name, z.Room)})
	}
	return m, nil
}
