package preset

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Unit is what a number is in: a code of UCUM, or, where the message says which of several it is, a
// pointer to the word for it, and the codes of the words.
type Unit struct {
	Code    string            `yaml:"-"`
	Pointer string            `yaml:"pointer"`
	Words   map[string]string `yaml:"words"`
}

// UnmarshalYAML reads CODE or {pointer: /POINTER, words: {WORD: CODE}}.
func (u *Unit) UnmarshalYAML(unmarshal func(any) error) error {
	var plain string
	if unmarshal(&plain) == nil {
		*u = Unit{Code: plain}
		return nil
	}
	type said Unit
	return unmarshal((*said)(u))
}

// IsZero reports whether nothing is said.
func (u Unit) IsZero() bool { return u.Code == "" && u.Pointer == "" && len(u.Words) == 0 }

// String is the code, or all that it can be.
func (u Unit) String() string {
	if u.Pointer == "" {
		return u.Code
	}
	return strings.Join(slices.Compact(slices.Sorted(maps.Values(u.Words))), " or ")
}

// Becomes reports whether each unit that it can be is converted to another.
func (u Unit) Becomes(to string) bool {
	if u.Pointer == "" {
		_, _, ok := Convert(u.Code, to)
		return ok
	}
	for _, code := range u.Words {
		if _, _, ok := Convert(code, to); !ok {
			return false
		}
	}
	return true
}

func (u Unit) check() error {
	switch {
	case u.Pointer == "" && u.Words == nil:
		return nil
	case u.Pointer == "" || len(u.Words) == 0 || len(u.Words) > maxWords:
		return wrong("unit is one, as in Cel, or where the message says which: "+
			"{pointer: /TempUnit, words: {C: Cel, F: degF}}", "unit")
	}
	for _, word := range slices.Sorted(maps.Keys(u.Words)) {
		code := u.Words[word]
		if plain, known := spellings[code]; known {
			code = plain
		}
		if _, known := units[code]; !known {
			return wrong(fmt.Sprintf("unit: the word %q stands for no unit that is known", word), "unit", "words", word)
		}
	}
	if _, err := Path(u.Pointer); err != nil {
		return under(err, "unit", "unit", "pointer")
	}
	return nil
}

// unit is what a unit is of, and how much of it: base = value*scale + offset.
type unit struct {
	of            string
	scale, offset float64
}

// units are those that sensors of streets and homes send, by their code in UCUM (The Unified Code
// for Units of Measure, version 2.2), case-sensitive, and by what people write for it.
var units = map[string]unit{
	"K": {"temperature", 1, 0}, "Cel": {"temperature", 1, 273.15}, "degF": {"temperature", 5.0 / 9, 459.67 * 5 / 9},
	"Pa": {"pressure", 1, 0}, "hPa": {"pressure", 100, 0}, "kPa": {"pressure", 1000, 0}, "mbar": {"pressure", 100, 0},
	"bar": {"pressure", 1e5, 0}, "[psi]": {"pressure", 6894.757293168, 0}, "mm[Hg]": {"pressure", 133.322, 0},
	"[in_i'Hg]": {"pressure", 3386.388, 0},
	"g/m3":      {"density", 1, 0}, "mg/m3": {"density", 1e-3, 0}, "ug/m3": {"density", 1e-6, 0},
	"ng/m3": {"density", 1e-9, 0},
	"[ppm]": {"share", 1e-6, 0}, "[ppb]": {"share", 1e-9, 0}, "%": {"share", 0.01, 0}, "1": {"share", 1, 0},
	"J": {"energy", 1, 0}, "kJ": {"energy", 1e3, 0}, "MJ": {"energy", 1e6, 0}, "GJ": {"energy", 1e9, 0},
	"W.h": {"energy", 3600, 0}, "kW.h": {"energy", 3.6e6, 0}, "MW.h": {"energy", 3.6e9, 0},
	"W": {"power", 1, 0}, "kW": {"power", 1e3, 0}, "MW": {"power", 1e6, 0}, "mW": {"power", 1e-3, 0},
	"m3": {"volume", 1, 0}, "L": {"volume", 1e-3, 0}, "l": {"volume", 1e-3, 0}, "mL": {"volume", 1e-6, 0},
	"dm3":  {"volume", 1e-3, 0},
	"m3/s": {"flow", 1, 0}, "m3/h": {"flow", 1.0 / 3600, 0}, "L/s": {"flow", 1e-3, 0}, "L/h": {"flow", 1e-3 / 3600, 0},
	"L/min": {"flow", 1e-3 / 60, 0},
	"m":     {"length", 1, 0}, "mm": {"length", 1e-3, 0}, "cm": {"length", 1e-2, 0}, "km": {"length", 1e3, 0},
	"[in_i]": {"length", 0.0254, 0}, "[ft_i]": {"length", 0.3048, 0}, "[mi_i]": {"length", 1609.344, 0},
	"m/s": {"speed", 1, 0}, "km/h": {"speed", 1.0 / 3.6, 0}, "[mi_i]/h": {"speed", 0.44704, 0},
	"[kn_i]": {"speed", 1852.0 / 3600, 0},
	"s":      {"time", 1, 0}, "ms": {"time", 1e-3, 0}, "min": {"time", 60, 0}, "h": {"time", 3600, 0},
	"d": {"time", 86400, 0},
	"V": {"voltage", 1, 0}, "mV": {"voltage", 1e-3, 0}, "kV": {"voltage", 1e3, 0},
	"A": {"current", 1, 0}, "mA": {"current", 1e-3, 0},
	"Hz": {"frequency", 1, 0}, "kHz": {"frequency", 1e3, 0}, "/min": {"frequency", 1.0 / 60, 0},
	"lx": {"illuminance", 1, 0}, "klx": {"illuminance", 1e3, 0},
	"kg": {"mass", 1, 0}, "g": {"mass", 1e-3, 0}, "t": {"mass", 1e3, 0},
	"deg": {"angle", 1, 0}, "rad": {"angle", 57.29577951308232, 0},
	"W/m2": {"irradiance", 1, 0}, "kW/m2": {"irradiance", 1e3, 0},
	"uS/cm": {"conductivity", 1e-4, 0}, "mS/cm": {"conductivity", 0.1, 0}, "S/m": {"conductivity", 1, 0},
	"dB(A)": {"A-weighted level", 1, 0}, "dB[SPL]": {"level", 1, 0}, "dB": {"level", 1, 0},
}

// spellings are what people write for a code.
var spellings = map[string]string{
	"°C": "Cel", "C": "Cel", "degC": "Cel", "celsius": "Cel", "°F": "degF", "F": "degF", "[degF]": "degF",
	"µg/m3": "ug/m3", "μg/m3": "ug/m3", "µg/m³": "ug/m3", "μg/m³": "ug/m3", "ug/m³": "ug/m3", "mg/m³": "mg/m3",
	"m³": "m3", "m³/h": "m3/h", "kWh": "kW.h", "Wh": "W.h", "MWh": "MW.h", "ppm": "[ppm]", "ppb": "[ppb]",
	"[ppmv]": "[ppm]", "[ppbv]": "[ppb]", "dBA": "dB(A)", "dB(A)[SPL]": "dB(A)", "psi": "[psi]", "mph": "[mi_i]/h",
	"kmh": "km/h", "kt": "[kn_i]", "°": "deg", "[rpm]": "/min", "rpm": "/min", "lux": "lx", "litre": "L",
	"in": "[in_i]",
	"ft": "[ft_i]", "mmHg": "mm[Hg]", "inHg": "[in_i'Hg]", "%RH": "%", "W/m²": "W/m2",
}

// Into are all units that are converted to one, by their codes and by what people write for them: to = value*scale +
// offset.
func Into(to string) map[string][2]float64 {
	out := map[string][2]float64{to: {1, 0}}
	for _, from := range slices.AppendSeq(slices.Collect(maps.Keys(units)), maps.Keys(spellings)) {
		if scale, offset, ok := Convert(from, to); ok {
			out[from] = [2]float64{scale, offset}
		}
	}
	return out
}

// Convert says how a number in one unit becomes one in another: to = from*scale + offset. Without
// a unit on either side, or with the same on both, it stays as it is. It is false where one of two
// different units is not known, or where they measure different things.
func Convert(from, to string) (scale, offset float64, ok bool) {
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	if code, known := spellings[from]; known {
		from = code
	}
	if code, known := spellings[to]; known {
		to = code
	}
	if from == to || from == "" || to == "" {
		return 1, 0, true
	}
	a, knownA := units[from]
	b, knownB := units[to]
	if !knownA || !knownB || a.of != b.of {
		return 0, 0, false
	}
	return a.scale / b.scale, (a.offset - b.offset) / b.scale, true
}
