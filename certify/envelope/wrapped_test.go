package envelope

import (
	"fmt"
	"testing"
	"time"

	"sluice/register/preset"
)

// TestWrapped: time, seq and boot are where a preset has them, in a reading or around it.
func TestWrapped(t *testing.T) {
	own, err := preset.ParsePreset("x.yaml", []byte("preset: x\ntopics: [{pattern: \"a/{device}\", type: reading}]\n"+
		"format: json\neach: /list\nts: [{pointer: /t, as: s}, {pointer: /at, as: rfc3339, zone: local}]\n"+
		"seq: {pointer: /n, absent: 0}\nboot: /b\ntype: {pointer: /type, reading: [data], heartbeat: [alive], "+
		"ignore: [\"*\"]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	all := preset.Builtin().Presets
	for _, c := range []struct {
		preset        *preset.Preset
		payload, want string
	}{
		{own, `{"type":"data","t":1772445600,"n":7,"b":1,"list":[{"n":8},{"t":"1772445601","b":2}]}`,
			"reading true: 10:00:00 utc #8 boot; 10:00:01 utc #7 boot"},
		{own, `{"type":"data","at":"2026-03-02 10:00:00","list":[{}]}`, "reading true: 10:00:00 #0"},
		{own, `{"type":"data","at":"2026-03-02T11:00:00+01:00","list":[{}]}`, "reading true: 10:00:00 utc #0"},
		{own, `{"type":"data","list":[{"n":"x"}]}`, "reading true: none"},
		{own, `{"type":"alive"}`, "heartbeat true:"},
		{own, `{"type":"other"}`, "ignore true:"},
		{own, `{"type":"data","list":7}`, "reading false:"},
		{own, `no JSON`, "reading false:"},
		{all.Of("sentilo-provider"), `{"sensors":[{"sensor":"a","observations":[{"timestamp":"02/03/2026T10:00:00"}]}]}`,
			"reading true: 10:00:00 utc"},
		{all.Of("zigbee2mqtt"), `{"last_seen":1772445600000}`, "reading true: 10:00:00 utc"},
		{all.Of("senml-json"), `[{"n":"a","v":1}]`, "reading true: none utc"},
		{all.Of("native-cbor"), "\xa1\x63seq\x01", "reading true: none #1"},
		{all.Of("sensorthings-array"), `[{"dataArray":[[1]]}]`, "reading false:"},
		{all.Of("esphome"), `23.5`, "reading false:"},
	} {
		stamps, known, role := NewReader().In(c.preset).Read([]byte(c.payload), at)
		got := fmt.Sprintf("%s %v:", role, known)
		for i, s := range stamps {
			if i > 0 {
				got += ";"
			}
			if got += " none"; s.Timed {
				got = got[:len(got)-len(" none")] + s.Time.Format(" 15:04:05")
			}
			if s.UTC {
				got += " utc"
			}
			if s.Sequenced {
				got += fmt.Sprintf(" #%d", s.Seq)
			}
			if s.Boot != 0 {
				got += " boot"
			}
		}
		if got != c.want {
			t.Errorf("%q: %s; want %s", c.payload, got, c.want)
		}
	}
}

// FuzzWrapped: no message makes a reader panic.
func FuzzWrapped(f *testing.F) {
	f.Add([]byte(`{"sensors":[{"observations":[{"timestamp":"02/03/2026T10:00:00"}]}]}`))
	f.Fuzz(func(_ *testing.T, payload []byte) {
		for _, p := range preset.Builtin().Presets {
			NewReader().In(p()).Read(payload, time.Unix(0, 0))
		}
	})
}
