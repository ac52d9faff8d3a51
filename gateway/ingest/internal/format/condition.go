package format

import (
	"bytes"
	"slices"

	"sluice/gateway/ingest/internal/fault"
	"sluice/register/preset"
)

// Condition is what a message says that is meant. A nil Condition is met by every message.
type Condition struct {
	path   []string
	is     []string
	format preset.Format
}

// maxCondition is how many bytes a message may have in which a condition is looked for.
const maxCondition = 64 << 10

// NewCondition makes a condition of messages in a format; nil where there is none.
func NewCondition(format preset.Format, w *preset.When) *Condition {
	if w == nil {
		return nil
	}
	return &Condition{pathOf(w.Pointer), w.Is, format}
}

// Meets reports whether a message meets a condition. What cannot be read, says nothing there, or says it twice, does
// not.
func (d *Decoder) Meets(payload []byte, c *Condition) bool {
	switch {
	case c == nil:
		return true
	case len(payload) > maxCondition:
		return false
	}
	d.texts = d.texts[:0]
	if c.path == nil {
		return slices.Contains(c.is, string(d.bare(payload)))
	}
	w := Wrapped{Envelope: &Envelope{format: preset.JSON}}
	if c.format == preset.CBOR || c.format == preset.SenMLCBOR {
		w.Envelope.format = preset.CBOR
	}
	v, bad := d.parse(payload, &w)
	if bad.Code != fault.None {
		return false
	}
	d.look.twice = false
	said := d.look.get(v, c.path)
	return !d.look.repeated() && said != nil && slices.Contains(c.is, string(d.text(said)))
}

// bare is the text of a message that is one word, with or without the quotes of JSON.
func (d *Decoder) bare(payload []byte) []byte {
	payload = bytes.TrimSpace(payload)
	if v, err := d.parser.ParseBytes(payload); err == nil {
		if text := d.text(v); text != nil {
			return text
		}
	}
	return payload
}
