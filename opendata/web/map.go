package web

import (
	"bytes"
	"cmp"
	"sync"

	"sluice/opendata/i18n"
	"sluice/opendata/streets"
	"sluice/opendata/zonemap"
)

// mapCache is the map as last drawn.
type mapCache struct {
	mu  sync.Mutex
	raw []byte                 // the zones; guarded by mu
	m   map[string]zonemap.Map // by language, empty for none; guarded by mu
}

// ground is what is under the zones.
type ground struct {
	now    func() *streets.Ground // nil for nothing
	credit string

	mu     sync.Mutex
	of     *streets.Ground // as last drawn; guarded by mu
	height float64         // of the map that it was drawn on; guarded by mu
	zones  *zonemap.Zone   // the first of them; guarded by mu
	paths  [2][]streets.Path
	places []streets.Place
}

// Most bytes of the ground on a small and on a large map, before they are compressed.
const (
	smallGround = 40_000
	largeGround = 110_000
)

// On sets what is under the zones: what now returns, and who is to be named for it.
func (w *Web) On(now func() *streets.Ground, credit string) {
	w.ground.now, w.ground.credit = now, credit
}

// under is what is drawn under the zones of a map, and the places that have a name there.
func (w *Web) under(m zonemap.Map, large bool) ([]streets.Path, []streets.Place) {
	k := &w.ground
	if k.now == nil || len(m.Zones) == 0 {
		return nil, nil
	}
	if any, err := w.zoneMap(""); err == nil && len(any.Zones) > 0 {
		m = any // it is drawn once for all languages
	}
	g := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if g != k.of || m.Height != k.height || &m.Zones[0] != k.zones {
		k.of, k.height, k.zones = g, m.Height, &m.Zones[0]
		k.paths = [2][]streets.Path{g.Draw(m, smallGround), g.Draw(m, largeGround)}
		k.places = g.Places(m)
	}
	if large {
		return k.paths[1], k.places
	}
	return k.paths[0], k.places
}

// zoneMap returns the map of the zones as a language calls them, or as their file does for none;
// redrawn when they change; empty while there are none.
func (w *Web) zoneMap(lang string) (zonemap.Map, error) {
	raw, err := w.source.Zones()
	if err != nil || raw == nil {
		return zonemap.Map{}, err
	}
	w.zones.mu.Lock()
	defer w.zones.mu.Unlock()
	if !bytes.Equal(raw, w.zones.raw) {
		m, err := zonemap.Draw(raw)
		if err != nil {
			return m, err
		}
		w.zones.raw, w.zones.m = raw, map[string]zonemap.Map{"": m}
	}
	if _, known := w.zones.m[lang]; !known {
		w.zones.m[lang] = w.zones.m[""].In(lang)
	}
	return w.zones.m[lang], nil
}

// Zone returns the name of a zone in a language, or its plain one where the language is empty,
// and whether there is one with the id.
func (w *Web) Zone(id, lang string) (name string, known bool) {
	m, err := w.zoneMap(lang)
	if err != nil {
		return "", false
	}
	for _, z := range m.Zones {
		if z.ID == id {
			return z.Name, true
		}
	}
	return "", false
}

// zone is the name of a zone; its id where the map does not have it.
func (w *Web) zone(s *i18n.Localizer, id string) (string, error) {
	m, err := w.zoneMap(s.Code)
	if err != nil {
		return "", err
	}
	return zoneName(m, id), nil
}

func zoneName(m zonemap.Map, id string) string {
	for _, z := range m.Zones {
		if z.ID == id {
			return z.Name
		}
	}
	return cmp.Or(id, "–")
}
