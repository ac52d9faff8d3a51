package dialect

import (
	"time"

	"github.com/fxamacker/cbor/v2"
)

// native is docs/wire.md's format: readings of one moment in one array, on the sensor's own topics.
type native struct{ silent }

func newNative(c Crew) Speaker { return &native{silent{c}} }

// message is one reading on the wire.
type message struct {
	TS     string         `json:"ts"`
	Seq    uint64         `json:"seq"`
	Boot   uint64         `json:"boot"`
	Fields map[string]any `json:"fields"`
}

// pulse is a heartbeat.
type pulse struct {
	TS    string `json:"ts"`
	Every string `json:"every"`
	Seq   uint64 `json:"seq"`
}

// maxBatch is how many readings one message has at most.
const maxBatch = 500

func batches(list []Reading) (out [][]message) {
	for len(list) > 0 {
		batch := make([]message, min(len(list), maxBatch))
		for i := range batch {
			r := list[i]
			batch[i] = message{r.Time.UTC().Format(time.RFC3339Nano), r.Seq, r.Boot, r.Fields}
		}
		list = list[len(batch):]
		out = append(out, batch)
	}
	return out
}

// Say implements Speaker.
func (n *native) Say(sensor int, list []Reading) (out []Message) {
	for _, batch := range batches(list) {
		out = append(out, Message{Topic: n.Sensors[sensor].Topic(), Payload: encoded(batch)})
	}
	return out
}

// Beat implements Speaker.
func (n *native) Beat(sensor int, now time.Time, every string, seq uint64) []Message {
	return []Message{{Topic: n.Sensors[sensor].Heartbeat(), Payload: encoded(beat(now, every, seq))}}
}

func beat(now time.Time, every string, seq uint64) pulse {
	return pulse{now.UTC().Format(time.RFC3339), every, seq}
}

// nativeCBOR is the same in CBOR (RFC 8949), for a gateway of many devices.
type nativeCBOR struct{ silent }

func newNativeCBOR(c Crew) Speaker { return &nativeCBOR{silent{c}} }

// Say implements Speaker.
func (n *nativeCBOR) Say(sensor int, list []Reading) (out []Message) {
	for _, batch := range batches(list) {
		out = append(out, Message{Topic: "cbor/" + n.Sensors[sensor].Device + "/up", Payload: binaryOf(batch)})
	}
	return out
}

// Beat implements Speaker.
func (n *nativeCBOR) Beat(sensor int, now time.Time, every string, seq uint64) []Message {
	return []Message{{Topic: "cbor/" + n.Sensors[sensor].Device + "/hb", Payload: binaryOf(beat(now, every, seq))}}
}

// binaryOf is v in CBOR, with the names of its JSON, in the core deterministic encoding: the shortest
// numbers, half floats among them, and keys in order.
func binaryOf(v any) []byte {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err == nil {
		var raw []byte
		if raw, err = mode.Marshal(v); err == nil {
			return raw
		}
	}
	panic("dialect: what is sent is always CBOR")
}
