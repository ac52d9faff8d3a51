package device

import "sluice/firmware-sim/street"

// definitions are the kinds that the example city has not, as a policy's kinds.yaml has them.
var definitions = []struct {
	kind street.Kind
	is   string
}{
	{street.Gate, "fields: [{name: entered, type: int, class: measurement}, " +
		"{name: left, type: int, class: measurement}]"},
	{street.Pax, "fields: [{name: pax, type: int, class: measurement}]"},
	{street.Bay, "fields: [{name: occupied, type: bool, class: measurement}]"},
	{street.Plates, "units: [{field: plate, stands_for: vehicle}], " +
		"fields: [{name: plate, type: string, class: identifier, format: plate}]"},
	{street.Water, "units: [{sensor: true, stands_for: home}], " +
		"fields: [{name: volume, type: float, unit: m3, class: measurement}]"},
	{street.Power, "units: [{sensor: true, stands_for: home}], " +
		"fields: [{name: energy_low, type: float, unit: kWh, class: measurement}, " +
		"{name: energy_high, type: float, unit: kWh, class: measurement}]"},
}

// lacking says, as comments, which kinds of the sensors the example city has not, and how a policy defines them.
func lacking(sensors []street.Sensor) (text string) {
	for _, d := range definitions {
		for _, s := range sensors {
			if s.Kind == d.kind {
				text += "#   " + string(d.kind) + ": {" + d.is + "}\n"
				break
			}
		}
	}
	if text != "" {
		text = "# The example city has no such kinds; a policy's kinds.yaml needs, under kinds:\n" + text
	}
	return text
}
