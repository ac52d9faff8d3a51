package council_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/diff"
)

var edits = flag.Int("edits", 300, "how many edits TestEverythingIsSaid tries")

// TestEverythingIsSaid edits the example policy, made richer so that every key has
// a value, in one place; then it cannot be read any more, or the motion's text is
// another, or nothing that a gateway does is: a comment, the layout of YAML.
func TestEverythingIsSaid(t *testing.T) {
	base := example(t)
	before, err := bundle.Read(base)
	if err != nil {
		t.Fatal(err)
	}
	first, later := said(t, nil, before), said(t, before, before)
	was := effects(t, before)
	rng := rand.New(rand.NewPCG(1, 2))
	read, silent := 0, 0
	for range *edits {
		files, what := edit(rng, base)
		p, err := bundle.Read(files)
		if err != nil {
			continue
		}
		read++
		if effects(t, p) == was {
			silent++
			continue
		}
		if said(t, nil, p) == first {
			t.Errorf("a first motion does not say: %s", what)
		}
		if said(t, before, p) == later {
			t.Errorf("a later motion does not say: %s", what)
		}
	}
	if read < *edits/10 || silent == read {
		t.Errorf("%d of %d edits could be read, %d had no effect: the property was not tried", read, *edits, silent)
	}
}

// TestWhatIsEasilyMissed: what has an effect, and is no key of a decision.
func TestWhatIsEasilyMissed(t *testing.T) {
	base := example(t)
	before, err := bundle.Read(base)
	if err != nil {
		t.Fatal(err)
	}
	first, later := said(t, nil, before), said(t, before, before)
	for what, c := range map[string]struct{ file, old, new string }{
		"a home becomes a sensor": {"kinds.yaml", "sensor: true", "field: tariff"},
		"a field's unit":          {"kinds.yaml", "unit: dBm", "unit: dB"},
		"why one is suspended":    {"suspended.yaml", "a fault", "no fault"},
		"since when":              {"suspended.yaml", "2026-08-01", "2026-08-02"},
		"a rule": {"rules/charter.rego", "violations contains v if {",
			"violations contains v if {\n\tfalse"},
		"a rule's comment":        {"rules/release.rego", "# Asked once", "# Asked"},
		"a module":                {"local/fair.rego", "false", "true"},
		"a zone's gateway":        {"zones.geojson", "edge-2", "edge-3"},
		"a corner of a zone":      {"zones.geojson", "2.118, 41.31", "2.118, 41.32"},
		"a property of the zones": {"zones.geojson", `"note": "x"`, `"note": "y"`},
		"why there is a blackout": {"decisions/2026-18-homes.yaml", "a fair", "a feast"},
		"a title in French":       {"decisions/2026-18-homes.yaml", "Le courant", "La lumière"},
		"a space in a title":      {"decisions/2026-18-homes.yaml", "of  homes", "of homes"},
		"how long a window waits": {"decisions/2026-18-homes.yaml", "PT10M", "PT11M"},
		"why nobody is protected": {"decisions/2026-16-noise.yaml", "records no sound", "records sound"},
		"a key of a member":       {"council.yaml", "2GqT", "2GqX"},
		"a key that is revoked":   {"council.yaml", "2GqV", "2GqW"},
		"a member's term":         {"council.yaml", "until: 2028-01-01", "until: 2029-01-01"},
		"the roster's version":    {"council.yaml", "version: 3", "version: 4"},
		"a language":              {"charter.yaml", "[ca, es, en]", "[ca, es, en, fr]"},
	} {
		files := maps.Clone(base)
		files[c.file] = []byte(strings.Replace(string(base[c.file]), c.old, c.new, 1))
		p, err := bundle.Read(files)
		if err != nil || string(files[c.file]) == string(base[c.file]) {
			t.Errorf("%s: it is not tried (%v)", what, err)
			continue
		}
		if said(t, nil, p) == first {
			t.Errorf("%s: a first motion does not say it", what)
		}
		if said(t, before, p) == later {
			t.Errorf("%s: a later motion does not say it", what)
		}
	}
}

// said is the text with a head that is always the same.
func said(t *testing.T, before, p *bundle.Policy) string {
	t.Helper()
	m := council.Motion{City: "portalba", ID: "m", Version: 1, Created: made, NotBefore: made, Expires: made}
	var prev *council.Enacted
	if before != nil {
		prev = &council.Enacted{Policy: before}
	}
	text, err := m.Text(prev, p)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// example is the example policy with the program's rules, a council, a suspension, a
// home, a module, and a decision in which every key says something.
func example(t *testing.T) bundle.Files {
	t.Helper()
	files := portalba.Policy()
	for name, text := range diff.Own() {
		files[name] = []byte(text)
	}
	files["charter.yaml"] = []byte(strings.Replace(string(files["charter.yaml"]), "environment]",
		"environment, energy]", 1))
	files["kinds.yaml"] = append(slices.Clone(files["kinds.yaml"]), `  home-meter:
    heartbeat: PT1H
    units: [{sensor: true, stands_for: home}]
    fields:
      - {name: power, type: float, unit: W, class: measurement}
      - {name: tariff, type: string, class: measurement}
`...)
	files["decisions/2026-18-homes.yaml"] = []byte(`decision: "2026-18"
title: {en: "Power of  homes", ca: "Llum", fr: "Le courant"}
stream: power
purpose: energy
legal_basis: "by-law"
applies_to: {kinds: [home-meter], zones: [rambla, raval]}
unit: {sensor: home}
keep: [power, tariff]
where: [{field: power, op: ">=", value: 0.5}, {field: tariff, op: "!=", value: "x"}]
generalise: [{field: power, step: 10}]
place: sensor
publish:
  every: PT1H
  lateness: PT10M
  by: [zone, {field: tariff, values: [day, night]}]
  measures:
    - {name: watts, of: "mean(power)", between: [0, 9000]}
    - {name: classes, of: "histogram(power)", edges: [0, 1000, 5000]}
    - {name: half, of: "quantile(power, 0.5)", between: [0, 9000]}
protect: {min_units: 10, epsilon: 0.25, delta: 1e-7, max_contributions: 2}
forget_after: PT6H
retain: P1Y
from: 2026-06-01
until: 2027-05-31
review: 2027-02-01
blackouts: [{zones: [raval], from: 2026-07-01T10:00:00Z, until: 2026-07-01T12:00:00Z, reason: "a fair"}]
`)
	files["suspended.yaml"] = []byte(
		"suspended:\n  - {decision: \"2026-17\", since: 2026-08-01, reason: \"a fault in  the sensors\"}\n")
	files["council.yaml"] = []byte(`version: 3
members:
  - {id: anna, name: "Anna A",
     keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFn2VIHcL+qcmDXdPB8tFyVvvQwgLZkMTMN0tTMn2GqT a"],
     from: 2026-01-01, until: 2028-01-01}
  - {id: bru, name: "Bru B",
     keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFn2VIHcL+qcmDXdPB8tFyVvvQwgLZkMTMN0tTMn2GqU b"]}
revoked: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFn2VIHcL+qcmDXdPB8tFyVvvQwgLZkMTMN0tTMn2GqV old"]
`)
	files["local/fair.rego"] = []byte("package sluice.local\n\ndeny contains x if {\n\tx := 1\n\tfalse\n}\n")
	files["zones.geojson"] = []byte(strings.Replace(string(files["zones.geojson"]), `"name": "El Port"`,
		`"name": "El Port", "gateway": "edge-2", "note": "x"`, 1))
	return files
}

// effects is all that a gateway does by a policy, as text: its documents as they are
// compiled, where points fall, the suspensions' reasons, the rules.
func effects(t *testing.T, p *bundle.Policy) string {
	t.Helper()
	var b strings.Builder
	put := func(v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(raw, '\n'))
	}
	put(p.Charter)
	put(p.Kinds)
	for _, m := range p.Council.Members {
		put([]string{m.ID, m.Name, m.From.String(), m.Until.String()})
		for _, k := range m.Keys { // a comment behind it says nothing
			put(k.Fingerprint())
		}
	}
	for _, k := range p.Council.Revoked {
		put(k.Fingerprint())
	}
	put(p.Council.Version)
	for _, d := range p.Decisions {
		doc := *d.Document
		doc.Forget = d.Stream.Forget // a day where it is left out
		put(doc)
		put(d.Stream)
	}
	for _, s := range p.Suspended {
		if p.Decision(s.Decision) != nil {
			put(p.Suspension(s.Decision))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Rules())) {
		put([]string{name, p.Rules()[name]})
	}
	for _, id := range p.Zones.IDs() {
		put([]string{id, p.Zones.Name(id), p.Zones.Gateway(id)})
	}
	var raw any
	if err := json.Unmarshal(p.Zones.GeoJSON(), &raw); err != nil {
		t.Fatal(err)
	}
	put(raw) // it is public as it is
	for x := 2.0951; x < 2.125; x += 0.00137 {
		for y := 41.2951; y < 41.315; y += 0.00137 {
			zone, _ := p.Zones.Locate(y, x)
			b.WriteString(zone + " ")
		}
	}
	return b.String()
}

// edit changes one place of one file: bytes, or a line of YAML by one that is near.
func edit(rng *rand.Rand, base bundle.Files) (bundle.Files, string) {
	files := maps.Clone(base)
	name := pick(rng, slices.Sorted(maps.Keys(base)))
	if rng.IntN(4) > 0 { // the documents more often than the rules
		for path.Dir(name) == "rules" {
			name = pick(rng, slices.Sorted(maps.Keys(base)))
		}
	}
	raw := slices.Clone(base[name])
	at := rng.IntN(len(raw))
	var what string
	switch rng.IntN(7) {
	case 0: // a digit, or a letter, for another
		for i := range raw {
			if j := (at + i) % len(raw); raw[j] >= '0' && raw[j] <= '9' {
				raw[j] = '0' + (raw[j]-'0'+1+byte(rng.IntN(9)))%10
				at = j
				break
			}
		}
		what = "a digit"
	case 1:
		raw[at] = byte(' ' + rng.IntN(95))
		what = "a byte"
	case 2:
		end := min(len(raw), at+1+rng.IntN(20))
		raw = slices.Delete(raw, at, end)
		what = "bytes taken out"
	case 3:
		raw = slices.Insert(raw, at,
			[]byte(
				pick(rng,
					[]string{" ", "  ", "0", "x", "é", "\u200b", "\u202e", "\ufffd", `\n`, `\u2028`, `\"`, "-", ",",
						"sensor: true, "}))...)
		what = "bytes put in"
	case 4: // an item of a list or a map in one line
		text := string(raw)
		if start := strings.IndexAny(text[at:], "{[,"); start >= 0 {
			start += at + 1
			if end := strings.IndexAny(text[start:], ",}]"); end >= 0 && start+end < len(text) {
				if text[start+end] == ',' {
					end++
				}
				raw = []byte(text[:start] + text[start+end:])
			}
		}
		what = "an item taken out"
	case 5: // a whole line
		lines := strings.SplitAfter(string(raw), "\n")
		n := rng.IntN(len(lines))
		what = fmt.Sprintf("line %d taken out", n+1)
		raw = []byte(strings.Join(slices.Delete(lines, n, n+1), ""))
	default: // what another line has behind its colon
		lines := strings.SplitAfter(string(raw), "\n")
		n, m := rng.IntN(len(lines)), rng.IntN(len(lines))
		key, _, _ := strings.Cut(lines[n], ": ")
		_, value, ok := strings.Cut(lines[m], ": ")
		if ok {
			lines[n] = key + ": " + value
		}
		raw = []byte(strings.Join(lines, ""))
		what = fmt.Sprintf("line %d with the value of line %d", n+1, m+1)
	}
	files[name] = raw
	return files, fmt.Sprintf("%s in %s, byte %d: %s", what, name, at, around(string(base[name]), string(raw)))
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// around shows where two texts begin to differ.
func around(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return fmt.Sprintf("%.60q is now %.60q", a[max(0, min(n-20, len(a))):], b[max(0, min(n-20, len(b))):])
}
