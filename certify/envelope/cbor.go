package envelope

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// form bounds messages in CBOR (RFC 8949), as docs/wire.md does those of readings.
var form = cbor.DecOptions{
	DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 32, MaxArrayElements: 1 << 18, MaxMapPairs: 1 << 18,
	TimeTagToAny: cbor.TimeTagToRFC3339Nano,
}

// isCBOR reports whether a message begins with a map, an array or a tag of CBOR, as no JSON does.
func isCBOR(payload []byte) bool {
	return len(payload) > 0 && payload[0] >= 4<<5 && payload[0] < 7<<5
}

// fromCBOR is a message in CBOR as the JSON that would be read alike.
func fromCBOR(payload []byte) (body []byte, ok bool) {
	mode, err := form.DecMode()
	if err != nil {
		return nil, false
	}
	var v any
	if mode.Unmarshal(payload, &v) != nil {
		return nil, false
	}
	body, err = json.Marshal(plain(v))
	return body, err == nil
}

// labels are SenML's in CBOR (RFC 8428 section 6).
var labels = map[int64]string{-6: "bs", -5: "bv", -4: "bu", -3: "bt", -2: "bn", -1: "bver", 0: "n", 1: "u", 2: "v",
	3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd"}

// plain is a value of which JSON can be made: what JSON has no word for is null.
func plain(v any) any {
	switch v := v.(type) {
	case map[any]any:
		m := make(map[string]any, len(v))
		for key, value := range v {
			m[word(key)] = plain(value)
		}
		return m
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		return v
	case cbor.Tag:
		return plain(v.Content)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	case string:
		if !utf8.ValidString(v) {
			return nil
		}
		return v
	case bool, uint64, int64:
		return v
	}
	return nil
}

// word is a key as JSON has it.
func word(key any) string {
	switch key := key.(type) {
	case string:
		return key
	case int64:
		if name, known := labels[key]; known {
			return name
		}
		return strconv.FormatInt(key, 10)
	case uint64:
		if name, known := labels[int64(min(key, math.MaxInt64))]; known {
			return name
		}
		return strconv.FormatUint(key, 10)
	}
	return ""
}
