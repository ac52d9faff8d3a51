package device

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"regexp"
	"strings"
	"testing"

	"sluice/firmware-sim/street"
	"sluice/test/raced"
)

// TestFrames: what the servers say that they decoded is what is in the frame, in the devices' formats.
func TestFrames(t *testing.T) {
	p := play(t, "chirpstack-v4", 2, Faults{})
	seen := make(map[street.Kind]int)
	p.readings(t, "chirpstack-v4", func(sensor int, v, _ any) {
		data, _ := at(v, "/data")
		frame, err := base64.StdEncoding.DecodeString(data.(string))
		if err != nil {
			t.Fatal(err)
		}
		object := func(key string) float64 { x, _ := at(v, "/object/"+key); return amount(x) }
		kind := p.sensors[sensor].Kind
		seen[kind]++
		switch kind {
		case street.Noise:
			level := float64(binary.LittleEndian.Uint16(frame[8:])) / 10
			if frame[0] != 1 || frame[1] != 0x75 || frame[3] != 5 || frame[4] != 0x5b ||
				math.Abs(level-object("LAeq")) > .01 || len(frame) != 12 {
				t.Fatalf("% x is not LAeq %v", frame, object("LAeq"))
			}
		case street.Gate:
			in, out := binary.LittleEndian.Uint32(frame[2:]), binary.LittleEndian.Uint32(frame[8:])
			if frame[0] != 3 || frame[1] != 0xd2 || frame[6] != 4 || frame[7] != 0xd2 ||
				float64(in) != object("line_1_total_in") || float64(out) != object("line_1_total_out") {
				t.Fatalf("% x is not %v in", frame, object("line_1_total_in"))
			}
		case street.Bay:
			if len(frame) != 1 || float64(frame[0]) != object("occupied") {
				t.Fatalf("% x is not %v", frame, object("occupied"))
			}
		}
	})
	if len(seen) != 4 {
		t.Errorf("frames of %v", seen)
	}
}

// TestJoins: a device joins before it speaks and when it starts anew; then its address is another, and
// its frames count from 0, which is left out.
func TestJoins(t *testing.T) {
	raced.Skip(t)
	for as, where := range map[string][3]string{
		"ttn-v3":        {`/join$`, "/end_device_ids/dev_addr", "/uplink_message/f_cnt"},
		"chirpstack-v4": {`/event/join$`, "/devAddr", "/fCnt"},
	} {
		p := play(t, as, 12, Faults{Reboot: true})
		join, up := regexp.MustCompile(where[0]), regexp.MustCompile(known[as].up)
		addresses, next := make(map[string]any), make(map[string]float64)
		joins := 0
		for _, m := range p.sent {
			device := m.Topic[:strings.LastIndexAny(m.Topic, "/")]
			device = strings.TrimSuffix(device, "/event")
			v := tree(t, "", m.Payload)
			address, _ := at(v, where[1])
			switch {
			case join.MatchString(m.Topic):
				if joins++; address == addresses[device] {
					t.Errorf("%s: %v is the address before as well", as, address)
				}
				addresses[device], next[device] = address, 0
			case up.MatchString(m.Topic):
				count, has := at(v, where[2])
				if address != addresses[device] || has != (next[device] > 0) || amount(count) != next[device] {
					t.Fatalf("%s: frame %v from %v; want %v from %v", as, count, address, next[device],
						addresses[device])
				}
				next[device]++
			}
		}
		if joins <= len(p.sensors) {
			t.Errorf("%s: %d joins of %d devices in half a day of reboots", as, joins, len(p.sensors))
		}
	}
}

// TestFaultsAreMade: each fault shows in what is published, where a system can make it.
func TestFaultsAreMade(t *testing.T) {
	for _, as := range []string{"native", "ttn-v3", "sparkplug-b", "senml-json", "esphome", "tasmota"} {
		sound := play(t, as, 1, Faults{})
		count := func(f Faults) (n, bytes int) {
			p := play(t, as, 1, f)
			for _, m := range p.sent {
				bytes += len(m.Payload)
			}
			return len(p.sent), bytes
		}
		before, size := count(Faults{})
		if before != len(sound.sent) {
			t.Fatalf("%s: %d messages, and then %d", as, len(sound.sent), before)
		}
		if n, _ := count(Faults{Duplicate: true}); n > before == (as == "esphome") {
			t.Errorf("%s: %d messages with duplicates, %d without", as, n, before)
		}
		if n, _ := count(Faults{Garbage: true}); n <= before {
			t.Errorf("%s: no garbage in %d messages", as, n)
		}
		if n, bytes := count(Faults{Unknown: true}); n < before || bytes <= size {
			t.Errorf("%s: no unknown fields in %d bytes", as, bytes)
		}
	}
}
