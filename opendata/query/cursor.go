package query

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"sluice/store"
)

// Limit reads the number of items of a page, at most MaxLimit; maxItems by default.
func Limit(v url.Values, maxItems int) (int, error) {
	if !v.Has("limit") {
		return maxItems, nil
	}
	n, err := strconv.Atoi(v.Get("limit"))
	if err != nil || n < 1 || n > MaxLimit {
		return 0, &Invalid{"limit", "is a whole number from 1 to 1000"}
	}
	return n, nil
}

// BadCursor is the error of a cursor that this server did not give.
func BadCursor() error {
	return &Invalid{"cursor", "is not one that this server gave; follow next as it is"}
}

// Cursor returns the cursor after an observation.
func Cursor(o store.Observation) string {
	if o.Gateway == "" {
		return encode([]any{o.Start.UnixNano(), o.Cell, o.Measure})
	}
	return encode([]any{o.Start.UnixNano(), o.Cell, o.Measure, o.Gateway})
}

func decodeCursor(s string) (*store.Position, error) {
	var nanos int64
	var p store.Position
	if !decode(s, &nanos, &p.Cell, &p.Measure) && !decode(s, &nanos, &p.Cell, &p.Measure, &p.Gateway) {
		return nil, BadCursor()
	}
	p.Start = time.Unix(0, nanos).UTC()
	return &p, nil
}

// CursorBehind returns the cursor after an item of a list, by its key.
func CursorBehind(key string) string { return encode([]any{key}) }

// Behind returns the key in a cursor of CursorBehind.
func Behind(cursor string) (string, error) {
	var key string
	if !decode(cursor, &key) {
		return "", BadCursor()
	}
	return key, nil
}

func encode(parts []any) string {
	raw, err := json.Marshal(parts)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decode(cursor string, parts ...any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return false
	}
	want := len(parts)
	return json.Unmarshal(raw, &parts) == nil && len(parts) == want
}
