package vendors

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Settle adds to a city's files a sensor of each folder, a kind for it and a decision on it, all by the folder's name:
// what is measured is kept, identifiers and homes are counted.
func Settle(files map[string]string, folders []Folder) {
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "{device: 20}",
		"{device: 100, vehicle: 100, home: 1000}", 1)
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "delta_per_day: 0.01",
		"delta_per_day: 0.02", 1)
	var kinds, entries strings.Builder
	for i, f := range folders {
		fmt.Fprintf(&kinds, "  %s:\n", f.Name)
		unit, keep, measure, protect := `{none: "a machine"}`, []string{}, "count()", ""
		for _, u := range f.Kind.Units {
			unit = fmt.Sprintf("{field: %s, stands_for: %s}", u.Field, u.StandsFor)
			kind := unit
			if u.Sensor {
				unit, kind = "{sensor: "+u.StandsFor+"}", "{sensor: true, stands_for: "+u.StandsFor+"}"
			}
			fmt.Fprintf(&kinds, "    units: [%s]\n", kind)
			measure = "distinct(unit)"
			protect = "protect: {min_units: 3, epsilon: 20, delta: 0.001, max_contributions: 1}\n"
		}
		kinds.WriteString("    fields:\n")
		for _, field := range f.Kind.Fields {
			fmt.Fprintf(&kinds, "      - {name: %s, type: %s, unit: %q, class: %s", field.Name, field.Type,
				field.Unit, field.Class)
			if field.Format != "" {
				kinds.WriteString(", format: " + field.Format)
			}
			kinds.WriteString("}\n")
			if field.Class == "measurement" || field.Class == "identifier" {
				keep = append(keep, field.Name)
			}
		}
		files["policy/decisions/"+f.Name+".yaml"] = fmt.Sprintf(`decision: "v%d"
title: {en: %q}
stream: %s
purpose: test
applies_to: {kinds: [%[3]s], zones: [square]}
unit: %s
keep: [%s]
publish: {every: PT1H, lateness: PT2M, measures: [{name: n, of: %s}]}
%sfrom: 2026-01-01
until: 2026-12-31
`, i, f.Name, f.Name, unit, strings.Join(keep, ", "), measure, protect)
		entries.WriteString(f.Entry())
	}
	files["policy/kinds.yaml"] += kinds.String()
	files["register.yaml"] += entries.String()
}

// Entry is the folder's sensor in the register.
func (f Folder) Entry() string {
	s := fmt.Sprintf("  - {id: %s, owner: acme, kind: %[1]s, zone: square, registered: 2026-01-01, preset: %s",
		f.Name, f.Preset)
	for _, c := range []struct{ key, value string }{{"profile", f.Profile}, {"device", f.Device}, {"topic", f.Topic}} {
		if c.value != "" {
			s += fmt.Sprintf(", %s: %q", c.key, c.value)
		}
	}
	if f.Map != nil {
		s += ", map: {"
		for field, pointer := range f.Map {
			s += fmt.Sprintf("%s: %q, ", field, pointer)
		}
		s = strings.TrimSuffix(s, ", ") + "}"
	}
	return s + "}\n"
}

// Foretold is what golden.txt says of the folder: how many readings are of each code, and how many are ok or ignored.
func (f Folder) Foretold(t testing.TB) map[string]float64 {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(Dir(), f.Name, "golden.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for line := range strings.Lines(string(raw)) {
		if !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "  /") || strings.HasPrefix(line, "  topic ") {
			continue
		}
		nobody := "E001"
		if strings.Contains(line, "  time ") || strings.Contains(line, ", time ") {
			nobody = "ignored" // beside a device of the register
		}
		for _, part := range strings.Split(strings.TrimSpace(line), ", ") {
			switch word, code, _ := strings.Cut(part, " "); word {
			case "time":
				out["ok"]++
			case "refused":
				out[code]++
			case "of": // nobody
				out[nobody]++
			case "ignore", "ignored", "death":
				out["ignored"]++
			}
		}
	}
	return out
}
