package tap

import (
	"strings"
	"time"

	"sluice/certify/envelope"
	"sluice/register/preset"
)

// Language is what a device speaks.
type Language interface {
	// Hear notes what a publication of the device is to a gateway: Where, and Known, Stamps and Every.
	Hear(topic string, payload []byte, m *Message)
}

// Plain is the language of docs/wire.md, on the two topics of a sensor.
func Plain(readings, heartbeats string) Language {
	return &plain{readings, heartbeats, envelope.NewReader()}
}

type plain struct {
	readings, heartbeats string
	reader               *envelope.Reader
}

func (l *plain) Hear(topic string, payload []byte, m *Message) {
	switch topic {
	case l.readings:
		m.Where = Readings
		m.Stamps, m.Known = l.reader.Read(payload, m.At)
	case l.heartbeats:
		m.Where = Heartbeats
		m.Every, m.Known = envelope.Beat(payload)
	}
}

// InPreset is the language of a preset, of one device. Its heartbeats come as often as the preset says, or else every.
func InPreset(p *preset.Preset, device string, every time.Duration) Language {
	return &wrapped{p, device, every, envelope.NewReader().In(p)}
}

type wrapped struct {
	preset *preset.Preset
	device string
	every  time.Duration
	reader *envelope.Wrapped
}

func (l *wrapped) Hear(topic string, payload []byte, m *Message) {
	var c preset.Captured
	for i := range l.preset.Topics {
		t := &l.preset.Topics[i]
		p := t.Matcher()
		if !p.Match(topic, &c) {
			continue
		}
		if id := string(p.DeviceOf(&c)); p.Identifies() && id != l.device && !strings.HasSuffix(id, "/"+l.device) {
			return
		}
		l.hear(t, payload, m)
		return
	}
}

func (l *wrapped) hear(t *preset.Topic, payload []byte, m *Message) {
	role := t.Role
	if role == preset.Reading || role == preset.Birth {
		m.Where = Readings
		m.Stamps, m.Known, role = l.reader.Read(payload, m.At)
	}
	switch {
	case role == preset.Heartbeat && l.reader.Says(t.When, payload):
		m.Where, m.Known = Heartbeats, true
		m.Every = l.every
		for _, every := range []time.Duration{l.preset.Every.Nominal(), t.Every.Nominal()} {
			if every > 0 {
				m.Every = every
			}
		}
	case role != preset.Reading && role != "":
		m.Where = Beside
	}
}
