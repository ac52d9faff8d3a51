package format

import (
	"strings"
	"testing"
)

// Parsers differ in which of two values of one key they take, so nobody knows which is meant (RFC 8259 section 4).
func TestKeysThatComeTwice(t *testing.T) {
	const time = "2026-03-02T10:00:01Z"
	uplinks, _ := wrapUplink(t)
	up := "v3/street/devices/noise-7/up"
	lists := wrap(t, "device: /sensor\neach: [/sensors, /observations]\ntopics: [{pattern: data, type: reading}]\n",
		"  f: {pointer: /value, number: text}\n", nil)
	pairs := wrap(t, "pairs: {list: /sensors, name: id, value: value}\n", "  f: {pointer: /a}\n", nil)
	typed := wrap(t, "type: {pointer: /type, reading: [lpr], ignore: [face]}\n", "  f: {pointer: /f}\n", nil)
	table := wrap(t, "each: /rows\ncolumns: {names: /names, rows: /rows}\n", "  f: {pointer: /f}\n", nil)
	senml := wrap(t, "format: senml\n", "", nil)
	for _, c := range []struct {
		of            wrapped
		topic, in, to string
	}{
		{uplinks, up, `{"uplink_message":{"f_cnt":1,"decoded_payload":{"LAeq":51,"LAeq":71}}}`, "E104/1"},
		{uplinks, up, `{"uplink_message":{"f_cnt":1,"decoded_payload":{"LAeq":51,"LAe\u0071":71}}}`, "E104/1"},
		{uplinks, up, `{"uplink_message":{"f_cnt":1,"f_cnt":2,"decoded_payload":{"LAeq":51}}}`, "E104/-3"},
		{uplinks, up, `{"uplink_message":{"received_at":"` + time + `","received_at":"` + time + `","f_cnt":1,` +
			`"decoded_payload":{"LAeq":51}}}`, "E104/-2"},
		{uplinks, up, `{"uplink_message":{"session_key_id":"a","session_key_id":"b","decoded_payload":{"LAeq":51}}}`,
			"E104/-4"},
		{uplinks, up, `{"uplink_message":{"decoded_payload":{"LAeq":51},"decoded_payload":{"LAeq":51}}}`, "E104/-1"},
		{uplinks, up, `{"uplink_message":{},"uplink_message":{"decoded_payload":{"LAeq":51}}}`, "E104/-3"},
		// What nobody looks at may come as often as it likes.
		{uplinks, up, `{"x":1,"x":2,"uplink_message":{"y":1,"y":1,"decoded_payload":{"LAeq":51,"z":1,"z":2}}}`, "f=51"},
		{lists, "data", `{"sensors":[{"sensor":"one","observations":[{"value":"1","value":"2"},{"value":"3"}]}]}`,
			"E104/1; 10:00:00? f=3"},
		{lists, "data", `{"sensors":[{"sensor":"one","sensor":"7","observations":[{"value":"1"}]},` +
			`{"sensor":"one","observations":[{"value":"3"}]}]}`, "E104/-1; 10:00:00? f=3"},
		{lists, "data", `{"sensors":[{"sensor":"one","observations":[],"observations":[{"value":"1"}]}]}`, "E104/-1"},
		{lists, "data", `{"sensors":[],"sensors":[{"sensor":"one","observations":[{"value":"1"}]}]}`, "E104/-1"},
		{pairs, "a/b", `{"sensors":[{"id":"b","id":"a","value":1}]}`, "E104/-1"},
		{pairs, "a/b", `{"sensors":[{"id":"a","value":1,"value":2}]}`, "E104/-1"},
		{pairs, "a/b", `{"sensors":[],"sensors":[{"id":"a","value":1}]}`, "E104/-1"},
		{typed, "a/b", `{"type":"face","type":"lpr","f":1}`, "E104/-1"},
		{table, "a/b", `{"names":["g"],"names":["f"],"rows":[[1]]}`, "E104/-1"},
		{table, "a/b", `{"names":["f"],"rows":[[1]],"rows":[[2]]}`, "E104/-1"},
		{senml, "a/b", `[{"n":"f","v":1,"v":2}]`, "E104/-1"},
		{senml, "a/b", `[{"n":"n","n":"f","v":1}]`, "E104/-1"},
		{senml, "a/b", `[{"bt":1,"bt":2,"n":"f","v":1}]`, "E104/-1"},
	} {
		if got := c.of.decode(c.topic, c.in); got != c.to && !strings.HasSuffix(got, " "+c.to) {
			t.Errorf("%s: %s, want %s", c.in, got, c.to)
		}
	}
}
