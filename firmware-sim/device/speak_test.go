package device

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/device/dialect"
	"sluice/firmware-sim/street"
	"sluice/test/raced"
)

// spoken is what a system's documentation says of a reading's message.
type spoken struct {
	// up is the topic of a reading, and its first group the device.
	up string
	// device is where the message says it, where the topic does not.
	device string
	format string
	// each is the list of readings in a message; empty where it is one.
	each string
	// shape are the types of what each reading, or each message, has.
	shape map[string]string
	// when is where the time is, and how it is written.
	when, layout string
	// kind picks what of a message is a reading.
	kind func(v any) bool
	// values are the fields of each stream; ones with ! only grow.
	values map[string]map[string]string
}

var noiseAt = func(pointer string) map[string]map[string]string {
	return map[string]map[string]string{"noise": {"laeq": pointer}}
}

var radioAt = func(root string) map[string]map[string]string {
	return map[string]map[string]string{
		"noise": {"laeq": root + "/LAeq"}, "parking": {"occupied": root + "/occupied"},
		"gates": {"entered!": root + "/line_1_total_in", "left!": root + "/line_1_total_out"},
		"air":   {"no2": root + "/no2", "pm10": root + "/pm10"},
	}
}

var known = map[string]spoken{
	"native": {
		up: `^city/v1/(\w+/[\w-]+)/up$`, each: "/", when: "/ts", layout: time.RFC3339Nano,
		shape: map[string]string{"/ts": "text", "/seq": "number", "/boot": "number", "/fields": "map"},
		values: map[string]map[string]string{"noise": {"laeq": "/fields/laeq"},
			"air": {"no2": "/fields/no2", "pm10": "/fields/pm10"}},
	},
	"native-cbor": {
		up: `^cbor/(\w+)/up$`, format: "cbor", each: "/", when: "/ts", layout: time.RFC3339Nano,
		shape: map[string]string{"/ts": "text", "/seq": "number", "/boot": "number", "/fields": "map"},
		values: map[string]map[string]string{"noise": {"laeq": "/fields/laeq"},
			"air": {"no2": "/fields/no2", "pm10": "/fields/pm10"}},
	},
	"senml-json": {
		up: `^senml/(\w+)$`, each: "/", shape: map[string]string{"/n": "text"},
		kind:   func(v any) bool { name, _ := at(v, "/n"); return name == "laeq" || name == "pm10" },
		values: map[string]map[string]string{"noise": {"laeq": "/v"}, "air": {"pm10": "/v"}},
	},
	"senml-cbor": {
		up: `^senml-cbor/(\w+)$`, format: "cbor", each: "/", shape: map[string]string{"/0": "text"},
		kind:   func(v any) bool { name, _ := at(v, "/0"); return name == "laeq" || name == "pm10" },
		values: map[string]map[string]string{"noise": {"laeq": "/2"}, "air": {"pm10": "/2"}},
	},
	"ttn-v3": {
		up:   `^v3/portalba@ttn/devices/(eui-[0-9a-f]{16})/up$`,
		when: "/uplink_message/received_at", layout: time.RFC3339Nano,
		shape: map[string]string{
			"/end_device_ids/device_id": "text", "/end_device_ids/application_ids/application_id": "text",
			"/end_device_ids/dev_eui": "text", "/end_device_ids/dev_addr": "text", "/correlation_ids/0": "text",
			"/received_at": "text", "/uplink_message/session_key_id": "text", "/uplink_message/f_port": "number",
			"/uplink_message/frm_payload": "text", "/uplink_message/decoded_payload": "map",
			"/uplink_message/rx_metadata/0/gateway_ids/gateway_id": "text",
			"/uplink_message/rx_metadata/0/rssi":                   "number",
			"/uplink_message/settings/data_rate/lora/bandwidth":    "number",
			"/uplink_message/settings/frequency":                   "text",
			"/uplink_message/received_at":                          "text", "/uplink_message/consumed_airtime": "text",
		},
		values: radioAt("/uplink_message/decoded_payload"),
	},
	"chirpstack-v4": {
		up:   `^application/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/device/([0-9a-f]{16})/event/up$`,
		when: "/time", layout: "2006-01-02T15:04:05.000000000+00:00",
		shape: map[string]string{
			"/deduplicationId": "text", "/time": "text", "/deviceInfo/tenantId": "text",
			"/deviceInfo/applicationName": "text", "/deviceInfo/deviceProfileName": "text",
			"/deviceInfo/deviceName": "text", "/deviceInfo/devEui": "text", "/deviceInfo/tags": "map",
			"/devAddr": "text", "/dr": "number", "/fPort": "number", "/data": "text", "/object": "map",
			"/rxInfo/0/gatewayId": "text",
			"/rxInfo/0/uplinkId":  "number", "/txInfo/frequency": "number", "/txInfo/modulation/lora/codeRate": "text",
		},
		values: radioAt("/object"),
	},
	"smart-citizen": {
		up: `^device/sck/([0-9a-f]{6})/readings$`, each: "/data", when: "/recorded_at", layout: "2006-01-02T15:04:05Z",
		shape:  map[string]string{"/recorded_at": "text", "/sensors/0/id": "number", "/sensors/0/value": "number"},
		values: noiseAt("/sensors/{id=53}/value"),
	},
	"sensor-community": {
		up: `^airrohr/(\d+)$`,
		shape: map[string]string{"/esp8266id": "text", "/software_version": "text",
			"/sensordatavalues/0/value": "text"},
		values: map[string]map[string]string{"air": {"pm10": "/sensordatavalues/{value_type=SDS_P1}/value"}},
	},
	"sentilo": {
		up: `^data/cesva/(TA120-T\d{6}-N)$`, each: "/observations", when: "/timestamp",
		layout: "02/01/2006T15:04:05MST",
		shape:  map[string]string{"/value": "text", "/timestamp": "text"}, values: noiseAt("/value"),
	},
	"sensorthings-mqtt": {
		up: `^v1.1/(Datastreams\(\d+\))/Observations$`, when: "/phenomenonTime", layout: time.RFC3339,
		shape: map[string]string{"/phenomenonTime": "text", "/resultTime": "text", "/result": "number",
			"/FeatureOfInterest/@iot.id": "number"},
		values: noiseAt("/result"),
	},
	"sparkplug-b": {
		up: `^spBv1.0/Portalba/DDATA/Edge [0-9a-f]{6}/(Meter [0-9A-F]{6})$`, format: "sparkplug",
		shape: map[string]string{"/timestamp": "number", "/seq": "number", "/metrics/0/alias": "number",
			"/metrics/0/timestamp": "number", "/metrics/0/datatype": "number", "/metrics/0/value": "number"},
		values: map[string]map[string]string{"noise": {"laeq": "/metrics/0/value"},
			"air": {"no2": "/metrics/0/value", "pm10": "/metrics/1/value"}},
	},
	"zigbee2mqtt": {
		up: `^zigbee2mqtt/(0x[0-9a-f]{16})$`, when: "/last_seen", layout: time.RFC3339,
		shape: map[string]string{"/occupancy": "bool", "/battery": "number", "/linkquality": "number",
			"/voltage": "number", "/last_seen": "text"},
		values: map[string]map[string]string{"parking": {"occupied": "/occupancy"}},
	},
	"tasmota": {
		up: `^tele/(tasmota_[0-9A-F]{6})/SENSOR$`, when: "/Time", layout: "2006-01-02T15:04:05",
		shape: map[string]string{"/Time": "text", "/PMS5003/PM2.5": "number", "/PMS5003/PM10": "number",
			"/TempUnit": "text"},
		values: map[string]map[string]string{"air": {"pm10": "/PMS5003/PM10"}},
	},
	"esphome": {
		up: `^(sound-[0-9a-f]{6})/sensor/laeq/state$`, format: "bare", values: noiseAt("/"),
	},
	"paxcounter": {
		up:     `^paxcounter/([0-9a-f]{16})/out$`,
		shape:  map[string]string{"/wifi": "number", "/ble": "number", "/pax": "number"},
		values: map[string]map[string]string{"pax": {"pax": "/pax"}},
	},
	"openmqttgateway": {
		up:    `^home/(OMG_[0-9A-F]{6})/BTtoMQTT/[0-9A-F]{12}$`,
		shape: map[string]string{"/id": "text", "/rssi": "number", "/mac_type": "number"},
		kind:  func(v any) bool { rssi, _ := at(v, "/rssi"); return amount(rssi) >= -85 },
	},
	"frigate-lpr": {
		up: `^frigate/tracked_object_update$`, device: "/camera",
		kind: func(v any) bool { what, _ := at(v, "/type"); return what == "lpr" },
		shape: map[string]string{"/type": "text", "/id": "text", "/name": "text", "/plate": "text", "/score": "number",
			"/camera": "text", "/timestamp": "number"},
	},
	"anpr2mqtt": {
		up: `^anpr/(cam_[0-9a-f]{6})/state$`, when: "/event_time", layout: time.RFC3339,
		kind: func(v any) bool { what, _ := at(v, "/target_type"); return what == "plate" },
		shape: map[string]string{"/target": "text", "/plate": "text", "/orig_plate": "text", "/file_path": "text",
			"/event_image_url": "text", "/event_time": "text", "/reg_info": "null", "/previous_sightings": "number"},
	},
	"wmbusmeters": {
		up: `^wmbusmeters/(\d{8})$`, when: "/timestamp", layout: "2006-01-02T15:04:05Z",
		shape: map[string]string{"/_": "text", "/media": "text", "/meter": "text", "/name": "text", "/id": "text",
			"/total_m3": "number", "/time_leaking": "text", "/timestamp": "text"},
		values: map[string]map[string]string{"water": {"volume!": "/total_m3"}},
	},
	"dsmr": {
		up: `^dsmr/([0-9A-F]+)/reading/electricity_delivered_2$`, format: "bare",
		values: map[string]map[string]string{"energy": {"energy_high!": "/"}},
	},
	"dsmr-json": {
		up: `^dsmr/([0-9A-F]+)/json$`,
		shape: map[string]string{"/timestamp": "text", "/electricity_delivered_1": "text",
			"/electricity_currently_delivered": "text", "/equipment_id": "text", "/gas_meter_id": "text"},
		values: map[string]map[string]string{"energy": {"energy_low!": "/electricity_delivered_1",
			"energy_high!": "/electricity_delivered_2"}},
	},
}

var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// played is what a fleet has published in some hours, and what really happened.
type played struct {
	sensors []street.Sensor
	sent    []dialect.Message
	lines   []street.Line
	fleet   *Fleet
}

func play(t *testing.T, as string, hours int, faults Faults) *played {
	t.Helper()
	sensors, err := Speaking(as, "town", 11)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sensors {
		sensors[i].As = as
	}
	dialect.Identify(sensors, 7)
	f, err := fleetOf(sensors, faults, 7, 1, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	p := &played{sensors: sensors, fleet: f}
	f.out = func(topic string, payload []byte, retain bool) {
		p.sent = append(p.sent, dialect.Message{Topic: topic, Payload: payload, Retain: retain})
	}
	for _, s := range f.speakers {
		f.publishAll(s.Start(morning))
	}
	s := street.New(street.Config{Seed: 7, Sensors: sensors, PerHour: 300})
	for m := range hours * 60 {
		if err := Minute(s, f, morning.Add(time.Duration(m)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	p.lines = s.Truth().Lines()
	return p
}

// readings calls take with each reading of the table's row, and its sensor's number.
func (p *played) readings(t *testing.T, as string, take func(sensor int, message, v any)) {
	t.Helper()
	row := known[as]
	up := regexp.MustCompile(row.up)
	by := make(map[string]int)
	for i, s := range p.sensors {
		by[s.Device[strings.LastIndex(s.Device, "/")+1:]] = i
		if s.Device == "" {
			by[s.Owner+"/"+s.ID] = i
		}
	}
	for _, m := range p.sent {
		match := up.FindStringSubmatch(m.Topic)
		if match == nil {
			continue
		}
		v := tree(t, row.format, m.Payload)
		list := []any{v}
		switch row.each {
		case "":
		case "/":
			list = v.([]any)
		default:
			inner, _ := at(v, row.each)
			list, _ = inner.([]any)
		}
		for _, one := range list {
			if row.kind != nil && !row.kind(one) {
				continue
			}
			name := match[len(match)-1]
			if row.device != "" {
				at, _ := at(one, row.device)
				name = fmt.Sprint(at)
			}
			sensor, ok := by[name]
			if !ok {
				t.Fatalf("%s: nobody is called so", m.Topic)
			}
			take(sensor, v, one)
		}
	}
}

// TestSpeaks: every dialect's messages have the published shape, and hold what happened.
func TestSpeaks(t *testing.T) {
	raced.Skip(t)
	names := dialect.Names()
	if len(names) != len(known) {
		t.Errorf("%d dialects, of which %d are known here", len(names), len(known))
	}
	for _, as := range names {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			p := play(t, as, 3, Faults{})
			row := known[as]
			count := make(map[string]int)
			sums := make(map[string]float64)
			p.readings(t, as, func(sensor int, _, v any) {
				for pointer, want := range row.shape {
					if got, ok := at(v, pointer); !ok || typed(got) != want {
						t.Fatalf("%s is %v (%s); want %s", pointer, got, typed(got), want)
					}
				}
				if row.layout != "" {
					text, _ := at(v, row.when)
					if at, err := time.Parse(row.layout, fmt.Sprint(text)); err != nil || at.Before(morning) ||
						!at.Before(morning.Add(3*time.Hour)) {
						t.Fatalf("%s says %v", row.when, text)
					}
				}
				stream := streamOf[p.sensors[sensor].Kind]
				count[stream]++
				for field, pointer := range row.values[stream] {
					value, ok := at(v, pointer)
					if pointer == "/" {
						value, ok = v, true
					}
					if !ok {
						t.Fatalf("there is no %s", pointer)
					}
					if name, grows := strings.CutSuffix(field, "!"); grows {
						key := fmt.Sprint(stream, sensor, name)
						if amount(value) < sums[key] {
							t.Fatalf("%s went back", pointer)
						}
						sums[stream+" "+name] += amount(value) - sums[key]
						sums[key] = amount(value)
						continue
					}
					sums[stream+" "+field] += amount(value)
				}
			})
			p.compare(t, row, count, sums)
		})
	}
}

var streamOf = map[street.Kind]string{street.WiFi: "footfall", street.Cards: "boardings", street.Noise: "noise",
	street.Air: "air", street.Gate: "gates", street.Pax: "pax", street.Bay: "parking", street.Plates: "plates",
	street.Water: "water", street.Power: "energy"}

// compare holds what was said against what happened.
func (p *played) compare(t *testing.T, row spoken, count map[string]int, sums map[string]float64) {
	t.Helper()
	if len(p.lines) == 0 {
		t.Fatal("nothing happened")
	}
	for _, l := range p.lines {
		count[l.StreamHint] -= l.Readings
		for field := range row.values[l.StreamHint] {
			field = strings.TrimSuffix(field, "!")
			sums[l.StreamHint+" "+field] -= l.Sums[field]
		}
	}
	for stream, n := range count {
		// A faint device is heard, and is none in the truth; a card reader is native only.
		if stream != "footfall" && stream != "boardings" && n != 0 {
			t.Errorf("%s: %d readings more than happened", stream, n)
		}
		for field := range row.values[stream] {
			field = strings.TrimSuffix(field, "!")
			if rest := sums[stream+" "+field]; math.Abs(rest) > 1e-3 {
				t.Errorf("%s: %s is %v more than happened", stream, field, rest)
			}
		}
	}
}

// TestSameSeedSameMessages: a seed gives the same devices and the same messages, and another others.
func TestSameSeedSameMessages(t *testing.T) {
	raced.Skip(t)
	for _, as := range dialect.Names() {
		a, b := play(t, as, 1, allFaults(t)), play(t, as, 1, allFaults(t))
		if len(a.sent) == 0 || !slices.EqualFunc(a.sent, b.sent, func(x, y dialect.Message) bool {
			return x.Topic == y.Topic && string(x.Payload) == string(y.Payload) && x.Retain == y.Retain
		}) {
			t.Errorf("%s: not the same messages from the same seed", as)
		}
		one, _ := Speaking(as, "town", 3)
		if as != dialect.Native && Entries(one, 1) == Entries(one, 2) {
			t.Errorf("%s: another seed gives the same devices", as)
		}
	}
}

func allFaults(t *testing.T) Faults {
	t.Helper()
	f, err := ParseFaults("all")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestNamesAreDistinct: no two of many devices share a name, in any dialect.
func TestNamesAreDistinct(t *testing.T) {
	for _, as := range dialect.Names() {
		list, err := Speaking(as, "town", 2000)
		if err != nil {
			t.Fatal(err)
		}
		dialect.Identify(list, 1)
		seen := make(map[string]bool)
		for _, s := range list {
			if s.Device != "" && seen[s.Device] {
				t.Errorf("%s: two devices are called %s", as, s.Device)
			}
			seen[s.Device] = true
		}
	}
}
