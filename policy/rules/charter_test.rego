package sluice.charter_test

import data.sluice.charter
import data.sluice.plan_test

rules(decisions) := {v.rule | some v in found(decisions)}

found(decisions) := answer if {
	answer := charter.violations with data.decisions as decisions
		with data.kinds as plan_test.kinds
		with data.charter as plan_test.charter
		with data.zones as ["rambla", "raval"]
}

change(patch) := [object.union(plan_test.footfall, patch)]

test_sound if count(found([plan_test.footfall])) == 0

test_purpose if rules(change({"purpose": "marketing"})) == {"C01"}

test_kind if "C02" in rules(change({"applies_to": {"kinds": ["radar"], "zones": ["rambla"]}}))

test_zone if rules(change({"applies_to": {"kinds": ["wifi-counter"], "zones": ["moon"]}})) == {"C03"}

test_none_about_people if "C04" in rules(change({"stands_for": "none", "unit": {"none": "why not"}}))

test_min_units if rules(change({"protect": {"min_units": 9}})) == {"C05"}

test_epsilon if rules(change({"protect": {"epsilon": 1.01}})) == {"C06"}

test_epsilon_counts_epochs if rules(change({"epochs_per_day": 24})) == {"C06"}

test_epsilon_adds_up if {
	other := object.union(plan_test.footfall, {"decision": "2026-15", "stream": "dwell"})
	rules([plan_test.footfall, other]) == {"C06"}
}

test_epsilon_of_unknown_unit if "C06" in rules(change({"stands_for": "person"}))

test_delta if rules(change({"protect": {"delta": 0.002}})) == {"C07"}

test_contributions if rules(change({"protect": {"max_contributions": 5}})) == {"C08"}

test_floor_of_default if rules(change({"protect": {"floor": "noisy"}})) == {"C15"}

test_floor_exact if count(rules(change({"protect": {"floor": "exact"}}))) == 0

test_floor_allowed if count(floored(["exact", "noisy"], "noisy")) == 0

test_floor_not_listed if floored(["noisy"], "exact") == {"C15"}

floored(floors, floor) := {v.rule | some v in answer} if {
	answer := charter.violations with data.decisions as change({"protect": {"floor": floor}})
		with data.kinds as plan_test.kinds
		with data.charter as object.union(plan_test.charter, {"floors": floors})
		with data.zones as ["rambla", "raval"]
}

test_sunset if rules(change({"days": 401})) == {"C09"}

test_same_stream if {
	other := object.union(plan_test.footfall, {"decision": "2026-15"})
	"C11" in rules([plan_test.footfall, other])
}

test_same_stream_later_is_fine if {
	other := object.union(plan_test.footfall, {"decision": "2026-15", "from_seconds": 100, "until_seconds": 200})
	count(found([plan_test.footfall, other])) == 0
}

test_blackout if rules(change({"blackouts": [{"seconds": 86401}]})) == {"C12"}

test_unit_of_kind if "C13" in rules(change({"unit": {"field": "rssi"}}))

test_forbidden_class if {
	kinds := {"wifi-counter": {"units": plan_test.kinds["wifi-counter"].units, "fields": [{"name": "device", "class": "credential"}]}}
	answer := charter.violations with data.decisions as [plan_test.footfall]
		with data.kinds as kinds
		with data.charter as plan_test.charter
		with data.zones as ["rambla"]
	some v in answer
	v.rule == "C10"
}
