package structure

import (
	"fmt"
	"strings"
	"testing"
)

// TestPlain: names of fields are shown, and what names somebody's device, car or card is not.
func TestPlain(t *testing.T) {
	for _, key := range []string{
		"battery", "LAeq", "decoded_payload", "uplink_message", "f_cnt", "fCnt", "devEUI", "pm25", "PM2.5",
		"pm2_5", "CO2", "NO2", "temperature", "temperature_1", "temp1", "field2", "POWER1", "rssi", "seq",
		"ts", "rx-metadata", "total_m3", "L90", "t", "lat", "a", "acceleration", "accelerometer",
		"received_at", "gateway.id", "people_count_all", "line_1_total_in", "data",
	} {
		if !Plain(key) {
			t.Errorf("%s is not shown", key)
		}
	}
	for _, key := range []string{
		"", "02005e100001", "02:00:5e:10:00:01", "02-00-5e-10-00-01", "0200.5e10.0001", "aabbccddeeff",
		"AA-BB-CC-DD-EE-FF", "deadbeef", "dead", "cafe", "a_b_c_d", "tag_abcd", "mac_aabbcc", "xdeadbeefx",
		"70B3D57ED0000001", "1234BCD", "1234-BCD", "AB123CD", "AB-123-CD", "AB12CDE", "B-MA-1234", "B-MA-12",
		"B-MA-1", "M-X5", "ABC123", "ABC-12", "plate_1234BCD", "2026-11-27", "20261127", "2026", "12", "1",
		"4512345678901234", "device1234", "dev_123", "card-0042", "anna@city.example", "Anna Garcia",
		"l'Hospitalet", "café", "ключ", "a/b", "a~b", "*", "$schema", "@type", "a:b", "QWxhZGRpbjpvcGVu",
		"aBcDeFgH", "KZXWQTRP", "xkcdqwrtz_x", strings.Repeat("word_", 7), "\x00", "\x1b[31m",
		"550e8400-e29b-41d4-a716-446655440000", "person7ab",
	} {
		if Plain(key) {
			t.Errorf("%q is shown", key)
		}
	}
}

// TestOf: pointers and types; elements are one, and keys that may be data are *.
func TestOf(t *testing.T) {
	var many strings.Builder
	for n := range 40 {
		fmt.Fprintf(&many, `,"word%c%c":1`, 'a'+n/26, 'g'+n%20)
	}
	for text, want := range map[string]string{
		`{"battery":3.1,"seen":{"02005e100001":[{"rssi":-60},{"rssi":-71,"x":"y"}]}}`: "/battery number, /seen/*/0/rssi " +
			"number, /seen/*/0/x string",
		`7`: " number", `"1234BCD"`: " string", `[]`: " array", `{}`: " object", `[null,true,[1]]`: "/0 bool, /0 null, /0/0 number",
		`{"anna":1,"1234BCD":2,"AB123CD":3}`: "/* number", `{"anna":1,"bru":{}}`: "/anna number, /bru object",
		`{"first":1` + many.String() + `}`: "/* number",
		`{"a":"x","1234BCD":"y","c":1}`:    "/* string, /a string, /c number",
	} {
		values, more, ok := Of([]byte(text))
		var list []string
		for _, v := range values {
			list = append(list, v.Pointer+" "+v.Type)
		}
		if got := strings.Join(list, ", "); got != want || more || !ok {
			t.Errorf("%s is %s (%v, %v); want %s", text, got, more, ok, want)
		}
	}
	for _, text := range []string{"", "1234BCD", `{"a":1`, "\xa1\x61\x61\x01", `{"a":1}{"b":2}`,
		`"` + strings.Repeat("x", MaxBytes) + `"`, strings.Repeat("[", 20000)} {
		if values, _, ok := Of([]byte(text)); ok {
			t.Errorf("%.20q has a structure: %v", text, values)
		}
	}
	wide := "[" + strings.Repeat(`{"x":`, 30) + "1" + strings.Repeat("}", 30) + "]"
	if values, _, _ := Of([]byte(wide)); len(values) != 1 || values[0].Type != "object" ||
		strings.Count(values[0].Pointer, "/") != maxDepth {
		t.Errorf("what is nested deeply is %v", values)
	}
}

// FuzzStructure: nothing of a message leaves but keys that are plain, within its bounds.
func FuzzStructure(f *testing.F) {
	f.Add(`{"battery":3.1,"seen":{"02005e100001":[{"rssi":-60},"1234BCD"]}}`)
	f.Add(`[[[{"a":null}]]]`)
	f.Fuzz(func(t *testing.T, text string) {
		values, _, _ := Of([]byte(text))
		if len(values) > MaxValues {
			t.Errorf("%d values", len(values))
		}
		for _, v := range values {
			if v.Pointer == "" {
				continue // the message itself
			}
			for _, key := range strings.Split(v.Pointer, "/")[1:] {
				if key != "0" && key != "*" && !Plain(key) {
					t.Errorf("%q leaves in %q", key, v.Pointer)
				}
			}
			if !strings.Contains("string number bool null object array", v.Type) {
				t.Errorf("%q is a type", v.Type)
			}
		}
	})
}
