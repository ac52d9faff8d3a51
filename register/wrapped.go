package register

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/register/preset"
)

// maxDevice is how many bytes a device's identity may have.
const maxDevice = 256

// MaxQuota is how many readings a minute a quota can allow.
const MaxQuota = 1_000_000

// PresetsDir is where a city's own presets and profiles are: in presets, beside the register's file
// or inside its directory.
func PresetsDir(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, "presets")
	}
	return filepath.Join(filepath.Dir(path), "presets")
}

// OnPatterns reports whether the sensor's messages come on the topics of its preset, which it
// shares with others, and not on one of its own.
func (s *Sensor) OnPatterns() bool { return s.Preset != "" && s.Topic == "" }

// Mapped reports whether the entry says itself where its fields are, so that it can be wrong where
// others of its kind are not.
func (s *Sensor) Mapped() bool { return len(s.Map) > 0 || s.Preset != "" }

// Pattern is the sensor's own topic as a pattern, which can capture the name of a field.
func (s *Sensor) Pattern() (preset.Pattern, error) { return preset.ParsePattern(s.Topic) }

// Filter is what the sensor publishes to, as a filter; empty where that is on its preset's patterns.
func (s *Sensor) Filter() string {
	if s.Preset == "" || s.Topic == "" {
		return s.UpTopic()
	}
	p, _ := s.Pattern() // looked at when it was read
	return p.Filter()
}

// checkWrapped refuses an entry whose preset, profile, device and topic do not go together.
func (s *Sensor) checkWrapped() string {
	switch {
	case s.Preset == "" && (s.Device != "" || s.Profile != ""):
		return "device and profile go with a preset, which says where in a message they are; name one, or take them out"
	case s.Preset == "":
		return ""
	case s.Topic != "" && s.Device != "":
		return "a topic of the sensor's own says whose its messages are; take device out, or topic"
	case s.OnPatterns() && s.Device == "":
		return "device is missing: the identity that the preset finds in the topic or the message, e.g. the DevEUI"
	case len(s.Device) > maxDevice || !plain(s.Device) || strings.ContainsAny(s.Device, "+#"):
		return "device must be one line of at most 256 bytes without + and #"
	case s.Topic == "":
		return ""
	}
	p, err := s.Pattern()
	if err != nil {
		return "topic: " + err.Error()
	}
	if strings.Contains(p.Filter(), "#") || p.Identifies() || strings.Count(p.Filter(), "+") > 1 ||
		strings.Count(p.Filter(), "+") == 1 && !p.NamesField() {
		return "topic is the sensor's own: it can hold {field}, for the name of a field, and no other pattern"
	}
	return ""
}

// SendsOn reports whether a sensor may be who sends on a topic; several may, where the message itself names the device.
func (r *Register) SendsOn(s *Sensor, topic string) bool {
	var c preset.Captured
	switch {
	case topic == s.HeartbeatTopic() || s.Preset == "" && topic == s.UpTopic():
		return true
	case s.Preset == "":
		return false
	case s.Topic != "":
		own, err := s.Pattern()
		return err == nil && own.Match(topic, &c)
	}
	for i := range r.Presets.Presets.Of(s.Preset).Topics {
		if p := r.Presets.Presets.Of(s.Preset).Topics[i].Matcher(); p.Match(topic, &c) {
			id := string(p.DeviceOf(&c))
			return !p.Identifies() || id == s.Device || id[strings.LastIndexByte(id, '/')+1:] == s.Device
		}
	}
	return false
}

// Node is the edge node GROUP/NODE that a device of Sparkplug is behind.
func Node(device string) string {
	group, rest, _ := strings.Cut(device, "/")
	node, _, _ := strings.Cut(rest, "/")
	return group + "/" + node
}

// device notes an identity that is not told apart from others.
func (c *checker) device(n int) {
	s := &c.reg.Sensors[n]
	if !s.OnPatterns() || strings.Contains(s.Device, "/") {
		return
	}
	for _, t := range c.reg.Presets.Presets.Of(s.Preset).Topics {
		if t.Role == preset.Reading && t.Matcher().Parts() > 1 {
			c.note(n,
				"device names the last part of an identity of several, so that it takes the messages of all devices "+
					"that share it; where there may be more than one, name all parts, as in %s", quote(t.Pattern))
			return
		}
	}
}

// profile says which of the kind's fields the profile cannot fill, for their units, and where it fills
// none at all.
func (c *checker) profile(n int, kind Kind) {
	s := &c.reg.Sensors[n]
	p := c.reg.Presets.Profiles.Of(s.Profile)
	if p == nil {
		return
	}
	filled := len(s.Map) > 0
	for _, f := range kind.Fields {
		of, named := p.Fields[f.Name]
		if !named || of.Ignore || s.Map[f.Name] != "" {
			continue
		}
		filled = true
		if why := of.Makes(f.Type); why != "" {
			c.say(n, "profile %s cannot fill %s of kind %s: %s", quote(s.Profile), quote(f.Name), quote(s.Kind), why)
		}
		if of.Fraction && f.Type == "int" {
			c.note(n, "devices of profile %s send fractions of %s, which is an int of kind %s: a reading with one is "+
				"refused (E200); have the kind's field be a float", quote(s.Profile), quote(f.Name), quote(s.Kind))
		}
		if !of.Unit.Becomes(f.Unit) {
			c.say(n,
				"profile %s has %s in %s, and kind %s in %s, which one cannot be converted to; mend the unit in one "+
					"of "+
					"them", quote(s.Profile), quote(f.Name), quote(of.Unit.String()), quote(s.Kind), quote(f.Unit))
		}
	}
	if !filled {
		c.say(n,
			"profile %s fills none of the fields of kind %s, which are %s; it has %s: choose another kind, or map them",
			quote(s.Profile), quote(s.Kind), strings.Join(fieldsOf(kind), ", "),
			strings.Join(slices.Sorted(maps.Keys(p.Fields)), ", "))
	}
}

// checkPreset says what is wrong with an entry's preset and profile, given all that there are.
func (s *Sensor) checkPreset(lib *preset.Library) string {
	if s.Preset == "" {
		return ""
	}
	p, err := lib.Preset(s.Preset)
	if err != nil {
		return "preset " + quote(s.Preset) + ": " + err.Error()
	}
	if s.Profile != "" {
		if _, err := lib.Profile(s.Profile); err != nil {
			return "profile " + quote(s.Profile) + ": " + err.Error()
		}
	}
	switch {
	case p.Format == preset.Sparkplug && !s.OnPatterns():
		return "device names a sensor of Sparkplug, e.g. GROUP/NODE/DEVICE: its births come on topics of their own; " +
			"take topic out"
	case p.Format == preset.Sparkplug && !strings.Contains(s.Device, "/"):
		return "device of Sparkplug is GROUP/NODE/DEVICE, or GROUP/NODE for the edge node's own metrics"
	case s.OnPatterns() && !slices.ContainsFunc(p.Topics, func(t preset.Topic) bool {
		return t.Role == preset.Reading
	}):
		return "preset " + quote(s.Preset) + " has no topics; name the sensor's own with topic"
	case strings.Contains(s.Topic, "{field}") && p.Format != preset.Value:
		return "topic can hold {field} where the preset's format is value, one bare value a message"
	}
	if why := p.Reads(lib.Profiles.Of(s.Profile), s.own()); why != "" {
		return "profile " + quote(s.Profile) + " of preset " + quote(s.Preset) + ": " + why
	}
	return ""
}

// own is the sensor's own topic as a pattern; nil where its messages come on the preset's.
func (s *Sensor) own() *preset.Pattern {
	if s.OnPatterns() {
		return nil
	}
	p, _ := s.Pattern() // looked at when it was read
	return &p
}

// Filters are what a client of the city's broker subscribes to for the sensors that do not publish
// below city/v1: their own topics, and those of the presets that they use, each once. What a
// preset ignores is not asked for.
func (r *Register) Filters() []string {
	all := make(map[string]bool)
	for id := range r.presetsUsed() {
		maps.Copy(all, filtersOf(r.Presets.Presets.Of(id)))
	}
	for n := range r.Sensors {
		s := &r.Sensors[n]
		if filter := s.Filter(); filter != "" && !strings.HasPrefix(filter, "city/v1/") {
			all[filter] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Births are those of Filters on which a message is understood by who has read the ones before: Sparkplug's, where a
// birth says what the numbers are that come later.
func (r *Register) Births() (list []string) {
	for id := range r.presetsUsed() {
		if p := r.Presets.Presets.Of(id); p.Format == preset.Sparkplug {
			list = append(list, slices.Sorted(maps.Keys(filtersOf(p)))...)
		}
	}
	return list
}

// presetsUsed are the presets on whose patterns sensors are.
func (r *Register) presetsUsed() map[string]bool {
	used := make(map[string]bool)
	for n := range r.Sensors {
		if s := &r.Sensors[n]; s.OnPatterns() {
			used[s.Preset] = true
		}
	}
	return used
}

func filtersOf(p *preset.Preset) map[string]bool {
	out := make(map[string]bool)
	for i := range p.Topics {
		if t := &p.Topics[i]; t.Role != preset.Ignore {
			out[t.Matcher().Filter()] = true
		}
	}
	return out
}

// Commands are where the gateway asks edge nodes of Sparkplug for their births, as a filter; empty
// where there are none.
func (r *Register) Commands() string {
	for id := range r.presetsUsed() {
		if r.Presets.Presets.Of(id).Format == preset.Sparkplug {
			return "spBv1.0/+/NCMD/+"
		}
	}
	return ""
}

// Users are who may publish: the sensors, and the owners whose systems send for them.
func (r *Register) Users() []string {
	var list []string
	for n := range r.Sensors {
		list = append(list, r.Sensors[n].ID)
	}
	return append(list, slices.Sorted(maps.Keys(r.Systems()))...)
}

// Systems are whom the sensors on presets' patterns belong to, each with what it publishes to:
// one client, a network server or a bridge, sends for all of an owner's devices, under the
// owner's name.
func (r *Register) Systems() map[string][]string {
	found := make(map[string]map[string]bool)
	for n := range r.Sensors {
		s := &r.Sensors[n]
		if !s.OnPatterns() {
			continue
		}
		if found[s.Owner] == nil {
			found[s.Owner] = make(map[string]bool)
		}
		found[s.Owner][s.Preset] = true
	}
	out := make(map[string][]string, len(found))
	for owner, presets := range found {
		all := make(map[string]bool)
		for id := range presets {
			maps.Copy(all, filtersOf(r.Presets.Presets.Of(id)))
		}
		out[owner] = slices.Sorted(maps.Keys(all))
	}
	return out
}
