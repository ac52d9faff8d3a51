package preset

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkIdle finds keys that have no effect beside what else a preset says.
func (p *Preset) checkIdle(all *mistakes) {
	var there []string
	for _, c := range []struct {
		key string
		is  bool
	}{
		{"ts", len(p.TS) > 0}, {"seq", p.Seq.Pointer != ""}, {"boot", p.Boot != ""}, {"device", p.Device != ""},
		{"each", len(p.Each) > 0}, {"root", p.Root != ""}, {"pairs", p.Pairs != nil}, {"type", p.Types != nil},
		{"number", p.Number != ""},
	} {
		if c.is {
			there = append(there, c.key)
		}
	}
	for _, key := range there {
		if why := idle[p.Format]; why != "" && !slices.Contains(effective[p.Format], key) {
			all.add(wrong(key+": "+why+"; take it out", key))
		}
	}
	all.add(p.idleDevice())
	if !p.Every.IsZero() {
		all.add(p.checkEvery())
	}
}

// idle is why keys have no effect in messages of a format, but for those that are effective.
var (
	idle = map[Format]string{
		SenML:     "SenML says itself where its time, names and values are",
		SenMLCBOR: "SenML says itself where its time, names and values are",
		Value:     "a message that is one bare value has nothing beside it",
		RawBytes:  "a message that is bytes has no pointers in it, and a profile reads it",
	}
	effective = map[Format][]string{SenML: {"device"}, SenMLCBOR: {"device"}, Value: {"number"}}
)

// idleDevice refuses a place of the identity where every topic has it already.
func (p *Preset) idleDevice() error {
	if p.Device == "" || len(p.Topics) == 0 || slices.ContainsFunc(p.Topics, func(t Topic) bool {
		return t.Role == Reading && !t.pattern.Identifies()
	}) {
		return nil
	}
	return wrong("device: each topic says by {device} whose a message is, and what a message says is not looked at; "+
		"take one of them out", "device")
}

// checkEvery looks at how often heartbeats come.
func (p *Preset) checkEvery() error {
	if !beats(p.Every.Nominal()) {
		return wrong(howOften, "every")
	}
	if p.Types != nil && len(p.Types.Heartbeat) > 0 || slices.ContainsFunc(p.Topics, func(t Topic) bool {
		return t.Role == Heartbeat && t.Every.IsZero()
	}) {
		return nil
	}
	return wrong("every is how often a heartbeat comes, and no message is one: give a topic type: heartbeat", "every")
}

// covers reports whether each topic that fits another pattern fits this one.
func (p *Pattern) covers(o *Pattern) bool {
	for i, l := range p.levels {
		switch {
		case l.kind == '#':
			return true
		case i >= len(o.levels):
			return false
		case l.kind == '}':
			return o.levels[i].kind != '#'
		}
		switch other := o.levels[i]; {
		case other.kind == '#' || other.kind == '}':
			return false
		case l.kind == 0 && (other.kind != 0 || other.text != l.text):
			return false
		}
	}
	return len(p.levels) == len(o.levels)
}

// lacks says what a profile needs of messages in a preset's envelope that they have not; empty for nothing.
func (p *Preset) lacks(profile *Profile, own *Pattern) string {
	for _, name := range slices.Sorted(maps.Keys(profile.Fields)) {
		s := profile.Fields[name]
		deep := strings.Contains(strings.TrimPrefix(s.Pointer, "/"), "/")
		switch {
		case s.Capture != "" && !p.captures(s.Capture, own):
			return "its " + name + " is the level {" + s.Capture + "} of the topic, and no topic of readings " +
				"captures it"
		case deep && p.Pairs != nil:
			return "its " + name + " has a pointer of several keys, and the preset's readings are a list of names " +
				"and values: a pointer is one name, as in /53"
		case deep && (p.Format == SenML || p.Format == SenMLCBOR):
			return "its " + name + " has a pointer of several keys, and in SenML a value has one name, as in /level"
		}
	}
	return ""
}

// Beats reports whether a message of the preset can be a heartbeat.
func (p *Preset) Beats() bool {
	return p.Types != nil && len(p.Types.Heartbeat) > 0 ||
		slices.ContainsFunc(p.Topics, func(t Topic) bool { return t.Role == Heartbeat })
}

// captures reports whether a sensor's own topic, or else one of the preset's for readings, has such a level.
func (p *Preset) captures(name string, own *Pattern) bool {
	if own != nil {
		return own.Capture(name) >= 0
	}
	return slices.ContainsFunc(p.Topics, func(t Topic) bool {
		return (t.Role == Reading || t.Role == Birth) && t.pattern.Capture(name) >= 0
	})
}

// Makes says why a field of a kind's type can never be filled; empty where it can.
func (s *Source) Makes(kind string) string {
	number, truth := kind == "int" || kind == "float", kind == "bool"
	switch {
	case kind == "": // not known
		return ""
	case s.Counter != nil && !number:
		return "a counter makes a number, and the field is a " + kind
	case s.At != nil && s.Words == nil && !s.Change && !number:
		return "a place in bytes is a number, and the field is a " + kind + ": give it words"
	case s.Change && !truth:
		return "a change is true or false, and the field is a " + kind
	case s.Capture != "" && (number || truth):
		return "a level of the topic is a text, and the field is a " + kind
	case s.scales() && !number:
		return "scale, offset, unit and fraction are of a number, and the field is a " + kind
	}
	for _, text := range slices.Sorted(maps.Keys(s.Words)) {
		if w := s.Words[text]; (w.Kind == 'n') != number || (w.Kind == 'b') != truth {
			return fmt.Sprintf("the word %q stands for a %s, and the field is a %s", text, kinds[w.Kind], kind)
		}
	}
	return ""
}

var kinds = map[byte]string{'n': "number", 'b': "truth (true or false)", 't': "text"}
