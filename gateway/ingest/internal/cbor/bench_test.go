package cbor

import (
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
)

// readings is a message of so many readings, as a sensor with a library sends it.
func readings(t testing.TB, n int) []byte {
	t.Helper()
	list := make([]any, n)
	for i := range list {
		list[i] = map[string]any{"ts": "2026-03-02T10:00:01Z", "seq": i, "fields": map[string]any{
			"device": "02:00:5e:00:00:01", "rssi": -61, "level": 71.25}}
	}
	payload, err := cbor.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// TestAllocates: a message costs no allocation once the buffers are warm.
func TestAllocates(t *testing.T) {
	d, payload := New(), readings(t, 100)
	decode := func() {
		if _, f := d.Decode(payload, true); f.Code != fault.None {
			t.Fatal(f.Code)
		}
	}
	decode()
	if n := testing.AllocsPerRun(100, decode); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

// BenchmarkDecode is beside what others do with the same message: the check alone, Go's
// values, and fastjson with the same readings in JSON.
func BenchmarkDecode(b *testing.B) {
	payload := readings(b, 100)
	d, mode := New(), other(b)
	v, _ := d.Decode(payload, false)
	text := v.MarshalTo(nil)
	var parser fastjson.Parser
	for _, c := range []struct {
		name string
		do   func() bool
	}{
		{"cbor", func() bool { _, f := d.Decode(payload, false); return f.Code == fault.None }},
		{"wellformed", func() bool { return mode.Wellformed(payload) == nil }},
		{"unmarshal", func() bool { var v any; return mode.Unmarshal(payload, &v) == nil }},
		{"json", func() bool { _, err := parser.ParseBytes(text); return err == nil }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				if !c.do() {
					b.Fatal("not read")
				}
			}
		})
	}
}
