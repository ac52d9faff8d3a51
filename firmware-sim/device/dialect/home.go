package dialect

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// zigbee is Zigbee2MQTT: a device's state on its friendly name, which is its address by default, with
// last_seen, the server's time, set to ISO_8601.
type zigbee struct{ silent }

func newZigbee(c Crew) Speaker { return &zigbee{silent{c}} }

// Start implements Speaker: the bridge says that it is up, and lists whom it knows.
func (z *zigbee) Start(time.Time) []Message {
	var list []object
	for _, i := range z.Own {
		list = append(list, object{"ieee_address": z.Sensors[i].Device, "friendly_name": z.Sensors[i].Device,
			"type": "EndDevice", "supported": true})
	}
	return []Message{
		{Topic: "zigbee2mqtt/bridge/state", Payload: []byte(`{"state":"online"}`), Retain: true},
		{Topic: "zigbee2mqtt/bridge/devices", Payload: encoded(list), Retain: true},
	}
}

// Reboot implements Speaker.
func (z *zigbee) Reboot(sensor int, _ time.Time) []Message {
	device := z.Sensors[sensor].Device
	return []Message{{Topic: "zigbee2mqtt/bridge/event", Payload: encoded(object{
		"type": "device_announce", "data": object{"friendly_name": device, "ieee_address": device},
	})}}
}

// Beat implements Speaker.
func (z *zigbee) Beat(sensor int, _ time.Time, _ string, _ uint64) []Message {
	return []Message{{Topic: "zigbee2mqtt/" + z.Sensors[sensor].Device + "/availability",
		Payload: []byte(`{"state":"online"}`)}}
}

// Say implements Speaker.
func (z *zigbee) Say(sensor int, list []Reading) (out []Message) {
	for _, r := range list {
		out = append(out, Message{Topic: "zigbee2mqtt/" + z.Sensors[sensor].Device, Payload: encoded(with(object{
			"occupancy": r.Fields["occupied"], "battery": 97, "voltage": 3005, "linkquality": 120 + r.Seq%40,
			"last_seen": r.Time.UTC().Format("2006-01-02T15:04:05.000Z"),
		}, r))})
	}
	return out
}

// tasmota is Tasmota's telemetry of a PMS5003: the time is local, without a zone, and keys have dots.
type tasmota struct{ silent }

func newTasmota(c Crew) Speaker { return &tasmota{silent{c}} }

func (t *tasmota) local(at time.Time) string {
	if t.Location != nil {
		at = at.In(t.Location)
	}
	return at.Format("2006-01-02T15:04:05")
}

func (t *tasmota) topic(sensor int, what string) string {
	return "tele/" + t.Sensors[sensor].Device + "/" + what
}

// Start implements Speaker.
func (t *tasmota) Start(now time.Time) (out []Message) {
	for _, i := range t.Own {
		if !t.Sensors[i].Dead {
			out = append(out, t.Reboot(i, now)...)
		}
	}
	return out
}

// Reboot implements Speaker.
func (t *tasmota) Reboot(sensor int, _ time.Time) []Message {
	return []Message{
		{Topic: t.topic(sensor, "LWT"), Payload: []byte("Online"), Retain: true},
		{Topic: t.topic(sensor, "INFO1"), Payload: encoded(object{"Info1": object{
			"Module": "Generic", "Version": "14.2.0(tasmota)", "GroupTopic": "cmnd/tasmotas/",
			"FallbackTopic": "cmnd/" + t.Sensors[sensor].Device + "_fb/"}})},
	}
}

// Beat implements Speaker: STATE, with the network that would tell where it is.
func (t *tasmota) Beat(sensor int, now time.Time, _ string, seq uint64) []Message {
	return []Message{{Topic: t.topic(sensor, "STATE"), Payload: encoded(object{
		"Time": t.local(now), "Uptime": fmt.Sprintf("%dT00:05:00", seq/288), "UptimeSec": seq * 300, "Heap": 27,
		"SleepMode": "Dynamic", "Sleep": 50, "LoadAvg": 19, "MqttCount": 1,
		"Wifi": object{"AP": 1, "SSId": "Portalba-IoT", "BSSId": hash(0, t.Sensors[sensor].Device).mac(":"),
			"Channel": 6, "Mode": "11n", "RSSI": 78, "Signal": -61, "LinkCount": 1, "Downtime": "0T00:00:05"},
	})}}
}

// Say implements Speaker.
func (t *tasmota) Say(sensor int, list []Reading) (out []Message) {
	for _, r := range list {
		pm10 := number(r.Fields["pm10"])
		out = append(out, Message{Topic: t.topic(sensor, "SENSOR"), Payload: encoded(with(object{
			"Time": t.local(r.Time), "PMS5003": object{"CF1": 4, "CF2.5": 7, "CF10": 9, "PM1": math.Round(pm10 * .4),
				"PM2.5": math.Round(pm10 * .6), "PM10": pm10, "PB0.3": 1248, "PB0.5": 361, "PB1": 58, "PB2.5": 4,
				"PB5": 1, "PB10": 0}, "TempUnit": "C",
		}, r))})
	}
	return out
}

// esphome is ESPHome: a bare value on a topic for each component.
type esphome struct{ silent }

func newESPHome(c Crew) Speaker { return &esphome{silent{c}} }

// Start implements Speaker: the birth message, and the discovery message of Home Assistant.
func (e *esphome) Start(now time.Time) (out []Message) {
	for _, i := range e.Own {
		if e.Sensors[i].Dead {
			continue
		}
		device := e.Sensors[i].Device
		out = append(out, Message{Topic: "homeassistant/sensor/" + device + "/laeq/config", Payload: encoded(object{
			"name": "laeq", "stat_t": device + "/sensor/laeq/state", "avty_t": device + "/status",
			"unit_of_meas": "dB(A)", "uniq_id": "ESPsensorlaeq" + device,
			"dev": object{"ids": hash(0, device).mac(""), "name": device, "mf": "espressif"},
		}), Retain: true})
		out = append(out, e.Reboot(i, now)...)
	}
	return out
}

// Reboot implements Speaker.
func (e *esphome) Reboot(sensor int, _ time.Time) []Message {
	return []Message{{Topic: e.Sensors[sensor].Device + "/status", Payload: []byte("online"), Retain: true}}
}

// Say implements Speaker.
func (e *esphome) Say(sensor int, list []Reading) (out []Message) {
	prefix := e.Sensors[sensor].Device
	for _, r := range list {
		out = append(out,
			Message{Topic: prefix + "/sensor/laeq/state",
				Payload: strconv.AppendFloat(nil, number(r.Fields["laeq"]), 'f', -1, 64)},
			Message{Topic: prefix + "/debug", Payload: []byte("[D][sensor:094]: 'laeq': Sending state")})
		if _, more := r.Fields[debug]; more {
			out = append(out, Message{Topic: prefix + "/sensor/" + debug + "/state", Payload: []byte("1")})
		}
	}
	return out
}
