package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/search"
	"sluice/opendata/streets"
	"sluice/opendata/zonemap"
	"sluice/store"
)

// Kinds of what can be found, the first first of equals.
const (
	aStreet = iota
	aZone
	aStream
	aDecision
	aSensor
)

// Bounds of a search.
const (
	mostFound = 30
	// mostTold are the places of which it is said what is measured there.
	mostTold = 3
	// manySensors have no other names than their ids.
	manySensors = 5000
)

// subject is something that can be found.
type subject struct {
	place    *streets.Place
	zone     *zonemap.Zone
	stream   *books.Stream
	decision *books.Decision
	sensor   *books.Sensor
}

// searcher is the index as last made.
type searcher struct {
	mu       sync.Mutex
	key      string // of what it was made from; guarded by mu
	index    *search.Index
	subjects []subject
}

// searchPage is what was found.
type searchPage struct {
	Asked string
	Found []found
	All   int
	// Zones are those of the city, for who has found nothing.
	Zones []zonemap.Zone
}

// found is one thing: one of Place, Zone, Stream, Decision and Sensor.
type found struct {
	Place    string // a street's or square's name
	What     string // a place is, in a word
	Zone     *zonemap.Zone
	Stream   *books.Stream
	Decision *books.Decision
	Sensor   *books.Sensor
	// In are the zones of a place, and There what is measured in them.
	In    []zonemap.Zone
	There []there
}

// there is what is measured in a zone.
type there struct {
	Zone    zonemap.Zone
	Numbers []*lead
	// Silent are streams that have no number of the zone.
	Silent  []query.Stream
	Sensors int
}

func (w *Web) find(r *http.Request, s *i18n.Localizer) (any, error) {
	p := searchPage{Asked: strings.TrimSpace(r.URL.Query().Get("q"))}
	if len(p.Asked) > search.MaxQuery {
		return nil, &query.Invalid{Parameter: "q", Hint: "is longer than 100 bytes"}
	}
	m, err := w.zoneMap(s.Code)
	if err != nil {
		return nil, err
	}
	register, err := w.source.Books.Register()
	if err != nil {
		return nil, err
	}
	all, err := w.zoneMap("") // of every language, as its index is
	if err != nil {
		return nil, err
	}
	index, subjects, err := w.searcher(all, register.Sensors)
	if err != nil {
		return nil, err
	}
	hits, n := index.Find(p.Asked, mostFound)
	p.All, p.Zones = n, m.Zones
	for _, at := range hits {
		x := subjects[at]
		f := found{Zone: m.Called(x.zone), Stream: x.stream, Decision: x.decision, Sensor: x.sensor}
		if x.place != nil {
			f.Place, f.What = x.place.Name(s.Code), what(s, x.place.Kind)
			for _, z := range m.Zones {
				if slices.Contains(x.place.Zones, z.ID) {
					f.In = append(f.In, z)
				}
			}
		}
		p.Found = append(p.Found, f)
	}
	return p, w.tell(r.Context(), s, m, register.Sensors, p.Found)
}

// what is a kind of place in a word.
func what(s *i18n.Localizer, kind streets.Kind) string {
	switch kind {
	case streets.Square:
		return s.Say("square")
	case streets.Water:
		return s.Say("water")
	case streets.Park:
		return s.Say("park")
	}
	return s.Say("street")
}

// tell says of the first places what is measured there.
func (w *Web) tell(
	ctx context.Context, s *i18n.Localizer, m zonemap.Map, sensors []books.Sensor, list []found,
) error {
	told := 0
	seen := make(map[string]bool)
	for i := range list {
		f := &list[i]
		zones := f.In
		if f.Zone != nil {
			zones = []zonemap.Zone{*f.Zone}
		}
		if len(zones) == 0 || told == mostTold {
			continue
		}
		told++
		for _, z := range zones {
			if seen[z.ID] {
				continue
			}
			seen[z.ID] = true
			x, err := w.there(ctx, s, m, z, sensors)
			if err != nil {
				return err
			}
			f.There = append(f.There, x)
		}
	}
	return nil
}

// there is the newest number of each stream and measure in a zone, and how many sensors are in it.
func (w *Web) there(
	ctx context.Context, s *i18n.Localizer, m zonemap.Map, z zonemap.Zone, sensors []books.Sensor,
) (x there, err error) {
	x.Zone = z
	for n := range sensors {
		if sensors[n].Zone == z.ID {
			x.Sensors++
		}
	}
	streams, err := w.source.Streams(ctx)
	if err != nil {
		return x, err
	}
	for _, st := range streams {
		if !slices.ContainsFunc(st.Cells, func(c books.Cell) bool { return c.Zone == z.ID }) {
			continue
		}
		list, err := w.source.Newest(ctx, st)
		if err != nil {
			return x, err
		}
		list = slices.DeleteFunc(slices.Clone(list), func(o store.Observation) bool {
			return o.Zone != z.ID || !published(&o)
		})
		for i := range list {
			x.Numbers = append(x.Numbers, newLead(&list[i], st, m, w.words(s)))
		}
		if len(list) == 0 {
			x.Silent = append(x.Silent, st)
		}
	}
	return x, nil
}

// searcher is the index of all that has a name, made anew when some of it has changed. No
// home is in it: none is in the books singly.
func (w *Web) searcher(m zonemap.Map, sensors []books.Sensor) (*search.Index, []subject, error) {
	streams, err := w.source.Books.Streams()
	if err != nil {
		return nil, nil, err
	}
	decisions, err := w.source.Books.Decisions()
	if err != nil {
		return nil, nil, err
	}
	_, places := w.under(m, false)
	var key strings.Builder
	fmt.Fprint(&key, len(places), len(sensors), m.Height)
	if len(places) > 0 {
		fmt.Fprintf(&key, " %p", &places[0])
	}
	if len(m.Zones) > 0 {
		fmt.Fprintf(&key, " %p", &m.Zones[0])
	}
	if len(sensors) > 0 {
		fmt.Fprintf(&key, " %p", &sensors[0])
	}
	for i := range streams {
		fmt.Fprint(&key, streams[i].ID, streams[i].Title, streams[i].Measures)
	}
	for i := range decisions {
		fmt.Fprint(&key, decisions[i].ID, decisions[i].Title)
	}
	k := &w.search
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key == key.String() {
		return k.index, k.subjects, nil
	}
	entries, subjects := indexed(m, places, sensors, streams, decisions)
	k.key, k.index, k.subjects = key.String(), search.New(entries), subjects
	return k.index, k.subjects, nil
}

// indexed are all things with their names.
func indexed(
	m zonemap.Map, places []streets.Place, sensors []books.Sensor, streams []books.Stream, decisions []books.Decision,
) (entries []search.Entry, subjects []subject) {
	add := func(kind int, x subject, names ...string) {
		entries, subjects = append(entries, search.Entry{Kind: kind, Names: names}), append(subjects, x)
	}
	for i := range places {
		add(aStreet, subject{place: &places[i]}, texts(places[i].Names)...)
	}
	for i := range m.Zones {
		add(aZone, subject{zone: &m.Zones[i]}, append(m.Zones[i].Names(), m.Zones[i].ID)...)
	}
	for i := range streams {
		x := &streams[i]
		names := append(texts(x.Title), x.ID)
		for _, one := range x.Measures {
			names = append(append(names, texts(one.Names)...), one.Name)
		}
		if !slices.ContainsFunc(streams[:i], func(b books.Stream) bool { return b.ID == x.ID }) {
			add(aStream, subject{stream: x}, names...)
		}
	}
	for i := range decisions {
		add(aDecision, subject{decision: &decisions[i]}, append(texts(decisions[i].Title), decisions[i].ID)...)
	}
	for i := range sensors {
		names := []string{sensors[i].ID}
		if len(sensors) <= manySensors {
			names = append(names, texts(sensors[i].Purpose)...)
		}
		add(aSensor, subject{sensor: &sensors[i]}, names...)
	}
	return entries, subjects
}

// texts are those of all languages.
func texts(by map[string]string) (out []string) {
	for _, text := range by {
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}
