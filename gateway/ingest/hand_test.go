package ingest

import (
	"sluice/gateway/ingest/internal/intake"
)

// sensor is the register's first.
func (i *Ingest) sensor() *sensor { return i.routing.sensors[0] }

// deliver takes all of a message of a sensor; readings without a time are of the given one.
func (i *Ingest) deliver(s *sensor, m *intake.Message, at int64) {
	i.reception.serial++
	d := &i.reception.small
	d.message, d.to, d.sensor, d.serial = m, target{sensor: s}, s, i.reception.serial
	i.reception.small.decoder.Decode(m.Payload, s.shape, at, &i.reception.small)
}

// decode does it for a message of the first sensor that was received at noon.
func (i *Ingest) decode(payload []byte, at int64) {
	i.deliver(i.sensor(), &intake.Message{Topic: "city/v1/o/a/up", Payload: payload, Received: noon}, at)
}

// beat takes a heartbeat of the first sensor that was received at noon.
func (i *Ingest) beat(payload string) {
	i.reception.heartbeat(i.sensor(),
		&intake.Message{Topic: "city/v1/o/a/hb", Payload: []byte(payload), Received: noon})
}
