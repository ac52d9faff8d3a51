package dialect

import (
	"slices"
	"time"
)

// senml is RFC 8428: a reading is the records of one time, under the device's base name. It has no
// seq and no boot. The RFC has no topic.
type senml struct {
	silent
	binary bool
}

func newSenML(c Crew) Speaker     { return &senml{silent{c}, false} }
func newSenMLCBOR(c Crew) Speaker { return &senml{silent{c}, true} }

// record is one line of a pack; CBOR has the labels of RFC 8428, table 6.
type record struct {
	BaseName string   `json:"bn,omitempty"   cbor:"-2,keyasint,omitempty"`
	BaseTime float64  `json:"bt,omitempty"   cbor:"-3,keyasint,omitempty"`
	Name     string   `json:"n,omitempty"    cbor:"0,keyasint,omitempty"`
	Unit     string   `json:"u,omitempty"    cbor:"1,keyasint,omitempty"`
	Value    *float64 `json:"v,omitempty"    cbor:"2,keyasint,omitempty"`
	Text     *string  `json:"vs,omitempty"   cbor:"3,keyasint,omitempty"`
	Truth    *bool    `json:"vb,omitempty"   cbor:"4,keyasint,omitempty"`
	Time     float64  `json:"t,omitempty"    cbor:"6,keyasint,omitempty"`
}

// units are SenML's names of units (RFC 8428, section 12.1, and RFC 8798), by field: it has one decibel.
var units = map[string]string{"laeq": "dB", "no2": "ug/m3", "pm10": "ug/m3", "volume": "m3"}

// Say implements Speaker.
func (s *senml) Say(sensor int, list []Reading) (out []Message) {
	device := s.Sensors[sensor].Device
	for len(list) > 0 {
		n := min(len(list), maxBatch)
		pack := s.pack(sensor, list[:n])
		list = list[n:]
		if s.binary {
			out = append(out, Message{Topic: "senml-cbor/" + device, Payload: binaryOf(pack)})
		} else {
			out = append(out, Message{Topic: "senml/" + device, Payload: encoded(pack)})
		}
	}
	return out
}

func (s *senml) pack(sensor int, list []Reading) (pack []record) {
	base := seconds(list[0].Time)
	for _, r := range list {
		for _, name := range sorted(r.Fields) {
			one := record{Name: name, Unit: units[name], Time: seconds(r.Time) - base}
			switch x := r.Fields[name].(type) {
			case string:
				one.Text = &x
			case bool:
				one.Truth = &x
			default:
				v := number(x)
				one.Value = &v
			}
			if len(pack) == 0 {
				one.BaseName, one.BaseTime = "urn:dev:mac:"+s.Sensors[sensor].Device+":", base
			}
			pack = append(pack, one)
		}
	}
	return pack
}

// Beat implements Speaker: SenML has no heartbeat, so it is the gateway's own.
func (s *senml) Beat(sensor int, now time.Time, every string, seq uint64) []Message {
	return []Message{{Topic: s.Sensors[sensor].Heartbeat(), Payload: encoded(beat(now, every, seq))}}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func sorted(fields map[string]any) []string {
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
