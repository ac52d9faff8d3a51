# What each decision means for one sensor: a plan, or the reasons why there is
# none. Asked once per policy version and sort of sensor, never for a message.
#
#   input  {sensor: {kind, zone, owner, preset, part: the owner where by_owner names it},
#           fields: [{name, class, type}],
#           violations: what the charter's rules answered, so that they are asked once}
#   result {plans: [{decision, zone, stream}], reasons: [{decision, rule, message}]}
package sluice.plan

import data.sluice.charter
import data.sluice.lib

result := {"plans": plans, "reasons": reasons}

# The decisions that are about this sort of sensor; nobody else is looked at.
candidates := [d | some d in data.decisions; applies(d)]

plans := [p |
	some d in candidates
	count(refused(d)) == 0
	p := {"decision": d.decision, "zone": zone(d), "stream": d.stream_spec}
]

reasons := [r |
	some d in candidates
	some [rule, message] in refused(d)
	r := {"decision": d.decision, "rule": rule, "message": message}
]

violations := input.violations if input.violations

violations := charter.violations if not input.violations

# Everything that stands against a plan: the charter, the council's own modules,
# and what this sort of sensor cannot give.
refused(d) := ({[v.rule, v.message] | some v in violations; v.decision == d.decision} |
	{["L01", x.message] | some x in data.sluice.local.deny; x.decision == d.decision}) |
	{x | some x in misfits[d.decision]} |
	{["L02", "local modules must give deny as a set of {decision, message}; mend them"] | malformed}

# What local modules say and this file would not understand must not be taken
# for silence.
malformed if {
	deny := data.sluice.local.deny
	not is_set(deny)
}

malformed if {
	some x in data.sluice.local.deny
	not denial(x)
}

denial(x) if {
	is_string(x.decision)
	is_string(x.message)
}

applies(d) if {
	input.sensor.kind in d.applies_to.kinds
	by_point(d)
}

applies(d) if {
	input.sensor.kind in d.applies_to.kinds
	not by_point(d)
	input.sensor.zone in d.applies_to.zones
}

by_point(d) if d.stream_spec.place.lat

zone(d) := "" if by_point(d)

zone(d) := input.sensor.zone if not by_point(d)

fields := {f.name: f | some f in input.fields}

numeric := {"int", "float"}

misfits[d.decision] contains ["P01", "keep names a field that this kind does not have"] if {
	some d in candidates
	some name in d.keep
	not fields[name]
}

misfits[d.decision] contains ["P02", "where, generalise, by or a measure uses a field that keep does not name"] if {
	some d in candidates
	some name in lib.used(d)
	not name in d.keep
}

misfits[d.decision] contains ["P03", "the unit's field must be kept and be an identifier"] if {
	some d in candidates
	d.unit.field
	not kept_identifier(d)
}

misfits[d.decision] contains ["P04", "an identifier is kept that is not the unit; drop it"] if {
	some d in candidates
	some name in d.keep
	fields[name].class == "identifier"
	name != object.get(d.unit, "field", "")
}

misfits[d.decision] contains ["P05", "free text and credentials can never be kept; drop them"] if {
	some d in candidates
	some name in d.keep
	fields[name].class in {"free-text", "credential"}
}

misfits[d.decision] contains ["P06", "a location can be kept only as the coordinates in place"] if {
	some d in candidates
	some name in d.keep
	fields[name].class == "location"
	not name in coordinates(d)
}

misfits[d.decision] contains ["P07", "place needs two kept number fields"] if {
	some d in candidates
	some name in coordinates(d)
	not usable_number(d, name)
}

misfits[d.decision] contains ["P08", "sum, mean and generalise need number fields"] if {
	some d in candidates
	some name in ({m.field | some m in d.stream_spec.measures; m.field; not m.share} | {g.field | some g in d.generalise})
	not fields[name].type in numeric
}

misfits[d.decision] contains ["P09", "the unit cannot be measured: a measure or category uses the unit's field"] if {
	some d in candidates
	d.unit.field
	d.unit.field in lib.used(d)
}

misfits[d.decision] contains ["P11", "by_owner does not name the sensor's owner"] if {
	some d in candidates
	count(parts(d)) > 0
	not parts(d)[input.sensor.part]
}

parts(d) := object.get(d.protect, "by_owner", {})

misfits[d.decision] contains ["P31", "share needs a field of type bool"] if {
	some d in candidates
	some m in d.stream_spec.measures
	m.share
	fields[m.field].type != "bool"
}

kept_identifier(d) if {
	d.unit.field in d.keep
	fields[d.unit.field].class == "identifier"
}

coordinates(d) := {d.stream_spec.place.lat, d.stream_spec.place.lon} if by_point(d)

coordinates(d) := set() if not by_point(d)

usable_number(d, name) if {
	name in d.keep
	fields[name].type in numeric
}
