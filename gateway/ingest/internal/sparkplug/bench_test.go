package sparkplug

import (
	"strconv"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"sluice/gateway/ingest/internal/fault"
)

// traffic is a birth and data of so many metrics, as an edge node with aliases sends them.
func traffic(n int) (birth, data []byte) {
	var births, datas [][]byte
	for i := range n {
		births = append(births, of(named("Inputs/Sensor "+strconv.Itoa(i)), aliased(uint64(i)), at(1486144502122),
			typed(9), float(float32(i))))
		datas = append(datas, of(aliased(uint64(i)), at(1486144502122), float(float32(i)+0.5)))
	}
	return payload(0, births...), payload(1, datas...)
}

// walk reads each field of a payload and of its metrics, and keeps nothing: less cannot be
// done.
func walk(b []byte, within bool) bool {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		if !within && number == 2 && kind == protowire.BytesType {
			one, n := protowire.ConsumeBytes(b)
			if n < 0 || !walk(one, true) {
				return false
			}
			b = b[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return false
		}
		b = b[n:]
	}
	return true
}

// TestAllocates: data cost no allocation once the buffers are warm.
func TestAllocates(t *testing.T) {
	e := New()
	birth, data := traffic(40)
	take(t, e, nbirth, birth, 1)
	at, _ := ParseTopic(ndata)
	do := func() {
		if m, f := e.Take(at, data, 1); f.Code != fault.None || m.Unknown > 0 {
			t.Fatal(m, f)
		}
	}
	do()
	if n := testing.AllocsPerRun(100, do); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

// BenchmarkTake is beside a bare walk over the same bytes, and protobuf's own library.
func BenchmarkTake(b *testing.B) {
	e, d := New(), described(b)
	birth, data := traffic(40)
	take(b, e, nbirth, birth, 1)
	at, _ := ParseTopic(ndata)
	from, _ := ParseTopic(nbirth)
	for _, c := range []struct {
		name    string
		payload []byte
		do      func(p []byte) bool
	}{
		{"data", data, func(p []byte) bool { _, f := e.Take(at, p, 1); return f.Code == fault.None }},
		{"walk", data, func(p []byte) bool { return walk(p, false) }},
		{"library", data, func(p []byte) bool { _, err := unmarshal(d, p); return err == nil }},
		{"birth", birth, func(p []byte) bool { _, f := e.Take(from, p, 1); return f.Code == fault.None }},
		{"library birth", birth, func(p []byte) bool { _, err := unmarshal(d, p); return err == nil }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.payload)))
			for b.Loop() {
				if !c.do(c.payload) {
					b.Fatal("not read")
				}
			}
		})
	}
}
