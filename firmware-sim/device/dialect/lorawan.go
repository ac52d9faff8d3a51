package dialect

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	"sluice/firmware-sim/street"
)

// radioKinds are the devices behind a LoRaWAN server: a Milesight WS302, a Milesight VS133, a Bosch
// TPS110, and an air station whose codec uses the kind's names.
var radioKinds = []street.Kind{street.Noise, street.Gate, street.Bay, street.Air}

func radioEntry(k street.Kind) string {
	return map[street.Kind]string{
		street.Noise: "profile: milesight-ws302", street.Gate: "profile: milesight-people",
		street.Bay: "profile: bosch-tps110",
	}[k]
}

// uplink is a frame and what the server's codec makes of it.
type uplink struct {
	port    int
	frame   []byte
	decoded object
}

// codec makes the frame of a reading, in the device's own format.
func codec(kind street.Kind, r Reading) uplink {
	switch kind {
	case street.Noise: // TLV: 01 75 battery, 05 5b weighting LAF LAeq LAFmax in 0.1 dB
		level := number(r.Fields["laeq"])
		fast, peak := round1(level+1.3), round1(level+8.4)
		frame := []byte{0x01, 0x75, 100, 0x05, 0x5b, 0x05}
		for _, v := range []float64{fast, level, peak} {
			frame = binary.LittleEndian.AppendUint16(frame, uint16(math.Round(v*10)))
		}
		return uplink{85, frame, object{"battery": 100, "LAF": fast, "LAeq": level, "LAFmax": peak}}
	case street.Gate: // TLV: 03 d2 total in, 04 d2 total out of line 1
		in, gone := uint32(r.Totals["entered"]), uint32(r.Totals["left"])
		frame := binary.LittleEndian.AppendUint32([]byte{0x03, 0xd2}, in)
		frame = binary.LittleEndian.AppendUint32(append(frame, 0x04, 0xd2), gone)
		return uplink{85, frame, object{"line_1_total_in": in, "line_1_total_out": gone}}
	case street.Bay: // one byte, on the port of parking status
		occupied, _ := r.Fields["occupied"].(bool)
		frame := []byte{0}
		if occupied {
			frame[0] = 1
		}
		return uplink{1, frame, object{"type": "parking status", "occupied": occupied}}
	}
	o := object{"battery": 3.6}
	var frame []byte
	for _, name := range sorted(r.Fields) {
		o[name] = r.Fields[name]
		frame = binary.BigEndian.AppendUint16(frame, uint16(number(r.Fields[name])))
	}
	return uplink{2, frame, o}
}

func round1(x float64) float64 { return math.Round(x*10) / 10 }

// radio is what both servers have: devices that join, and are heard by a gateway.
type radio struct {
	silent
	joins []uint64 // of each sensor
}

func newRadio(c Crew) radio { return radio{silent{c}, make([]uint64, len(c.Sensors))} }

// address is the device's address since its last join.
func (l *radio) address(sensor int) string {
	h := hash(l.Boot+l.joins[sensor]<<32, "devaddr", l.Sensors[sensor].Device)
	return fmt.Sprintf("%08x", 0x26000000|uint64(h)&0xffffff)
}

func (l *radio) session(sensor int) identity {
	return hash(l.Boot+l.joins[sensor]<<32, "session", l.Sensors[sensor].Device)
}

// ttn is The Things Stack v3's MQTT server: received_at is the server's time, and zeros are left out.
type ttn struct{ radio }

func newTTN(c Crew) Speaker { return &ttn{newRadio(c)} }

const application = "portalba"

func (t *ttn) ids(sensor int) object {
	device := last(t.Sensors[sensor].Device)
	return object{
		"device_id": device, "application_ids": object{"application_id": application},
		"dev_eui": strings.ToUpper(strings.TrimPrefix(device, "eui-")), "join_eui": "0000000000000000",
		"dev_addr": strings.ToUpper(t.address(sensor)),
	}
}

func (t *ttn) topic(sensor int, what string) string {
	app, device, _ := strings.Cut(t.Sensors[sensor].Device, "/")
	return "v3/" + app + "/devices/" + device + "/" + what
}

func (t *ttn) correlation(sensor int, what string, n uint64) []string {
	return []string{fmt.Sprintf("as:up:%026X", uint64(hash(n, what, t.Sensors[sensor].Device, t.address(sensor))))}
}

// Start implements Speaker: every device joins.
func (t *ttn) Start(now time.Time) (out []Message) {
	for _, i := range t.Own {
		if !t.Sensors[i].Dead {
			out = append(out, t.join(i, now))
		}
	}
	return out
}

// Reboot implements Speaker.
func (t *ttn) Reboot(sensor int, now time.Time) []Message {
	t.joins[sensor]++
	return []Message{t.join(sensor, now)}
}

func (t *ttn) join(sensor int, now time.Time) Message {
	return Message{Topic: t.topic(sensor, "join"), Payload: encoded(object{
		"end_device_ids": t.ids(sensor), "correlation_ids": t.correlation(sensor, "join", 0), "received_at": nanos(now),
		"join_accept": object{"session_key_id": t.key(sensor), "received_at": nanos(now)},
	})}
}

func (t *ttn) key(sensor int) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(t.session(sensor))))
}

// Say implements Speaker.
func (t *ttn) Say(sensor int, list []Reading) (out []Message) {
	for _, r := range list {
		up := codec(t.Sensors[sensor].Kind, r)
		heard := r.Time.Add(-30 * time.Millisecond)
		message := object{
			"session_key_id": t.key(sensor), "f_port": up.port,
			"frm_payload":     base64.StdEncoding.EncodeToString(up.frame),
			"decoded_payload": with(up.decoded, r), "received_at": nanos(r.Time),
			"rx_metadata": []object{{
				"gateway_ids": object{"gateway_id": "portalba-roof", "eui": "0016C001F1000001"}, "time": nanos(heard),
				"timestamp": uint32(heard.UnixMicro()), "rssi": -97, "channel_rssi": -97, "snr": 7.2,
				"location":     object{"latitude": 41.38, "longitude": 2.17, "source": "SOURCE_REGISTRY"},
				"uplink_token": "ChsKGQoNcG9ydGFsYmE=", "received_at": nanos(heard),
			}},
			"settings": object{
				"data_rate": object{"lora": object{"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}},
				"frequency": "868300000", "timestamp": uint32(heard.UnixMicro()), "time": nanos(heard),
			},
			"consumed_airtime": "0.056576s",
			"version_ids":      object{"brand_id": "sluice", "model_id": string(t.Sensors[sensor].Kind)},
			"network_ids":      object{"net_id": "000013", "tenant_id": "ttn", "cluster_id": "eu1"},
		}
		if r.Seq > 0 {
			message["f_cnt"] = uint32(r.Seq)
		}
		out = append(out, Message{Topic: t.topic(sensor, "up"), Payload: encoded(object{
			"end_device_ids": t.ids(sensor), "correlation_ids": t.correlation(sensor, "up", r.Seq),
			"received_at": nanos(r.Time.Add(200 * time.Millisecond)), "uplink_message": message,
		})})
	}
	return out
}

func nanos(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// chirpstack is ChirpStack v4's MQTT integration with json=true: one event a topic, zeros left out.
type chirpstack struct{ radio }

func newChirpStack(c Crew) Speaker { return &chirpstack{newRadio(c)} }

func (c *chirpstack) event(sensor int, what string, now time.Time, n uint64, more object) Message {
	s := c.Sensors[sensor]
	tenant := hash(0, "tenant")
	app := tenant.next().uuid()
	o := object{
		"deduplicationId": hash(n, what, c.address(sensor), now.String()).uuid(),
		"time":            now.UTC().Format("2006-01-02T15:04:05.000000000+00:00"),
		"deviceInfo": object{
			"tenantId": tenant.uuid(), "tenantName": "Portalba", "applicationId": app, "applicationName": application,
			"deviceProfileId": hash(0, string(s.Kind)).uuid(), "deviceProfileName": string(s.Kind),
			"deviceName": s.ID, "devEui": s.Device, "deviceClassEnabled": "CLASS_A", "tags": object{"place": s.Zone},
		},
	}
	for key, v := range more {
		o[key] = v
	}
	return Message{Topic: "application/" + app + "/device/" + s.Device + "/event/" + what, Payload: encoded(o)}
}

// Start implements Speaker: every device joins.
func (c *chirpstack) Start(now time.Time) (out []Message) {
	for _, i := range c.Own {
		if !c.Sensors[i].Dead {
			out = append(out, c.join(i, now))
		}
	}
	return out
}

// Reboot implements Speaker.
func (c *chirpstack) Reboot(sensor int, now time.Time) []Message {
	c.joins[sensor]++
	return []Message{c.join(sensor, now)}
}

func (c *chirpstack) join(sensor int, now time.Time) Message {
	return c.event(sensor, "join", now, 0, object{"devAddr": c.address(sensor)})
}

// Beat implements Speaker: the answer to the server's device-status request.
func (c *chirpstack) Beat(sensor int, now time.Time, _ string, seq uint64) []Message {
	return []Message{c.event(sensor, "status", now, seq, object{"margin": 10, "batteryLevel": 88.3})}
}

// Say implements Speaker.
func (c *chirpstack) Say(sensor int, list []Reading) (out []Message) {
	for _, r := range list {
		up := codec(c.Sensors[sensor].Kind, r)
		more := object{
			"devAddr": c.address(sensor), "dr": 5, "fPort": up.port,
			"data": base64.StdEncoding.EncodeToString(up.frame), "object": with(up.decoded, r),
			"rxInfo": []object{{
				"gatewayId": "0016c001f1000001", "uplinkId": uint32(hash(r.Seq, c.Sensors[sensor].Device)),
				"rssi": -97, "snr": 7.2, "location": object{"latitude": 41.38, "longitude": 2.17, "altitude": 40},
				"context": "E3OWOQ==", "metadata": object{"region_name": "eu868", "region_common_name": "EU868"},
			}},
			"txInfo": object{"frequency": 868300000, "modulation": object{"lora": object{
				"bandwidth": 125000, "spreadingFactor": 7, "codeRate": "CR_4_5"}}},
		}
		if r.Seq > 0 {
			more["fCnt"] = uint32(r.Seq)
		}
		out = append(out, c.event(sensor, "up", r.Time, r.Seq, more))
	}
	return out
}
