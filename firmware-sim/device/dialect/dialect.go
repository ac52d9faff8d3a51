// Package dialect writes what real systems send: for each preset of the gateway, the topics, the
// messages and all that comes with them, from the systems' own documentation. It shares no code with
// the gateway, so that the two test each other, and does no I/O: what it returns is published in its
// order.
//
// A sensor's Device is what the system calls it: a DevEUI, a token, a camera; the levels of the topic
// that say so, joined by /, where it takes several. Identify makes it from a seed; the register entry
// beside it (Entry) tells the gateway. For example, a noise meter behind ChirpStack is registered as
//
//   - {id: noise-meter-1, owner: acme, kind: noise-meter, preset: chirpstack-v4, profile:
//     milesight-ws302, device: "70b3d57ed0a1b2c3", ...}
//
// and publishes application/…/device/70b3d57ed0a1b2c3/event/up.
package dialect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/firmware-sim/street"
)

// Message is one publication.
type Message struct {
	Topic   string
	Payload []byte
	Retain  bool
}

// Reading is what one sensor says of one instant.
type Reading struct {
	Time time.Time
	// Seq counts the sensor's readings from 0, and Boot changes when it starts anew.
	Seq, Boot uint64
	Fields    map[string]any
	// Totals are what a device that never forgets shows, of fields of kinds that add (street.Adds).
	Totals map[string]float64
}

// Speaker is one system, for all sensors that speak it. Sensors are numbered as in the list that it
// was made of. It is not safe for concurrent use.
type Speaker interface {
	// Start is what the system says when it comes up.
	Start(now time.Time) []Message
	// Say is a sensor's readings, in any order.
	Say(sensor int, list []Reading) []Message
	// Beat is what shows that a sensor lives, which comes every so often (ISO 8601), after seq readings.
	Beat(sensor int, now time.Time, every string, seq uint64) []Message
	// Reboot is what the system says when a sensor has started anew.
	Reboot(sensor int, now time.Time) []Message
}

// Commanded is a speaker that listens: Command returns what it answers to a message on Commands.
type Commanded interface {
	Commands() string
	Command(payload []byte, now time.Time) []Message
}

// Willed is a speaker whose connection has a will, which each Session renews. Session may be called at
// any time.
type Willed interface{ Session() Message }

// system is one row of the table of dialects.
type system struct {
	// kinds are what its devices measure.
	kinds []street.Kind
	// name is what a device is called, from a hash of its own; nil where it has only the sensor's topics.
	name func(h identity) string
	// entry is what the register says besides preset and device; nil where the kind's names are used.
	entry func(k street.Kind) string
	time  source
	make  func(c Crew) Speaker
}

// source is who writes the time of a reading.
type source int

const (
	nobody source = iota // and nothing counts readings either
	server
	device // which can be wrong about it
)

// Crew is whom a speaker speaks for.
type Crew struct {
	Sensors []street.Sensor
	// Own are those that speak it.
	Own []int
	// Boot tells this start from earlier ones.
	Boot     uint64
	Location *time.Location
}

// Native is the gateway's own format (docs/wire.md).
const Native = "native"

var (
	about   = []street.Kind{street.WiFi, street.Noise, street.Air}
	noise   = []street.Kind{street.Noise}
	air     = []street.Kind{street.Air}
	noisair = []street.Kind{street.Noise, street.Air}
	bays    = []street.Kind{street.Bay}
	paxes   = []street.Kind{street.Pax}
	wifi    = []street.Kind{street.WiFi}
	cameras = []street.Kind{street.Plates}
	water   = []street.Kind{street.Water}
	power   = []street.Kind{street.Power}
)

// systems is the table. It is not changed.
var systems = map[string]system{
	Native:              {about, nil, nil, device, newNative},
	"native-cbor":       {about, identity.plain, nil, device, newNativeCBOR},
	"senml-json":        {about, identity.plain, nil, device, newSenML},
	"senml-cbor":        {about, identity.plain, nil, device, newSenMLCBOR},
	"ttn-v3":            {radioKinds, identity.euiDevice, radioEntry, server, newTTN},
	"chirpstack-v4":     {radioKinds, identity.eui, radioEntry, server, newChirpStack},
	"smart-citizen":     {noise, identity.token, profile("smart-citizen-kit-2"), device, newCitizen},
	"sensor-community":  {air, identity.chip, profile("airrohr"), nobody, newAirrohr},
	"sentilo":           {noise, identity.cesva, profile("cesva-ta120"), device, newSentilo},
	"sensorthings-mqtt": {noise, identity.datastream, profile("sensorthings-laeq"), device, newSensorThings},
	"sparkplug-b":       {noisair, identity.asset, nil, device, newSparkplug},
	"zigbee2mqtt":       {bays, identity.zigbee, fixed("map: {occupied: /occupancy}"), server, newZigbee},
	"tasmota":           {air, identity.tasmota, profile("tasmota-pms5003"), device, newTasmota},
	"esphome":           {noise, identity.esphome, nil, nobody, newESPHome},
	"paxcounter":        {paxes, identity.eui, profile("paxcounter"), nobody, newPaxcounter},
	"openmqttgateway":   {wifi, identity.beacon, profile("openmqttgateway-ble"), nobody, newOpenMQTTGateway},
	"frigate-lpr":       {cameras, identity.camera, profile("frigate-lpr"), server, newFrigate},
	"anpr2mqtt":         {cameras, identity.camera, profile("anpr2mqtt"), server, newANPR},
	"wmbusmeters":       {water, identity.meter, profile("wmbus-water"), server, newWMBus},
	"dsmr":              {power, identity.equipment, profile("dsmr-reader"), nobody, newDSMR},
	"dsmr-json":         {power, identity.equipment, profile("dsmr-reader"), device, newDSMRJSON},
}

func fixed(text string) func(street.Kind) string { return func(street.Kind) string { return text } }

func profile(id string) func(street.Kind) string { return fixed("profile: " + id) }

// Names are all dialects, in order.
func Names() []string {
	var out []string
	for name := range systems {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Presets are the dialects that are presets of the gateway, in order.
func Presets() []string {
	return slices.DeleteFunc(Names(), func(s string) bool { return s == Native })
}

// Kinds are the kinds of sensors that a dialect has, nil for an unknown one.
func Kinds(as string) []street.Kind { return systems[as].kinds }

// TellsTime reports whether the devices of a dialect write the time of a reading themselves.
func TellsTime(as string) bool { return systems[orNative(as)].time == device }

// TellsRepeats reports whether a message of a dialect that comes twice can be told from two.
func TellsRepeats(as string) bool { return systems[orNative(as)].time != nobody }

func orNative(as string) string {
	if as == "" {
		return Native
	}
	return as
}

// Identify names the devices of sensors that have no name yet. The same seed gives the same names.
func Identify(sensors []street.Sensor, seed uint64) {
	taken := make(map[string]bool)
	for i := range sensors {
		s := &sensors[i]
		if name := systems[orNative(s.As)].name; name != nil && s.Device == "" {
			full := func(h identity) string {
				if own := name(h); !strings.HasPrefix(own, "/") {
					return own
				}
				return group + "/Edge " + hash(seed, s.Owner).token() + name(h)
			}
			h := hash(seed, s.Owner, s.ID)
			for s.Device = full(h); taken[s.As+" "+s.Device]; s.Device = full(h) {
				h = h.next()
			}
		}
		taken[s.As+" "+s.Device] = true
	}
}

// Speakers makes a speaker for each dialect of some sensors, by dialect, in order.
func Speakers(sensors []street.Sensor, boot uint64, loc *time.Location) ([]Speaker, []int, error) {
	var names []string
	own := make(map[string][]int)
	for i, s := range sensors {
		as := orNative(s.As)
		if own[as] == nil {
			names = append(names, as)
		}
		own[as] = append(own[as], i)
	}
	by := make([]int, len(sensors))
	var all []Speaker
	for n, as := range names {
		x, known := systems[as]
		if !known {
			return nil, nil, fmt.Errorf("unknown dialect; choose from %s", strings.Join(Names(), ", "))
		}
		for _, i := range own[as] {
			by[i] = n
		}
		all = append(all, x.make(Crew{Sensors: sensors, Own: own[as], Boot: boot, Location: loc}))
	}
	return all, by, nil
}

// Entry is a sensor's register entry, a line of YAML.
func Entry(s street.Sensor) string {
	line := fmt.Sprintf("  - {id: %s, owner: %s, kind: %s, zone: %s", s.ID, s.Owner, s.Kind, s.Zone)
	if s.As != "" && s.As != Native {
		line += ", preset: " + s.As
		if entry := systems[s.As].entry; entry != nil && entry(s.Kind) != "" {
			line += ", " + entry(s.Kind)
		}
		line += fmt.Sprintf(", device: %q", s.Device)
	}
	return line + ", registered: 2026-01-01}\n"
}

// last is a device's own name, without those of what it belongs to.
func last(device string) string { return device[strings.LastIndexByte(device, '/')+1:] }

// silent is a speaker that says nothing but its readings.
type silent struct{ Crew }

// Start implements Speaker.
func (silent) Start(time.Time) []Message { return nil }

// Beat implements Speaker.
func (silent) Beat(int, time.Time, string, uint64) []Message { return nil }

// Reboot implements Speaker.
func (silent) Reboot(int, time.Time) []Message { return nil }

// object is a JSON object.
type object = map[string]any

func encoded(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("dialect: what is sent is always JSON")
	}
	return raw
}

// number is a field as a number, 0 where it is none.
func number(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case int:
		return float64(x)
	}
	return 0
}

// debug is the field of firmware that says more than its kind has.
const debug = "firmware_debug"

// with adds to a message what a reading has too much, where it has.
func with(o object, r Reading) object {
	if v, ok := r.Fields[debug]; ok {
		o[debug] = v
	}
	return o
}
