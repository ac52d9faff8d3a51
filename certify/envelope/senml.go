package envelope

import (
	"encoding/json"
	"math"
	"time"
)

// record is what matters of a SenML record (RFC 8428 section 4): its name and its times.
type record struct {
	name   string
	bt, t  float64
	timed  bool // has t
	hasBT  bool
	values bool // has a value, so that it is of a reading
}

// senML reads a pack, and reports whether the list is one: an array whose records have names or values as SenML does.
func senML(list []json.RawMessage) (pack []record, ok bool) {
	for _, raw := range list[:min(len(list), maxReadings)] {
		var m map[string]json.RawMessage
		if json.Unmarshal(raw, &m) != nil || m["fields"] != nil || m["ts"] != nil {
			return nil, false
		}
		var x record
		_ = json.Unmarshal(m["n"], &x.name)
		x.hasBT = m["bt"] != nil && json.Unmarshal(m["bt"], &x.bt) == nil
		x.timed = m["t"] != nil && json.Unmarshal(m["t"], &x.t) == nil
		for _, key := range []string{"v", "vs", "vb", "vd"} {
			x.values = x.values || m[key] != nil
		}
		ok = ok || m["bn"] != nil || x.values && m["n"] != nil
		pack = append(pack, x)
	}
	return pack, ok
}

// relative is what times below are from now (RFC 8428 section 4.5.3), in seconds.
const relative = 1 << 28

// pack is one stamp for each reading: records belong together until the time changes or a name
// comes again.
func (r *Reader) pack(records []record, payload []byte, received time.Time) (stamps []Stamp) {
	var base, last float64
	var based bool
	seen := map[string]bool{}
	for _, x := range records {
		if x.hasBT {
			base, based = x.bt, true
		}
		if !x.values {
			continue
		}
		at := base + x.t
		if len(stamps) == 0 || at != last || seen[x.name] {
			clear(seen)
			s := Stamp{Key: r.hash(payload, uint64(len(stamps))), UTC: true}
			if s.Timed = based || x.timed; s.Timed {
				s.Time = instant(at, received)
			}
			stamps = append(stamps, s)
		}
		last, seen[x.name] = at, true
	}
	return stamps
}

func instant(at float64, received time.Time) time.Time {
	if at < relative {
		return received.Add(time.Duration(math.Max(min(at, 0), -1e9) * float64(time.Second))).UTC()
	}
	whole, part := math.Modf(min(at, 1<<40))
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}
