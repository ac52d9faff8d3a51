package ingest

import (
	"bytes"
	"strings"
	"unicode"

	"sluice/gateway/ingest/internal/format"
	"sluice/register/preset"
)

// isDevice reports whether an identity is the entry's: all of it, or its last part where the register names no more.
func (t *Trial) isDevice(id []byte) bool {
	e := t.sensor.entry
	return !e.OnPatterns() || string(id) == e.Device || string(id[bytes.LastIndexByte(id, '/')+1:]) == e.Device
}

// otherDevice says of a topic that it is another device's than the entry's, and whether it is only spelled otherwise.
func (t *Trial) otherDevice(id string) string {
	alike := func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}
	is, has := strings.Map(alike, id), strings.Map(alike, t.sensor.entry.Device)
	if is != "" && is == has {
		return "the register's device is spelled otherwise than in the topic (capitals, dashes, accents): write it " +
			"as there"
	}
	return "the topic is of another device than that of the register's entry, whose messages it takes for nobody's"
}

// lacking is the field that the profile has at a key, and the kind has not; empty for none.
func (t *Trial) lacking(k TriedKey) string {
	e := t.sensor.entry
	if e.Profile == "" {
		return ""
	}
	for name, src := range t.of.Presets.Profiles.Of(e.Profile).Fields {
		at := t.sensor.system.preset.Root + src.Pointer
		if src.Pointer != "" && !src.Ignore && (k.Pointer == at || strings.HasSuffix(k.Pointer, at) ||
			k.Name != "" && src.Pointer == "/"+k.Name) && !t.kindHas(name) {
			return name
		}
	}
	return ""
}

func (t *Trial) kindHas(field string) bool {
	for _, f := range t.of.Kind.Fields {
		if f.Name == field {
			return true
		}
	}
	return false
}

// own is the sensor's own topic as a pattern; nil where its messages come on the preset's, or it has not been told.
func (t *Trial) own() *preset.Pattern {
	if t.sensor.entry.Topic == "" {
		return nil
	}
	p, err := t.sensor.entry.Pattern()
	if err != nil {
		return nil
	}
	return &p
}

// condition is what a heartbeat says on a topic of the preset.
func (t *Trial) condition(topic string) *format.Condition {
	var c preset.Captured
	p := t.sensor.system.preset
	for i := range p.Topics {
		if p.Topics[i].Matcher().Match(topic, &c) {
			return format.NewCondition(p.Format, p.Topics[i].When)
		}
	}
	return nil
}
