package ingest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/gateway/ingest/internal/fault"
	"sluice/register/preset"
)

// words are what a sensor is told of: its kind's fields, and what is around them. Nothing of a message is in them.
type words struct {
	// pointers are where in a reading each field is, types what a kind calls it, valid its range; see register.Field.
	pointers, types, forms []string
	valid                  [][]float64
	spoken                 [][]string // the words that a profile has for a field, nil for none
	texts                  []bool     // a number may be the text of one
	changes                []bool     // it is whether a state is another than before
	// unmade are why a profile cannot make a field's value, whatever is sent; empty where it can.
	unmade []string
	preset *preset.Preset
}

func newWords(fields int) words {
	texts := func() []string { return make([]string, fields) }
	return words{pointers: texts(), types: texts(), forms: texts(), valid: make([][]float64, fields),
		spoken: make([][]string, fields), texts: make([]bool, fields), changes: make([]bool, fields), unmade: texts()}
}

// profiled takes up what a profile makes of a field; nil for no profile.
func (w *words) profiled(at int, field string, p *preset.Profile) {
	if p == nil {
		return
	}
	src := p.Fields[field]
	w.spoken[at], w.texts[at], w.changes[at] = spokenBy(p, field), src.Number == "text", src.Change
	w.unmade[at] = src.Makes(w.types[at])
}

// of says where in what a sensor sends a fault is, by which rule, and how to mend it.
func (w *words) of(f fault.Fault) (pointer, rule, fix string) {
	pointer, rule, fix = "/*", f.Rule(), f.Fix()
	switch key := f.Key(); {
	case w.has(f):
		pointer = cmp.Or(w.pointers[f.Field], "/*")
		if said := w.value(f); said != "" {
			fix = said
		}
	case key != "" && w.preset == nil:
		pointer = "/" + key
	}
	if w.preset != nil {
		w.inEnvelope(f, &pointer, &rule, &fix)
	}
	return pointer, rule, fix
}

func (w *words) has(f fault.Fault) bool { return f.Field >= 0 && int(f.Field) < len(w.pointers) }

// value says what a field's value may be; empty where the fault's own words do.
func (w *words) value(f fault.Fault) string {
	at := int(f.Field)
	switch f.Code {
	case fault.OutOfRange:
		switch {
		case w.spoken[at] != nil:
			return "send one of the words that the profile has: " + strings.Join(w.spoken[at], ", ") +
				"; or have the device's word added to the profile"
		case len(w.valid[at]) == 2:
			return fmt.Sprintf("send values from %v to %v; look after the sensor", w.valid[at][0], w.valid[at][1])
		}
	case fault.WrongType:
		switch kind := w.types[at]; {
		case w.unmade[at] != "":
			return "nothing that is sent fits: the profile cannot fill this field, since " + w.unmade[at] +
				"; have the profile or the kind mended"
		case w.changes[at]:
			return "send a state there: a text, a number, true or false"
		case w.preset != nil && (kind == "int" || kind == "float"):
			return w.numeral(at)
		case kind == "bool":
			return "send the type that the kind names: true or false, not as text or number"
		case kind == "string":
			return "send the type that the kind names: a text"
		case kind == "time":
			return "send the type that the kind names: a time as text, 2026-11-23T10:00:00Z"
		}
	case fault.BadForm:
		if w.forms[at] != "" && w.forms[at] != "mac48" {
			return "send the identifier as " + formWords[w.forms[at]]
		}
	case fault.NotANumber, fault.NoUnit:
		return w.number(at, f.Code)
	}
	return ""
}

// number says what a number may be, and in which unit.
func (w *words) number(at int, c fault.Code) string {
	switch {
	case c == fault.NoUnit &&
		(w.preset == nil || w.preset.Format == preset.SenML || w.preset.Format == preset.SenMLCBOR):
		return "send in u the unit that the kind has, or one that is converted to it"
	case c == fault.NoUnit || w.preset == nil:
		return ""
	case w.types[at] == "int":
		return "send whole numbers; where the device measures fractions, the kind's field has to be a float"
	}
	return "send finite numbers, written as in 61.5: with a point, and no unit behind"
}

// numeral says how a number is sent to a preset's sensor.
func (w *words) numeral(at int) string {
	if w.texts[at] || w.preset.Number == "text" {
		return "send a number there, or the text of one"
	}
	return "send a number there; where the device sends it as a text, number: text in the profile reads it, and " +
		"where it sends a word, words"
}

// formWords are the forms of identifiers; see package format.
var formWords = map[string]string{
	"eui64": "EUI-64, 16 hexadecimal digits", "uuid": "UUID, 32 hexadecimal digits in groups of 8-4-4-4-12",
	"plate": "plate, 1 to 16 letters and digits",
}

// inEnvelope says of a fault what a preset means by it.
func (w *words) inEnvelope(f fault.Fault, pointer, rule, fix *string) {
	p := w.preset
	switch {
	case f.Key() != "":
		w.key(f, pointer, rule, fix)
	case f.Code == fault.UnknownTopic:
		*fix = "publish as the preset has it, and register the device as it is named there"
	case f.Code == fault.NoDevice:
		*pointer = p.Device
	case f.Code == fault.NotJSON:
		*rule, *fix = "preset", w.advised(written(p.Format))
	case f.Code == fault.NotMapped:
		if *pointer == "/*" {
			*pointer = cmp.Or(p.Root, *pointer)
		}
		*fix = w.advised("none of the kind's fields is where the map, the profile or the preset looks for it: name a " +
			"pointer of the message in map, or a profile")
		if p.Format == preset.Sparkplug {
			*fix = "no metric of it has a name that is known: data need the birth of their edge node, and the " +
				"gateway asks for one; compare the map's names with those of the birth"
		}
	}
}

// key is inEnvelope for what is around a reading.
func (w *words) key(f fault.Fault, pointer, rule, fix *string) {
	p := w.preset
	switch f.Key() {
	case "ts":
		if len(p.TS) > 0 {
			*pointer, *rule = p.TS[0].Pointer, "preset"
		}
		if f.Code == fault.BadTime {
			*fix = "this preset reads the time as " + strings.Join(w.times(*pointer), " or ") + ", and this is " +
				"none: set the device's format, or name it in a preset of your own, under ts"
		}
	case "seq":
		*pointer = p.Seq.Pointer
		if f.Code == fault.WrongType {
			*fix = "send a whole number from 0 there"
		}
	case "each", "each inside":
		if *rule = "preset"; len(p.Each) > 0 { // else the message itself
			*pointer = p.Each[0]
		}
		if f.Key() == "each inside" {
			*pointer = p.Each[len(p.Each)-1]
		}
	case "pairs":
		*pointer, *rule = p.Pairs.List, "preset"
	case "boot":
		*pointer = p.Boot
		if f.Code == fault.WrongType {
			*fix = "send a whole number or a text there"
		}
	}
}

// times are the forms in which a preset reads a time at a pointer.
func (w *words) times(pointer string) (list []string) {
	for _, t := range w.preset.TS {
		if t.Pointer == pointer && !slices.Contains(list, t.As) {
			list = append(list, t.As)
		}
	}
	return list
}

// advised adds what a preset says that is forgotten most often.
func (w *words) advised(fix string) string {
	if w.preset.Advice != "" {
		fix += "; " + w.preset.Advice
	}
	return fix
}

// written says how a message of a format is written.
func written(f preset.Format) string {
	switch f {
	case preset.JSON:
		return "send one message in JSON, with no bytes before it (UTF-8 without a byte order mark)"
	case preset.CBOR:
		return "send one message in CBOR"
	case preset.SenML:
		return "send a SenML pack in JSON"
	case preset.SenMLCBOR:
		return "send a SenML pack in CBOR"
	case preset.Sparkplug:
		return "send Sparkplug's own bytes (protobuf), not JSON"
	case preset.Unquoted:
		return "send one object without quotes, and with nothing inside others: {t:2026-11-23T10:00:00Z,53:61.5}"
	case preset.Value:
		return "send one bare value: a number, a text, true or false"
	}
	return "send what the preset reads"
}

// spokenBy are the words that a profile has for a field.
func spokenBy(p *preset.Profile, field string) []string {
	if p == nil || p.Fields[field].Words == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(p.Fields[field].Words))
}
