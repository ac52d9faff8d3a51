# Every way in which a decision breaks the charter. Each violation names the
# decision, a rule number that stays the same for ever, and what to do.
package sluice.charter

import data.sluice.lib

violations contains v if {
	some id, reasons in broken
	some [rule, message] in reasons
	v := {"decision": id, "rule": rule, "message": message}
}

broken[d.decision] contains ["C01", "purpose is not in the charter; choose one of charter.purposes"] if {
	some d in data.decisions
	not d.purpose in data.charter.purposes
}

broken[d.decision] contains ["C02", "a kind is unknown; add it to kinds.yaml or mend applies_to.kinds"] if {
	some d in data.decisions
	some kind in d.applies_to.kinds
	not data.kinds[kind]
}

broken[d.decision] contains ["C03", "a zone is unknown; add it to zones.geojson or mend applies_to.zones"] if {
	some d in data.decisions
	some zone in d.applies_to.zones
	not zone in data.zones
}

broken[d.decision] contains ["C04", "this kind counts people, so the decision needs a unit of privacy; `none` is not allowed"] if {
	some d in data.decisions
	not lib.about_units(d)
	some kind in d.applies_to.kinds
	about_people(kind)
}

about_people(kind) if kind in data.charter.kinds_about_people

about_people(kind) if {
	personal(data.kinds[kind])
	not kind in object.get(data.charter, "kinds_not_about_people", [])
}

# A kind that tells somebody, or some place of somebody, apart.
personal(k) if {
	some u in k.units
	u.stands_for
}

personal(k) if {
	some f in k.fields
	f.class in {"identifier", "quasi-identifier", "location"}
}

broken[d.decision] contains ["C05", "min_units is below the charter's; raise it"] if {
	some d in data.decisions
	lib.about_units(d)
	d.protect.min_units < data.charter.min_units
}

# The budget of a day adds up over the epochs of the day and over all decisions
# about the same kind of unit whose time in force overlaps. A decision that runs
# on several gateways costs as often.
broken[d.decision] contains ["C06", "epsilon per day, over all decisions about this kind of unit, is above the charter's; lower epsilon or lengthen forget_after"] if {
	some d in data.decisions
	lib.about_units(d)
	cap := object.get(data.charter.epsilon_per_day, d.stands_for, 0)
	total := sum([x.epsilon | some x in spent[d.stands_for]; x.from < d.until_seconds; d.from_seconds < x.until])
	total > cap * 1.000000001
}

broken[d.decision] contains ["C07", "delta per day, over all decisions about this kind of unit, is above the charter's; lower delta"] if {
	some d in data.decisions
	lib.about_units(d)
	total := sum([x.delta | some x in spent[d.stands_for]; x.from < d.until_seconds; d.from_seconds < x.until])
	total > data.charter.delta_per_day * 1.000000001
}

broken[d.decision] contains ["C08", "max_contributions is above the charter's; lower it"] if {
	some d in data.decisions
	lib.about_units(d)
	d.protect.max_contributions > data.charter.max_contributions
}

broken[d.decision] contains ["C09", "the decision runs longer than the charter's sunset_max; bring until nearer"] if {
	some d in data.decisions
	d.days > data.charter.sunset_max_days
}

broken[d.decision] contains ["C10", "a kept field is of a class that the charter forbids; remove it from keep"] if {
	some d in data.decisions
	some kind in d.applies_to.kinds
	some field in data.kinds[kind].fields
	field.name in d.keep
	field.class in data.charter.forbidden_classes
}

broken[d.decision] contains ["C11", "another decision in force at the same time has the same stream; rename one or end one first"] if {
	some d in data.decisions
	some e in data.decisions
	e.stream == d.stream
	e.decision != d.decision
	overlap(d, e)
}

broken[d.decision] contains ["C12", "a blackout is longer than the charter's blackout_max; shorten it"] if {
	some d in data.decisions
	some b in d.blackouts
	b.seconds > data.charter.blackout_max_seconds
}

broken[d.decision] contains ["C13", "a kind has no such unit of privacy; list it under units in kinds.yaml or mend unit"] if {
	some d in data.decisions
	lib.about_units(d)
	some kind in d.applies_to.kinds
	not stands_for(kind, d)
}

broken[d.decision] contains ["C14", "the charter has no min_units; without a floor nothing about people runs"] if {
	some d in data.decisions
	lib.about_units(d)
	not has_floor
}

broken[d.decision] contains ["C15", "the charter does not allow this floor; write another, or list it under charter.floors"] if {
	some d in data.decisions
	lib.about_units(d)
	not object.get(d.protect, "floor", "exact") in object.get(data.charter, "floors", ["exact"])
}

runs(d) := object.get(d, "gateways", 1)

has_floor if data.charter.min_units >= 1

# What decisions cost a day, by unit: small entries, since there are as many pairs
# of decisions as the square of their number.
spent[unit] := costs if {
	some unit in {d.stands_for | some d in data.decisions; lib.about_units(d)}
	costs := [x |
		some d in data.decisions
		d.stands_for == unit
		times := d.epochs_per_day * runs(d)
		x := {
			"from": d.from_seconds, "until": d.until_seconds,
			"epsilon": d.protect.epsilon * times, "delta": d.protect.delta * times,
		}
	]
}

# Seconds since 1970, from inclusive, until exclusive.
overlap(d, e) if {
	d.from_seconds < e.until_seconds
	e.from_seconds < d.until_seconds
}

stands_for(kind, d) if {
	d.unit.field
	some u in data.kinds[kind].units
	u.field == d.unit.field
	u.stands_for == d.stands_for
}

stands_for(kind, d) if {
	d.unit.sensor
	some u in data.kinds[kind].units
	u.sensor == true
	u.stands_for == d.stands_for
}
