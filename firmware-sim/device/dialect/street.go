package dialect

import (
	"fmt"
	"strings"
	"time"
)

// paxcounter is ESP32-Paxcounter's counts, decoded: WiFi and BLE devices of one cycle, and their sum.
type paxcounter struct{ silent }

func newPaxcounter(c Crew) Speaker { return &paxcounter{silent{c}} }

// Say implements Speaker.
func (p *paxcounter) Say(sensor int, list []Reading) (out []Message) {
	for _, r := range list {
		pax := int(number(r.Fields["pax"]))
		out = append(out, Message{Topic: "paxcounter/" + p.Sensors[sensor].Device + "/out",
			Payload: encoded(with(object{"wifi": pax - pax/3, "ble": pax / 3, "pax": pax}, r))})
	}
	return out
}

// openMQTTGateway is OpenMQTTGateway's Bluetooth: whom a gateway hears, one message each, with the
// address in the topic and again in the message.
type openMQTTGateway struct{ silent }

func newOpenMQTTGateway(c Crew) Speaker { return &openMQTTGateway{silent{c}} }

func (g *openMQTTGateway) topic(sensor int, what string) string {
	return "home/" + g.Sensors[sensor].Device + "/" + what
}

// Start implements Speaker.
func (g *openMQTTGateway) Start(now time.Time) (out []Message) {
	for _, i := range g.Own {
		if !g.Sensors[i].Dead {
			out = append(out, g.Reboot(i, now)...)
		}
	}
	return out
}

// Reboot implements Speaker.
func (g *openMQTTGateway) Reboot(sensor int, _ time.Time) []Message {
	return []Message{
		{Topic: g.topic(sensor, "LWT"), Payload: []byte("online"), Retain: true},
		{Topic: g.topic(sensor, "version"), Payload: []byte("v1.8.1"), Retain: true},
	}
}

// Beat implements Speaker.
func (g *openMQTTGateway) Beat(sensor int, _ time.Time, _ string, seq uint64) []Message {
	h := hash(0, g.Sensors[sensor].Device)
	return []Message{{Topic: g.topic(sensor, "SYStoMQTT"), Payload: encoded(object{
		"uptime": 120 + seq, "version": "v1.8.1", "env": "esp32dev-ble", "freemem": 130284, "rssi": -61,
		"SSID": "Portalba-IoT", "BSSID": h.mac(":"), "ip": "192.0.2.17", "mac": h.next().mac(":"),
		"modules": []string{"BT"},
	})}}
}

// Say implements Speaker.
func (g *openMQTTGateway) Say(sensor int, list []Reading) (out []Message) {
	for _, r := range list {
		address, _ := r.Fields["device"].(string)
		address = strings.ToUpper(address)
		out = append(out, Message{Topic: g.topic(sensor, "BTtoMQTT/"+strings.ReplaceAll(address, ":", "")),
			Payload: encoded(with(object{"id": address, "mac_type": 1, "rssi": r.Fields["rssi"], "distance": 3.2,
				"mfid": "4c00", "manufacturerdata": "4c001005031c2a3f4e"}, r))})
	}
	return out
}

// frigate is Frigate's tracked objects: license plates, faces and descriptions on one topic, for all
// cameras, and what a host needs of them on others.
type frigate struct{ silent }

func newFrigate(c Crew) Speaker { return &frigate{silent{c}} }

const tracked = "frigate/tracked_object_update"

// Start implements Speaker.
func (f *frigate) Start(time.Time) []Message {
	return []Message{{Topic: "frigate/available", Payload: []byte("online"), Retain: true}}
}

// Beat implements Speaker: the statistics of the whole, once.
func (f *frigate) Beat(sensor int, now time.Time, _ string, _ uint64) []Message {
	if sensor != f.Own[0] {
		return nil
	}
	return []Message{{Topic: "frigate/stats", Payload: encoded(object{
		"service": object{"uptime": 3600, "version": "0.16.1", "last_updated": now.Unix()}})}}
}

// Say implements Speaker. Every fourth car comes with somebody.
func (f *frigate) Say(sensor int, list []Reading) (out []Message) {
	camera := f.Sensors[sensor].Device
	for _, r := range list {
		at := float64(r.Time.UnixMicro()) / 1e6
		id := fmt.Sprintf("%.6f-%s", at-3, hash(r.Seq, camera).token())
		out = append(out,
			Message{Topic: "frigate/events", Payload: encoded(object{"type": "end", "after": object{
				"id": id, "camera": camera, "label": "car", "sub_label": nil, "score": .81, "start_time": at - 3,
				"recognized_license_plate": r.Fields["plate"], "has_snapshot": true}})},
			Message{Topic: tracked, Payload: encoded(with(object{"type": "lpr", "id": id, "name": "somebody's car",
				"plate": r.Fields["plate"], "score": .95, "camera": camera, "timestamp": at}, r))})
		if r.Seq%4 == 0 {
			out = append(out,
				Message{Topic: tracked, Payload: encoded(object{"type": "description", "id": id,
					"description": "A car turns into the street."})},
				Message{Topic: tracked, Payload: encoded(object{"type": "face", "id": id, "name": "somebody",
					"score": .9, "camera": camera, "timestamp": at})})
		}
	}
	return out
}

// anpr is anpr2mqtt: the plate is in the message and inside the names of its files.
type anpr struct{ silent }

func newANPR(c Crew) Speaker { return &anpr{silent{c}} }

// Say implements Speaker. After a car, the state is cleared.
func (a *anpr) Say(sensor int, list []Reading) (out []Message) {
	camera := a.Sensors[sensor].Device
	topic := "anpr/" + camera + "/state"
	for _, r := range list {
		plate, _ := r.Fields["plate"].(string)
		at := r.Time.UTC().Format("2006-01-02T15:04:05.000000+00:00")
		file := fmt.Sprintf("/ftp/%s/%s_%s_VEHICLE_DETECTION.jpg", camera,
			r.Time.UTC().Format("20060102150405000"), plate)
		out = append(out,
			Message{Topic: topic, Payload: encoded(with(object{
				"target": plate, "target_type": "plate", "plate": plate, "orig_plate": plate,
				"vehicle_direction": "Forward", "reg_info": nil, "area": "street", "camera": camera, "file_path": file,
				"event_image_url": "http://192.0.2.10/cctv" + file, "ignore": false, "known": false, "dangerous": false,
				"priority": "medium", "description": nil, "previous_sightings": 0, "last_sighting": nil,
				"event_time": at, "image_event": "VEHICLE DETECTION", "ext": "jpg", "image_size": 124907,
			}, r))},
			Message{Topic: "anpr/" + camera + "/image", Payload: []byte("\xff\xd8\xff\xe0 no picture"), Retain: true})
	}
	if len(list) > 0 {
		out = append(out,
			Message{Topic: topic, Payload: encoded(object{"target": nil, "target_type": nil, "camera": camera})})
	}
	return out
}
