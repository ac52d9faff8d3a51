package union

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"sluice/books"
)

// errAway says that none of the books can be read.
var errAway = errors.New("none of the gateways' books can be read")

// known are the parts that can be used, of which there must be one.
func (b *Books) known() ([]used, error) {
	list, problems := b.use()
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: %s", errAway, strings.Join(problems, "; "))
	}
	return list, nil
}

// City is whose books these are. It is a simulation where any gateway's is one, and silent
// where all are.
func (b *Books) City() (books.City, error) {
	list, err := b.known()
	if err != nil {
		return books.City{}, err
	}
	city := list[0].city
	for _, u := range list {
		if city.ID == "" {
			city = u.city
		}
	}
	for _, u := range list {
		city.Simulation = city.Simulation || u.city.Simulation
		city.Responsible = cmp.Or(city.Responsible, u.city.Responsible)
		city.DPO, city.Authority = cmp.Or(city.DPO, u.city.DPO), cmp.Or(city.Authority, u.city.Authority)
		city.Names = city.Names.With(u.city.Names)
		if u.city.Silence == "" && len(u.streams) > 0 {
			city.Silence = ""
		}
	}
	city.Gateway = ""
	return city, nil
}

// Streams are all series, by id and decision, each with the cells of all gateways, as
// those say that run it.
func (b *Books) Streams() ([]books.Stream, error) {
	list, err := b.known()
	if err != nil {
		return nil, err
	}
	all, out := []books.Stream{}, []books.Stream{}
	for _, u := range list {
		all = append(all, u.streams...)
	}
	slices.SortStableFunc(all, func(a, b books.Stream) int { return cmp.Compare(stopped(a), stopped(b)) })
	for _, s := range all {
		at := slices.IndexFunc(out, func(x books.Stream) bool { return x.ID == s.ID && x.Decision == s.Decision })
		if at < 0 {
			s.Cells, s.Measures = slices.Clone(s.Cells), slices.Clone(s.Measures)
			out = append(out, s)
			continue
		}
		join(&out[at], s)
	}
	slices.SortStableFunc(out, func(a, b books.Stream) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Decision, b.Decision))
	})
	for _, s := range out {
		slices.SortFunc(s.Cells, func(a, b books.Cell) int {
			return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Category, b.Category))
		})
	}
	return out, nil
}

func stopped(s books.Stream) int {
	if s.Stopped {
		return 1
	}
	return 0
}

// join adds what another gateway has of a series.
func join(into *books.Stream, s books.Stream) {
	for _, c := range s.Cells {
		if !slices.Contains(into.Cells, c) {
			into.Cells = append(into.Cells, c)
		}
	}
	for _, m := range s.Measures {
		if !slices.ContainsFunc(into.Measures, func(x books.Measure) bool { return x.Name == m.Name }) {
			into.Measures = append(into.Measures, m)
		}
	}
	into.Simulation = into.Simulation || s.Simulation
}

// Cells are those of a series that each of the books has, by their place in the list; nil
// where they have none of it, or do not run it any more while others do. Whole is false
// where some have not been read yet.
func (b *Books) Cells(stream string) (out [][]books.Cell, whole bool) {
	list, _ := b.use()
	out, whole = make([][]books.Cell, len(b.parts)), true
	for _, p := range b.parts {
		s, _ := p.now()
		whole = whole && s != nil
	}
	is := func(s books.Stream) bool { return s.ID == stream && !s.Stopped }
	if !slices.ContainsFunc(list, func(u used) bool { return slices.ContainsFunc(u.streams, is) }) {
		is = func(s books.Stream) bool { return s.ID == stream }
	}
	for _, u := range list {
		for _, s := range u.streams {
			if is(s) {
				out[u.n] = append(out[u.n], s.Cells...)
			}
		}
	}
	return out, whole
}

// Decisions is each decision once, by id: of the gateway that has its latest words, and of
// several of one that it has not ended at.
func (b *Books) Decisions() ([]books.Decision, error) {
	list, err := b.known()
	if err != nil {
		return nil, err
	}
	at, out := make(map[string]int), []books.Decision{}
	for _, u := range list {
		for _, d := range u.decisions {
			n, there := at[d.ID]
			switch {
			case !there:
				at[d.ID] = len(out)
				out = append(out, d)
			case d.Version > out[n].Version, d.Version == out[n].Version && out[n].State == books.Past &&
				d.State != books.Past:
				d.Problems = with(d.Problems, out[n].Problems)
				out[n] = d
			default:
				out[n].Problems = with(out[n].Problems, d.Problems)
				if out[n].Next == nil && d.Version == out[n].Version {
					out[n].Next = d.Next
				}
			}
		}
	}
	if len(list) > 1 {
		slices.SortStableFunc(out, func(a, b books.Decision) int { return cmp.Compare(a.ID, b.ID) })
	}
	return out, nil
}

func with(list, more []string) []string {
	for _, x := range more {
		if !slices.Contains(list, x) {
			list = append(slices.Clone(list), x)
		}
	}
	return list
}

// Get returns a file of the books. What gateways say together is made of all; of others
// the first that has it gives it.
func (b *Books) Get(name string) ([]byte, error) {
	var v any
	var err error
	switch name {
	case "city.json":
		v, err = b.City()
	case "streams.json":
		v, err = b.Streams()
	case "decisions.json":
		v, err = b.Decisions()
	case "register.json":
		v, err = b.Register()
	case "zones.geojson":
		return b.zones()
	default:
		if strings.HasSuffix(name, ".jsonl") {
			return b.lines(name)
		}
		return b.first(name)
	}
	if err != nil {
		return nil, err
	}
	return books.JSON(v)
}

// first is a file of the first gateway that has it; those that are away are asked last. A
// file of a decision comes from a gateway that has the decision's latest words, which
// Decisions shows: during a roll-out another one has other votes and another bundle.
func (b *Books) first(name string) ([]byte, error) {
	list, err := b.known()
	if err != nil {
		return nil, err
	}
	if rest, ok := strings.CutPrefix(name, "decisions/"); ok {
		id, _, _ := strings.Cut(rest, "/")
		list = latest(list, id)
	}
	slices.SortStableFunc(list, func(x, y used) int { return cmp.Compare(x.part.isAway(), y.part.isAway()) })
	for _, u := range list {
		raw, err := u.part.Source.Get(name)
		if err == nil || u.part.isAway() == 0 && !errors.Is(err, fs.ErrNotExist) {
			return raw, err
		}
	}
	return nil, fs.ErrNotExist
}

// latest are the gateways that have the latest words of a decision; all where none has any.
func latest(list []used, id string) []used {
	version := func(u used) int {
		for _, d := range u.decisions {
			if d.ID == id {
				return d.Version
			}
		}
		return -1
	}
	newest := -1
	for _, u := range list {
		newest = max(newest, version(u))
	}
	return slices.DeleteFunc(list, func(u used) bool { return version(u) < newest })
}

func (p *part) isAway() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away != nil {
		return 1
	}
	return 0
}

// lines are the whole lines of all gateways' growing books of a name.
func (b *Books) lines(name string) ([]byte, error) {
	list, err := b.known()
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, u := range list {
		raw, err := u.part.Source.Get(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		out = append(out, raw[:bytes.LastIndexByte(raw, '\n')+1]...)
	}
	return out, nil
}

// zones are those of the first gateway that has any, and such of the others that it has
// not: they may have another version of the policy.
func (b *Books) zones() ([]byte, error) {
	list, err := b.known()
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	var features []json.RawMessage
	seen, first, more := make(map[string]bool), []byte(nil), false
	for _, u := range list {
		if u.zones == nil {
			continue
		}
		var doc map[string]json.RawMessage
		var own []json.RawMessage
		if err := json.Unmarshal(u.zones, &doc); err != nil {
			return nil, fmt.Errorf("zones.geojson: %w", err)
		}
		if err := json.Unmarshal(doc["features"], &own); err != nil {
			return nil, fmt.Errorf("zones.geojson: %w", err)
		}
		for _, f := range own {
			if id := zoneID(f); !seen[id] {
				seen[id], features, more = true, append(features, f), more || first != nil
			}
		}
		if first == nil {
			all, first = doc, u.zones
		}
	}
	if first == nil {
		return nil, fs.ErrNotExist
	}
	if !more {
		return first, nil
	}
	raw, err := json.Marshal(features)
	if err != nil {
		return nil, err
	}
	all["features"] = raw
	return json.Marshal(all)
}

// zonesOf are a gateway's zones, looked at: those of all are one file, which a gateway
// whose file cannot be read must not take from the others.
func zonesOf(r books.Reader) ([]byte, error) {
	raw, err := r.Zones()
	if err != nil {
		return nil, err
	}
	var doc struct {
		Features []struct {
			Type       string         `json:"type"`
			Properties map[string]any `json:"properties"`
		} `json:"features"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("zones.geojson: %w", err)
	}
	if doc.Features == nil {
		return nil, errors.New("zones.geojson: it has no features")
	}
	return raw, nil
}

func zoneID(raw json.RawMessage) string {
	var z books.Zone
	_ = json.Unmarshal(raw, &z) // what has no name is there once
	return z.Name()
}
