package test

import "strings"

// everything is small and one sensor of each sort that goes wrong.
func everything() map[string]string {
	files := small()
	files["policy/kinds.yaml"] += `  tracker:
    units: [{field: tag, stands_for: device}]
    fields:
      - {name: tag, type: string, class: identifier}
      - {name: lat, type: float, class: location, valid: [-90, 90]}
      - {name: lon, type: float, class: location}
      - {name: plate, type: string, class: free-text, format: plate}
  road-counter:
    fields: [{name: vehicle, type: string, class: measurement}]
  idle:
    fields: [{name: x, type: int, class: measurement}]
`
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "epsilon_per_day: {device: 20}",
		"epsilon_per_day: {device: 40}", 1)
	files["policy/decisions/tracks.yaml"] = `decision: "5"
title: {en: Tracks}
stream: tracks
purpose: test
applies_to: {kinds: [tracker], zones: [square]}
unit: {field: tag, stands_for: device}
keep: [tag, lat, lon]
place: {lat: lat, lon: lon}
publish: {every: PT1H, lateness: PT2M, by: [zone], measures: [{name: tags, of: distinct(unit)}]}
protect: {min_units: 5, epsilon: 20, delta: 0.001, max_contributions: 1}
forget_after: P1D
from: 2026-01-01
until: 2026-12-31
`
	files["policy/decisions/traffic.yaml"] = `decision: "6"
title: {en: Traffic}
stream: traffic
purpose: test
applies_to: {kinds: [road-counter], zones: [square]}
unit: {none: "a loop in the road counts axles"}
keep: [vehicle]
publish: {every: PT1H, lateness: PT2M, by: [zone, {field: vehicle, values: [car, bike]}], measures: [{name: passages, of: count()}]}
from: 2026-01-01
until: 2026-12-31
`
	files["register.yaml"] += `  - {id: track-1, owner: acme, kind: tracker, zone: square, registered: 2026-01-01}
  - {id: road-1, owner: acme, kind: road-counter, zone: square, registered: 2026-01-01}
  - {id: idle-1, owner: acme, kind: idle, zone: square, registered: 2026-01-01}
  - {id: odd-1, owner: acme, kind: unheard-of, zone: square, registered: 2026-01-01}
`
	return files
}
