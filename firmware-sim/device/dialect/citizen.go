package dialect

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// citizen is the Smart Citizen Kit: a token in the topic, and a list of sensor ids of its catalogue
// (53 is the noise in dB(A), 55 and 56 are temperature and humidity, 10 is the battery).
type citizen struct{ silent }

func newCitizen(c Crew) Speaker { return &citizen{silent{c}} }

func (c *citizen) topic(sensor int, what string) string {
	return "device/sck/" + c.Sensors[sensor].Device + "/" + what
}

// Start implements Speaker.
func (c *citizen) Start(now time.Time) (out []Message) {
	for _, i := range c.Own {
		if !c.Sensors[i].Dead {
			out = append(out, c.Reboot(i, now)...)
		}
	}
	return out
}

// Reboot implements Speaker: a kit says hello and who it is.
func (c *citizen) Reboot(sensor int, now time.Time) []Message {
	h := hash(0, c.Sensors[sensor].Device)
	return []Message{
		{Topic: c.topic(sensor, "hello"), Payload: []byte(c.Sensors[sensor].Device + ":Hello")},
		{Topic: c.topic(sensor, "info"), Payload: encoded(object{
			"time": now.UTC().Format(time.RFC3339), "hw_ver": "2.1", "id": h.uuid(), "sam_ver": "0.9.8",
			"mac": h.mac(":"), "esp_ver": "0.9.8",
		})},
	}
}

// Say implements Speaker.
func (c *citizen) Say(sensor int, list []Reading) (out []Message) {
	for _, r := range list {
		values := []object{
			{"id": 10, "value": 98}, {"id": 55, "value": 21.4}, {"id": 56, "value": 48.2},
			{"id": 53, "value": number(r.Fields["laeq"])},
		}
		if _, more := r.Fields[debug]; more {
			values = append(values, object{"id": 9999, "value": 1})
		}
		out = append(out, Message{Topic: c.topic(sensor, "readings"), Payload: encoded(object{
			"data": []object{{"recorded_at": r.Time.UTC().Format("2006-01-02T15:04:05Z"), "sensors": values}},
		})})
	}
	return out
}

// airrohr is Sensor.Community's firmware, whose custom API a bridge puts on a topic for each chip. It
// has no time, and every value is a text; P1 is PM10.
type airrohr struct{ silent }

func newAirrohr(c Crew) Speaker { return &airrohr{silent{c}} }

// Say implements Speaker.
func (a *airrohr) Say(sensor int, list []Reading) (out []Message) {
	chip := a.Sensors[sensor].Device
	for _, r := range list {
		pm10 := number(r.Fields["pm10"])
		pair := func(name, value string) object { return object{"value_type": name, "value": value} }
		values := []object{
			pair("SDS_P1", fmt.Sprintf("%.2f", pm10)), pair("SDS_P2", fmt.Sprintf("%.2f", pm10*.6)),
			pair("BME280_temperature", "20.47"), pair("BME280_pressure", "100613.25"), pair("BME280_humidity", "69.02"),
			pair("samples", strconv.Itoa(4_200_000+int(r.Seq))), pair("min_micro", "32"), pair("max_micro", "33012"),
			pair("signal", "-71"),
		}
		if _, more := r.Fields[debug]; more {
			values = append(values, pair(debug, "1"))
		}
		out = append(out, Message{Topic: "airrohr/" + chip, Payload: encoded(object{
			"esp8266id": chip, "software_version": "NRZ-2024-136", "sensordatavalues": values,
		})})
	}
	return out
}

// sentilo is a CESVA TA120 that speaks Sentilo: one observation a minute of the level, as text; beside
// it come what the meter says of itself and, on a topic of its own, the 60 levels of the seconds.
type sentilo struct{ silent }

func newSentilo(c Crew) Speaker { return &sentilo{silent{c}} }

// Say implements Speaker.
func (s *sentilo) Say(sensor int, list []Reading) (out []Message) {
	device := s.Sensors[sensor].Device
	base := strings.TrimSuffix(device, "N")
	for _, r := range list {
		at := r.Time.UTC().Format("02/01/2006T15:04:05UTC")
		level := number(r.Fields["laeq"])
		send := func(name, value string) {
			o := object{"value": value, "timestamp": at}
			if name == device {
				o = with(o, r)
			}
			out = append(out,
				Message{Topic: "data/" + name, Payload: encoded(object{"observations": []object{o}})})
		}
		send(device, strconv.FormatFloat(level, 'f', 1, 64))
		send(base+"O", "false")
		send(base+"U", "false")
		send(base+"M", "100")
		var text []byte
		for n := range 60 {
			text = fmt.Appendf(text, "%05.1f,0,0;", level+3*math.Sin(float64(n)))
		}
		send(base+"S", string(text[:len(text)-1]))
	}
	return out
}

// sensorThings is OGC SensorThings 1.1: an observation is created in its datastream.
type sensorThings struct{ silent }

func newSensorThings(c Crew) Speaker { return &sensorThings{silent{c}} }

// Say implements Speaker.
func (s *sensorThings) Say(sensor int, list []Reading) (out []Message) {
	for _, r := range list {
		out = append(out, Message{
			Topic: "v1.1/" + s.Sensors[sensor].Device + "/Observations",
			Payload: encoded(with(object{
				"phenomenonTime": r.Time.UTC().Format("2006-01-02T15:04:05.000Z"),
				"resultTime":     r.Time.Add(time.Second).UTC().Format("2006-01-02T15:04:05.000Z"),
				"result":         number(r.Fields["laeq"]), "FeatureOfInterest": object{"@iot.id": 2},
			}, r)),
		})
	}
	return out
}
