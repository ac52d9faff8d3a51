package cbor

import (
	"bytes"
	"slices"
)

// span is where in the JSON a key is, with its quotation marks.
type span struct{ from, to int }

// fewKeys are compared each with each; more are sorted, so that no map of many keys takes
// long.
const fewKeys = 12

// repeated reports whether two keys of a map are the same. Their order is lost.
func repeated(out []byte, keys []span) bool {
	if len(keys) <= fewKeys {
		for i, a := range keys {
			for _, b := range keys[:i] {
				if a.to-a.from == b.to-b.from && bytes.Equal(out[a.from:a.to], out[b.from:b.to]) {
					return true
				}
			}
		}
		return false
	}
	slices.SortFunc(keys, func(a, b span) int { return bytes.Compare(out[a.from:a.to], out[b.from:b.to]) })
	for i, b := range keys[1:] {
		if a := keys[i]; bytes.Equal(out[a.from:a.to], out[b.from:b.to]) {
			return true
		}
	}
	return false
}
