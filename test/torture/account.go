package main

import (
	"fmt"
	"slices"
	"strings"
)

// metrics reads the account; nil where the gateway does not answer, or says that it starts.
func (w *world) metrics() map[string]float64 {
	raw, err := fetch(w.admin + "/metrics")
	if err != nil {
		return nil
	}
	out := map[string]float64{}
	for line := range strings.Lines(string(raw)) {
		at := strings.LastIndexByte(line, ' ')
		var v float64
		if at > 0 && line[0] != '#' {
			if _, err := fmt.Sscan(line[at+1:], &v); err == nil {
				out[line[:at]] = v
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// refusals are the readings that were not counted, by state and code.
func (w *world) refusals() string {
	var out []string
	for name, v := range w.metrics() {
		if strings.HasPrefix(name, "sluice_readings_total{") && !strings.Contains(name, `"counted"`) && v > 0 {
			out = append(out, fmt.Sprintf("%s %v", strings.TrimPrefix(name, "sluice_readings_total"), v))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// account insists that every reading is in exactly one state.
func (w *world) account() {
	m := w.metrics()
	if m == nil {
		return
	}
	sum, counted, late := m["sluice_readings_open"], 0.0, 0.0
	for name, v := range m {
		if strings.HasPrefix(name, "sluice_readings_total{") {
			sum += v
			if strings.Contains(name, `state="counted"`) {
				counted += v
			}
			if strings.Contains(name, `state="late"`) {
				late += v
			}
		}
	}
	if received := m["sluice_received_total"]; received != sum {
		w.wrong("the account: %v received, %v accounted for", received, sum)
	}
	if w.strict && late != 0 {
		w.lost("%v readings are called late; none was", late)
	}
}
