package api

import (
	"bytes"
	"encoding/json"

	"sluice/opendata/httpcache"
)

// member is an additional member of a list's document.
type member struct {
	name  string
	value any
}

// asList encodes a list in the form of all lists: {NAME: [...], "items": [...], ...,
// "next": PATH or null}. Both names have the same items, so that one program can read all
// lists.
func asList(name string, items any, next string, more ...member) (*httpcache.Reply, error) {
	return asListBehind("", name, items, next, more...)
}

// asListBehind puts encoded members before the items.
func asListBehind(lead, name string, items any, next string, more ...member) (*httpcache.Reply, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	put := func(name string, value any) error {
		b.WriteString(`"` + name + `":`)
		err := enc.Encode(value)
		b.Truncate(max(0, b.Len()-1)) // the encoder's line end
		return err
	}
	b.WriteString("{" + lead)
	at := b.Len() + len(`"":`) + len(name)
	if err := put(name, items); err != nil {
		return nil, err
	}
	part := b.Bytes()[at:]
	b.Grow(len(part) + 1024)
	b.WriteString(`,"items":`)
	b.Write(part)
	for _, m := range append(more, member{"next", optional(next)}) {
		b.WriteByte(',')
		if err := put(m.name, m.value); err != nil {
			return nil, err
		}
	}
	b.WriteString("}\n")
	return &httpcache.Reply{Type: jsonType, Body: b.Bytes(), Next: next}, nil
}
