package ingest

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/intake"
	"sluice/register"
	"sluice/register/preset"
)

// system is a preset whose messages sensors send.
type system struct {
	preset   *preset.Preset
	envelope *format.Envelope
	profiles preset.Shelf[preset.Profile]
	devices  map[string]*sensor // those on its patterns, by the identity that it has for them
	// owners are whose devices are behind an edge node of Sparkplug, by GROUP/NODE.
	owners map[string]string
}

// patternRoute is a topic with captures.
type patternRoute struct {
	topic  *preset.Pattern
	role   preset.Role
	system *system
	sensor *sensor // whose own topic it is; nil for one of a preset
	beat   *beat   // what of a preset's heartbeats there is one, and how often it comes
}

// addWrapped adds a sensor that sends messages in a preset's envelope.
func (r *roster) addWrapped(s *sensor, all *preset.Library) {
	e := s.entry
	p := all.Presets.Of(e.Preset) // whoever read the register has looked
	sys := r.systems[e.Preset]
	if sys == nil {
		sys = &system{p, format.NewEnvelope(p, time.UTC), all.Profiles, make(map[string]*sensor),
			make(map[string]string)}
		r.systems[e.Preset] = sys
	}
	s.system = sys
	if e.OnPatterns() {
		sys.devices[e.Device] = s
		if p.Format == preset.Sparkplug {
			sys.owners[register.Node(e.Device)] = e.Owner
		}
		return
	}
	own, _ := e.Pattern() // the same
	if !own.NamesField() {
		r.targets[e.Topic] = target{sensor: s, role: preset.Reading, system: sys}
		return
	}
	r.patterns = append(r.patterns, patternRoute{&own, preset.Reading, sys, s, nil})
}

// addPatterns adds the topics of the presets on whose patterns sensors are. Sensors' own come
// before them.
func (r *roster) addPatterns() {
	for _, id := range slices.Sorted(maps.Keys(r.systems)) {
		sys := r.systems[id]
		if len(sys.devices) == 0 {
			continue
		}
		for i := range sys.preset.Topics {
			t := &sys.preset.Topics[i]
			r.patterns = append(r.patterns, patternRoute{t.Matcher(), t.Role, sys, nil, newBeat(sys.preset, t)})
		}
	}
}

// metricNames are the names that fields of Sparkplug's sensors are made of.
func (r *roster) metricNames() *map[string]bool {
	names := make(map[string]bool)
	for _, sys := range r.systems {
		for _, s := range sys.devices {
			if sys.preset.Format == preset.Sparkplug && s.shape != nil {
				s.shape.Names(func(name string) { names[name] = true })
			}
		}
	}
	return &names
}

// setZone gives presets the city's time zone, once it is known.
func (r *roster) setZone(city *time.Location) {
	for _, sys := range r.systems {
		sys.envelope = format.NewEnvelope(sys.preset, city)
	}
}

// find finds what a message's topic stands for. Of each preset the first pattern that fits counts;
// of several presets that which knows the device, before one whose messages name it, before one
// that ignores the topic. Then captured are its levels.
//
// What a sensor is called in another system is a secret, such as a meter's number. So to whom may
// not send for it, it is as unknown as one that is not registered.
func (r *roster) find(m *intake.Message, captured *preset.Captured) (target, bool) {
	topic := m.Topic
	if t, known := r.targets[topic]; known {
		return t, t.public() || t.mayCome(m)
	}
	var maybe, ignored target
	var done *system // whose first pattern was found
	for i := range r.patterns {
		p := &r.patterns[i]
		if p.sensor == nil && p.system == done || !p.topic.Match(topic, captured) {
			continue
		}
		t := target{sensor: p.sensor, role: p.role, system: p.system, topic: p.topic, beat: p.beat}
		switch done = p.system; {
		case p.sensor != nil && t.mayCome(m):
			return t, true
		case p.sensor != nil:
		case p.role == preset.Ignore:
			ignored = t
		case !p.topic.Identifies():
			maybe = t
		default:
			device := p.topic.DeviceOf(captured)
			if t.sensor = p.system.device(device); t.sensor != nil && t.mayCome(m) {
				return t, true
			}
			t.sensor = nil
			if t.owner = p.system.ownerOf(device); t.owner != "" && t.mayCome(m) {
				return t, true // another device of an edge node: its births and counts are needed
			}
		}
	}
	switch {
	case maybe.system != nil:
		maybe.topic.Match(topic, captured)
		return maybe, true
	case ignored.system != nil:
		return ignored, true
	}
	return target{}, false
}

// device finds a sensor by the identity that a topic has for it: all of it, or the last level, where
// the register names no more.
func (s *system) device(id []byte) *sensor {
	if one := s.devices[string(id)]; one != nil {
		return one
	}
	if i := bytes.LastIndexByte(id, '/'); i >= 0 {
		return s.devices[string(id[i+1:])]
	}
	return nil
}

// ownerOf is whose the edge node of a device is that is nobody's; empty for none.
func (s *system) ownerOf(device []byte) string {
	if len(s.owners) == 0 {
		return ""
	}
	return s.owners[register.Node(string(device))]
}

// mayCome reports whether a message's sender may publish there. Of a message that names its device
// itself it is looked at later.
func (t *target) mayCome(m *intake.Message) bool {
	switch {
	case !m.Checked:
		return true
	case t.sensor != nil:
		return t.sensor.speaksFor(m.Sender)
	case t.owner != "":
		return t.owner == m.Sender
	}
	return true
}

// public reports whether everybody can read in the public register that there is such a topic: it is
// the standard one of a sensor that stands for no home.
func (t *target) public() bool {
	return t.sensor == nil || !t.sensor.entry.Private() && !t.sensor.home
}

// speaksFor reports whether a sender may send for a sensor: itself, or its owner where one client
// sends for all of the owner's devices.
func (s *sensor) speaksFor(sender string) bool {
	return sender == s.entry.ID || s.entry.OnPatterns() && sender == s.entry.Owner
}

// Find finds the sensor whose device a message names, and takes up its readings. Those of devices that the register has
// not are strangers' until the message ends.
func (d *delivery) Find(device []byte) *format.Shape {
	d.sensor = nil
	s := d.to.system.devices[string(device)]
	if s == nil || d.message.Checked && !s.speaksFor(d.message.Sender) { // see find
		d.strangers++
		return nil
	}
	d.sensor, d.acquainted = s, true
	s.heard.message(d.message.Received)
	d.outcome.settled = d.outcome.settled || s.home // nobody is told what becomes of a home's
	if why := s.unread(); why != fault.None {
		d.refuse(fault.New(why), nil)
		return nil
	}
	if s.unmapped {
		d.in.feedback.add(s, fault.New(fault.Unfit), nil)
	}
	return s.shape
}

// settleStrangers counts the readings of devices that the register has not. A device of a few parts sends for all of
// them at once, and a town names those that it reads: beside one of these, the others are known to be none of the
// town's, and no mistake. A message that names nobody it knows is one.
func (d *delivery) settleStrangers() {
	n := d.strangers
	d.strangers = 0
	for range n {
		if d.acquainted {
			d.Ignored()
			continue
		}
		d.sensor = nil
		d.refuse(fault.New(fault.UnknownTopic), nil)
	}
}

// Nobody counts a reading that does not say whose it is.
func (d *delivery) Nobody(why fault.Code) *format.Shape {
	d.sensor = nil
	d.refuse(fault.New(why), nil)
	return nil
}

// unwrap opens a message in a preset's envelope, and reports whether there are readings in it.
func (d *delivery) unwrap(received int64) bool {
	w := format.Wrapped{Envelope: d.to.system.envelope, Topic: d.to.topic, Captured: &d.captured, Finder: d,
		Memory: d}
	if d.sensor != nil {
		w.Shape = d.sensor.shape
	}
	switch d.decoder.BeginWrapped(d.message.Payload, w, received, d) {
	case preset.Reading:
		return true
	case preset.Heartbeat:
		if d.sensor != nil {
			d.in.wrappedHeartbeat(d.sensor, d.message, d.to.system.preset.Every.Nominal())
		}
	case preset.Ignore:
		d.in.ignore()
		d.outcome.settled = true
	}
	return false
}
