package sluice.plan_test

import data.sluice.plan

kinds := {"wifi-counter": {
	"units": [{"field": "device", "stands_for": "device"}],
	"fields": [
		{"name": "device", "type": "string", "class": "identifier"},
		{"name": "rssi", "type": "int", "class": "measurement"},
		{"name": "ssid", "type": "string", "class": "free-text"},
	],
}}

charter := {
	"purposes": ["planning"], "min_units": 10, "epsilon_per_day": {"device": 1},
	"delta_per_day": 0.001, "max_contributions": 4, "sunset_max_days": 400,
	"forbidden_classes": ["credential"], "kinds_about_people": ["wifi-counter"],
	"blackout_max_seconds": 86400,
}

footfall := {
	"decision": "2026-14", "stream": "footfall", "purpose": "planning",
	"applies_to": {"kinds": ["wifi-counter"], "zones": ["rambla"]},
	"unit": {"field": "device", "stands_for": "device"}, "stands_for": "device",
	"keep": ["device", "rssi"], "where": [{"field": "rssi", "op": ">=", "value": -85}],
	"generalise": [], "publish": {"by": []}, "blackouts": [],
	"protect": {"min_units": 10, "epsilon": 1, "delta": 0.000001, "max_contributions": 2},
	"epochs_per_day": 1, "days": 365, "from_seconds": 0, "until_seconds": 100,
	"stream_spec": {"place": {}, "measures": [{"name": "devices", "of": "distinct"}]},
}

ask(d, zone) := answer if {
	answer := plan.result with data.decisions as [d]
		with data.kinds as kinds
		with data.charter as charter
		with data.zones as ["rambla", "raval"]
		with input as {"sensor": {"kind": "wifi-counter", "zone": zone, "owner": "acme"}, "fields": kinds["wifi-counter"].fields}
}

rules(d) := {r.rule | some r in ask(d, "rambla").reasons}

test_plan if {
	r := ask(footfall, "rambla")
	count(r.plans) == 1
	r.plans[0].zone == "rambla"
	count(r.reasons) == 0
}

test_other_zone_has_no_plan if {
	r := ask(footfall, "raval")
	count(r.plans) == 0
}

test_unknown_field if "P01" in rules(object.union(footfall, {"keep": ["device", "rssi", "height"]}))

owned(part) := answer if {
	d := object.union(footfall, {"protect": object.union(footfall.protect, {"by_owner": {"acme": 1, "tram": 1}})})
	answer := plan.result with data.decisions as [d]
		with data.kinds as kinds
		with data.charter as charter
		with data.zones as ["rambla", "raval"]
		with input as {"sensor": {"kind": "wifi-counter", "zone": "rambla", "part": part}, "fields": kinds["wifi-counter"].fields}
}

test_owner_with_a_part if count(owned("tram").plans) == 1

test_owner_without_a_part if {
	r := owned("")
	count(r.plans) == 0
	{x.rule | some x in r.reasons} == {"P11"}
}

test_not_kept if "P02" in rules(object.union(footfall, {"keep": ["device"]}))

test_unit_not_kept if "P03" in rules(object.union(footfall, {"keep": ["rssi"]}))

test_free_text if "P05" in rules(object.union(footfall, {"keep": ["device", "rssi", "ssid"]}))

test_second_identifier if {
	"P04" in rules(object.union(object.remove(footfall, ["unit"]), {"unit": {"sensor": "home"}, "stands_for": "home"}))
}

test_measure_needs_number if {
	spec := {"place": {}, "measures": [{"name": "x", "of": "sum", "field": "ssid"}]}
	"P08" in rules(object.union(footfall, {"stream_spec": spec}))
}

test_point_needs_numbers if {
	spec := {"place": {"lat": "ssid", "lon": "rssi"}, "measures": []}
	"P07" in rules(object.union(footfall, {"stream_spec": spec}))
}

test_unit_not_measured if {
	"P09" in rules(object.union(footfall, {"where": [{"field": "device", "op": "==", "value": "x"}]}))
}

test_local_deny if {
	d := [{"decision": "2026-14", "message": "not in August"}]
	r := plan.result with data.decisions as [footfall]
		with data.kinds as kinds
		with data.charter as charter
		with data.zones as ["rambla"]
		with data.sluice.local.deny as d
		with input as {"sensor": {"kind": "wifi-counter", "zone": "rambla"}, "fields": kinds["wifi-counter"].fields}
	count(r.plans) == 0
	r.reasons[0].rule == "L01"
}

test_share_of_a_number if {
	spec := {"place": {}, "measures": [{"name": "open", "of": "mean", "field": "rssi", "share": true}]}
	found := rules(object.union(footfall, {"stream_spec": spec}))
	"P31" in found
	not "P08" in found
}
