package envelope

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"sluice/register/preset"

	"sluice/internal/pattern"
)

// Wrapped reads what a preset puts around the values of a reading: the same stamps, found where the preset's pointers
// lead. Of a table, of Sparkplug, of bytes and of bare values it knows nothing.
type Wrapped struct {
	*Reader
	preset *preset.Preset
}

// In makes a reader of messages in a preset's envelope.
func (r *Reader) In(p *preset.Preset) *Wrapped { return &Wrapped{r, p} }

// Read is Reader's; role is what the message says that it is, a reading where it does not say so.
func (w *Wrapped) Read(payload []byte, received time.Time) (stamps []Stamp, known bool, role preset.Role) {
	switch w.preset.Format {
	case preset.SenML, preset.SenMLCBOR:
		stamps, known = w.Reader.Read(payload, received)
		return stamps, known, preset.Reading
	case preset.JSON, preset.CBOR:
	default:
		return nil, false, preset.Reading
	}
	message, ok := w.tree(payload)
	if !ok || w.preset.Columns != nil {
		return nil, false, preset.Reading
	}
	if t := w.preset.Types; t != nil {
		said, _ := text(at(message, t.Pointer))
		if role, known = t.Of([]byte(said)); role != preset.Reading {
			return nil, known, role
		}
	}
	list := gather([]any{message}, w.preset.Each)
	for place, inside := range list[:min(len(list), maxReadings)] {
		stamps = append(stamps, w.stamp(inside, payload, place, received))
	}
	return stamps, len(stamps) > 0, preset.Reading
}

// Says reports whether a message meets a condition.
func (w *Wrapped) Says(c *preset.When, payload []byte) bool {
	if c == nil || slices.Contains(c.Is, string(bytes.TrimSpace(payload))) && c.Pointer == "" {
		return true
	}
	message, ok := w.tree(payload)
	said, known := text(at(message, c.Pointer))
	return ok && known && slices.Contains(c.Is, said)
}

// tree is a message in JSON, or in CBOR where the preset says so.
func (w *Wrapped) tree(payload []byte) (message any, ok bool) {
	if w.preset.Format == preset.CBOR {
		if payload, ok = fromCBOR(payload); !ok {
			return nil, false
		}
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	return message, d.Decode(&message) == nil
}

// gather lists the readings of a message, each as what it is inside of, the outermost first, and itself.
func gather(inside []any, each preset.List) (all [][]any) {
	own := inside[len(inside)-1]
	if len(each) > 0 {
		own = at(own, each[0])
	}
	list, isList := own.([]any)
	switch {
	case !isList && len(each) > 0:
		return nil
	case !isList:
		return [][]any{inside}
	}
	for _, one := range list {
		inner := append(slices.Clone(inside), one)
		if len(each) > 0 {
			all = append(all, gather(inner, each[1:])...)
		} else {
			all = append(all, inner)
		}
	}
	return all
}

// stamp reads one reading of a message, which has it at a place.
func (w *Wrapped) stamp(inside []any, payload []byte, place int, received time.Time) (s Stamp) {
	find := func(pointer string) any {
		for i := len(inside) - 1; pointer != "" && i >= 0; i-- {
			if v := at(inside[i], pointer); v != nil {
				return v
			}
		}
		return nil
	}
	for _, t := range w.preset.TS {
		if w.time(&s, find(t.Pointer), t, received) {
			break
		}
	}
	switch v := find(w.preset.Seq.Pointer); {
	case v != nil:
		said, _ := text(v)
		n, err := strconv.ParseUint(said, 10, 64)
		s.Seq, s.Sequenced = n, err == nil
	case w.preset.Seq.Absent != nil:
		s.Seq, s.Sequenced = uint64(*w.preset.Seq.Absent), true
	}
	if v := find(w.preset.Boot); v != nil {
		raw, _ := json.Marshal(v)
		s.Boot = w.hash(raw, 0)
	}
	if s.Key = w.hash(payload, uint64(place)); s.Sequenced {
		seen := binary.BigEndian.AppendUint64(nil, uint64(s.Time.UnixNano()))
		s.Key = w.hash(binary.BigEndian.AppendUint64(seen, uint64(place)), s.Seq^s.Boot)
	}
	return s
}

// offset is that of a date that says its own zone.
var offset = pattern.New(`(Z|UTC|GMT|CES?T|[+-]\d\d:?\d\d|\d[WS])$`)

// time reads a time in one form; false where there is none, or in another.
func (w *Wrapped) time(s *Stamp, v any, t preset.Time, received time.Time) bool {
	said, known := text(v)
	if !known {
		return false
	}
	var at int64
	var ok bool
	if number, err := strconv.ParseFloat(said, 64); t.Form.IsNumber() && err == nil {
		if whole, err := strconv.ParseUint(said, 10, 64); err == nil {
			at, ok = t.Form.Whole(whole, received.UnixNano())
		} else {
			at, ok = t.Form.Number(number, received.UnixNano())
		}
		s.UTC = true
	} else if !t.Form.IsNumber() {
		at, ok = t.Form.Text([]byte(said))
		s.UTC = t.Zone != "local" || offset.MatchString(said)
	}
	s.Time, s.Timed = time.Unix(0, at).UTC(), ok && !t.Form.Relative()
	return ok
}

// at is what a pointer leads to; nil for nothing.
func at(v any, pointer string) any {
	path, err := preset.Path(pointer)
	if err != nil {
		return nil
	}
	for _, key := range path {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			n, err := strconv.Atoi(key)
			if err != nil || n < 0 || n >= len(in) {
				return nil
			}
			v = in[n]
		default:
			return nil
		}
	}
	return v
}

// text is a text, number or truth as text; false for what is none.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
