package device

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"google.golang.org/protobuf/encoding/protowire"
)

// tree is a payload as maps, lists and scalars; JSON with all its keys only once.
func tree(t *testing.T, format string, raw []byte) any {
	t.Helper()
	var v any
	var err error
	switch format {
	case "cbor":
		err = cbor.Unmarshal(raw, &v)
		v = textKeys(v)
	case "sparkplug":
		v = sparkplugTree(t, raw)
	case "bare":
		v = string(raw)
		if n, err := strconv.ParseFloat(string(raw), 64); err == nil {
			v = n
		}
	default:
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return v
}

// textKeys writes CBOR's maps with text keys, and its numbers as floats.
func textKeys(v any) any {
	switch x := v.(type) {
	case map[any]any:
		out := make(map[string]any, len(x))
		for key, value := range x {
			out[fmt.Sprint(key)] = textKeys(value)
		}
		return out
	case []any:
		for i := range x {
			x[i] = textKeys(x[i])
		}
	case uint64:
		return float64(x)
	case int64:
		return float64(x)
	}
	return v
}

// sparkplugTree reads a payload of sparkplug_b.proto.
func sparkplugTree(t *testing.T, raw []byte) any {
	t.Helper()
	out := map[string]any{}
	var metrics []any
	protobuf(t, raw, func(n protowire.Number, v uint64, raw []byte) {
		switch n {
		case 1:
			out["timestamp"] = float64(v)
		case 2:
			m := map[string]any{}
			protobuf(t, raw, func(n protowire.Number, v uint64, raw []byte) {
				switch n {
				case 1:
					m["name"] = string(raw)
				case 2:
					m["alias"] = float64(v)
				case 3:
					m["timestamp"] = float64(v)
				case 4:
					m["datatype"] = float64(v)
				case 7:
					m["is_null"] = v != 0
				case 11:
					m["value"] = float64(v)
				case 13:
					m["value"] = math.Float64frombits(v)
				case 14:
					m["value"] = v != 0
				case 15:
					m["value"] = string(raw)
				default:
					t.Errorf("field %d of a metric", n)
				}
			})
			metrics = append(metrics, m)
		case 3:
			out["seq"] = float64(v)
		default:
			t.Errorf("field %d of a payload", n)
		}
	})
	out["metrics"] = metrics
	return out
}

func protobuf(t *testing.T, b []byte, take func(n protowire.Number, v uint64, raw []byte)) {
	t.Helper()
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal("no protobuf")
		}
		b = b[n:]
		var v uint64
		var raw []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			raw, n = protowire.ConsumeBytes(b)
		default:
			t.Fatalf("wire type %d", kind)
		}
		if n < 0 {
			t.Fatal("no protobuf")
		}
		b = b[n:]
		take(number, v, raw)
	}
}

// at finds a JSON pointer; {KEY=VALUE} is the element of a list that has it.
func at(v any, pointer string) (any, bool) {
	for _, step := range strings.Split(pointer, "/")[1:] {
		switch x := v.(type) {
		case map[string]any:
			next, ok := x[strings.ReplaceAll(step, "~1", "/")]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if key, want, ok := strings.Cut(strings.ReplaceAll(strings.Trim(step, "{}"), "~1", "/"), "="); ok {
				i, err = len(x), nil
				for n, one := range x {
					if o, ok := one.(map[string]any); ok && fmt.Sprint(o[key]) == want {
						i = n
						break
					}
				}
			}
			if err != nil || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// typed is the type of a value as the tables of shapes call it.
func typed(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case float64:
		return "number"
	case string:
		return "text"
	case bool:
		return "bool"
	}
	return reflect.TypeOf(v).Kind().String()
}

// amount is a value in sums: the number, or the number that a text is; true is one.
func amount(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case string:
		n, _ := strconv.ParseFloat(x, 64)
		return n
	case bool:
		if x {
			return 1
		}
	}
	return 0
}
