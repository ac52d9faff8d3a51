package diff

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"sluice/policy/bundle"
)

// town is a policy that a test can edit at random.
type town struct {
	minUnits  int
	epsilon   float64
	kinds     map[string]string // the lines under the id
	zones     map[string]square
	decisions []doc
	suspended map[string]bool
}

// square is a zone, in thousandths of a degree.
type square struct{ west, south, east, north int }

// doc is a decision: its keys in order, each as one line of YAML.
type doc map[string]string

const (
	counterKind = `{units: [{field: device, stands_for: device}], fields: [` +
		`{name: device, type: string, class: identifier}, {name: rssi, type: int, class: measurement}, ` +
		`{name: speed, type: float, class: measurement}, {name: sort, type: string, class: measurement}, ` +
		`{name: lat, type: float, class: location}, {name: lon, type: float, class: location}]}`
	openKind = `{units: [{field: device, stands_for: device}], fields: [` +
		`{name: device, type: string, class: measurement}, {name: rssi, type: int, class: measurement}, ` +
		`{name: speed, type: float, class: measurement}, {name: sort, type: string, class: measurement}]}`
	noUnitKind = `{fields: [{name: device, type: string, class: identifier}, ` +
		`{name: rssi, type: int, class: measurement}, {name: speed, type: float, class: measurement}, ` +
		`{name: sort, type: string, class: measurement}]}`
	homeKind = `{units: [{sensor: true, stands_for: home}], ` +
		`fields: [{name: speed, type: float, class: measurement}]}`
	bareKind = `{fields: [{name: speed, type: float, class: measurement}]}`
)

// choices are the values that a key of a decision is drawn from.
var choices = map[string][]string{
	"title": {`{en: A}`, `{en: B}`}, "stream": {"s", "r", "q"}, "purpose": {"p"},
	"applies_to": {`{kinds: [counter], zones: [a]}`, `{kinds: [counter], zones: [a, b]}`,
		`{kinds: [counter], zones: [b]}`, `{kinds: [other], zones: [a]}`, `{kinds: [counter, other], zones: [a]}`,
		`{kinds: [counter], zones: [z]}`},
	"unit": {`{field: device, stands_for: device}`, `{field: device, stands_for: device}`,
		`{none: "about nobody"}`},
	"keep": {"[device, rssi, speed, sort]", "[device, rssi, speed]", "[rssi, speed, sort]",
		"[device, rssi, speed, sort, lat, lon]"},
	"where": {"[]", "[]", `[{field: rssi, op: ">=", value: -85}]`, `[{field: rssi, op: ">=", value: -70}]`,
		`[{field: speed, op: "<", value: 50}]`},
	"generalise": {"[]", "[{field: speed, step: 10}]", "[{field: speed, step: 20}]",
		"[{field: speed, step: 10}, {field: speed, step: 15}]", "[{field: speed, step: 15}, {field: speed, step: 10}]"},
	"place": {"sensor", "sensor", "{lat: lat, lon: lon}"},
	"publish": {publish("PT1H", "PT1M", "", false), publish("PT2H", "PT1M", "", false),
		publish("PT1H", "P1D", "", false), publish("PT1H", "PT1M", ", {field: sort, values: [x]}", false),
		publish("PT1H", "PT1M", ", {field: sort, values: [x, y]}", false), publish("PT1H", "PT1M", "", true)},
	"protect": {protect(10, 0.5, 1), protect(20, 0.5, 1), protect(10, 0.25, 1), protect(10, 1, 1),
		protect(10, 0.5, 2), protect(5, 0.5, 1)},
	"forget_after": {"P1D", "PT12H", "PT6H"}, "from": {"2030-01-01", "2030-02-01"},
	"until": {"2030-06-30", "2030-08-31"},
}

func publish(every, late, by string, more bool) string {
	measures := `{name: n, of: "count()", between: [0, 5]}`
	if more {
		measures += `, {name: m, of: "mean(speed)", between: [0, 100]}`
	}
	return fmt.Sprintf(`{every: %s, lateness: %s, by: [zone%s], measures: [%s]}`, every, late, by, measures)
}

func protect(units int, epsilon float64, contributions int) string {
	return fmt.Sprintf("{min_units: %d, epsilon: %v, delta: 1e-6, max_contributions: %d}", units, epsilon,
		contributions)
}

func newTown(rng *rand.Rand) *town {
	t := &town{minUnits: 10, epsilon: 2, kinds: map[string]string{"counter": counterKind, "home": homeKind},
		suspended: map[string]bool{},
		zones:     map[string]square{"a": {0, 0, 10, 10}, "b": {10, 0, 20, 10}}}
	if rng.IntN(2) == 0 {
		t.kinds["other"] = counterKind
	}
	if rng.IntN(2) == 0 {
		t.zones["Park"] = square{2, 2, 4, 4} // inside a, and before it
	}
	for i := range 1 + rng.IntN(2) {
		d := doc{"decision": fmt.Sprintf("d%d", i+1)}
		d.fill(rng, 4)
		d["stream"] = []string{"s", "r"}[i]
		t.decisions = append(t.decisions, d)
		t.suspended[d["decision"]] = rng.IntN(6) == 0
	}
	return t
}

// fill gives each key its first choice, and one of so many any of them.
func (d doc) fill(rng *rand.Rand, oneOf int) {
	for _, k := range slices.Sorted(maps.Keys(choices)) {
		d[k] = choices[k][0]
		if rng.IntN(oneOf) == 0 {
			d[k] = pick(rng, choices[k])
		}
	}
}

func (t *town) clone() *town {
	out := *t
	out.kinds, out.zones, out.suspended = maps.Clone(t.kinds), maps.Clone(t.zones), maps.Clone(t.suspended)
	out.decisions = nil
	for _, d := range t.decisions {
		out.decisions = append(out.decisions, maps.Clone(d))
	}
	return &out
}

// edit changes one thing.
func (t *town) edit(rng *rand.Rand) string {
	n := -1
	if len(t.decisions) > 0 {
		n = rng.IntN(len(t.decisions))
	}
	switch what := rng.IntN(12); {
	case what < 4 && n >= 0: // a key
		k := pick(rng, slices.Sorted(maps.Keys(choices)))
		t.decisions[n][k] = pick(rng, choices[k])
		return t.decisions[n]["decision"] + " " + k + ": " + t.decisions[n][k]
	case what == 4 && n >= 0: // one goes
		d := t.decisions[n]
		t.decisions = slices.Delete(t.decisions, n, n+1)
		return "without " + d["decision"]
	case what == 5 && n >= 0: // another name, perhaps another stream
		d := t.decisions[n]
		was := d["decision"]
		d["decision"] = fmt.Sprintf("e%d", rng.IntN(1000))
		if rng.IntN(2) == 0 {
			d["stream"] = pick(rng, choices["stream"])
		}
		if rng.IntN(2) == 0 {
			t.suspended[d["decision"]] = t.suspended[was]
		}
		return was + " is now " + d["decision"] + " " + d["stream"]
	case what == 6: // one more
		d := doc{"decision": fmt.Sprintf("f%d", rng.IntN(1000))}
		d.fill(rng, 5)
		t.decisions = append(t.decisions, d)
		return fmt.Sprint("new ", d)
	case what == 7 && n >= 0: // suspended or not
		id := t.decisions[n]["decision"]
		t.suspended[id] = !t.suspended[id]
		return fmt.Sprint(id, " suspended: ", t.suspended[id])
	case what == 8 || what == 9:
		return t.editZones(rng)
	case what == 10:
		return t.editKinds(rng)
	default:
		t.minUnits = pick(rng, []int{5, 10, 20})
		t.epsilon = pick(rng, []float64{1, 2, 4})
		return fmt.Sprint("charter ", t.minUnits, t.epsilon)
	}
}

func (t *town) editZones(rng *rand.Rand) string {
	if len(t.zones) == 0 {
		t.zones["a"] = square{0, 0, 10, 10}
	}
	id := pick(rng, slices.Sorted(maps.Keys(t.zones)))
	area := t.zones[id]
	switch rng.IntN(4) {
	case 0:
		delete(t.zones, id)
		return "without zone " + id
	case 1:
		to := pick(rng, []string{"A-", "z-"}) + id
		delete(t.zones, id)
		t.zones[to] = area
		for _, d := range t.decisions {
			if rng.IntN(2) == 0 {
				d["applies_to"] = strings.ReplaceAll(d["applies_to"], "["+id+"]", "["+to+"]")
			}
		}
		return "zone " + id + " is now " + to
	case 2:
		area.east += 2
		t.zones[id] = area
		return "zone " + id + " grows"
	default:
		to := pick(rng, []string{"Park", "z", "Square"})
		t.zones[to] = pick(rng, []square{{2, 2, 4, 4}, {0, 0, 10, 10}, {30, 30, 40, 40}})
		return fmt.Sprint("zone ", to, t.zones[to])
	}
}

func (t *town) editKinds(rng *rand.Rand) string {
	id := pick(rng, []string{"counter", "other", "home"})
	if rng.IntN(3) == 0 {
		delete(t.kinds, id)
		return "without kind " + id
	}
	t.kinds[id] = pick(rng, []string{counterKind, openKind, noUnitKind, homeKind, bareKind})
	return "kind " + id + " " + t.kinds[id][:20]
}

// policy reads the town as a policy; nil where it is none.
func (t *town) policy() *bundle.Policy {
	files := bundle.Files{"council.yaml": []byte("members: []\n")}
	files["charter.yaml"] = fmt.Appendf(nil, charter, "p", "credential", t.minUnits, t.epsilon, "P1Y", 14, 4, 2)
	var kinds strings.Builder
	kinds.WriteString("kinds:\n")
	for _, id := range slices.Sorted(maps.Keys(t.kinds)) {
		fmt.Fprintf(&kinds, "  %s: %s\n", id, t.kinds[id])
	}
	files["kinds.yaml"] = []byte(kinds.String())
	features := []any{}
	for _, id := range slices.Sorted(maps.Keys(t.zones)) {
		z := t.zones[id]
		at := func(x, y int) []float64 { return []float64{float64(x) / 1000, float64(y) / 1000} }
		features = append(features,
			map[string]any{"type": "Feature", "id": id, "properties": map[string]any{},
				"geometry": map[string]any{"type": "Polygon",
					"coordinates": [][][]float64{{at(z.west, z.south), at(z.east, z.south), at(z.east, z.north),
						at(z.west, z.north), at(z.west, z.south)}}}})
	}
	files["zones.geojson"], _ = json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	suspended := ""
	for _, id := range slices.Sorted(maps.Keys(t.suspended)) {
		if t.suspended[id] {
			suspended += fmt.Sprintf("  - {decision: %s, since: 2030-01-01, reason: a fault}\n", id)
		}
	}
	if suspended != "" {
		files["suspended.yaml"] = []byte("suspended:\n" + suspended)
	}
	for _, d := range t.decisions {
		var b strings.Builder
		for _, k := range slices.Sorted(maps.Keys(d)) {
			if k == "protect" && strings.Contains(d["unit"], "none") {
				continue
			}
			line := d[k]
			if k == "keep" && d["place"] != "sensor" && !strings.Contains(line, "lat") {
				line = strings.Replace(line, "]", ", lat, lon]", 1)
			}
			fmt.Fprintf(&b, "%s: %s\n", k, line)
		}
		files["decisions/"+d["decision"]+".yaml"] = []byte(b.String())
	}
	p, err := bundle.Read(files)
	if err != nil {
		return nil
	}
	return p
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }
