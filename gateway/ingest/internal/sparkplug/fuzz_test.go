package sparkplug

import (
	"encoding/binary"
	"math"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/valyala/fastjson"
	"google.golang.org/protobuf/reflect/protoreflect"

	"sluice/gateway/ingest/internal/fault"
)

// verbs are the topics that a fuzzed message may come under.
var verbs = []string{nbirth, ndata, ndeath, dbirth, ddata, ddeath}

// agree holds the tree of a message against what protobuf's own library makes of its bytes:
// each metric that says its name and its type is there once, with its value.
func agree(t *testing.T, tree *fastjson.Value, p protoreflect.Message) {
	t.Helper()
	get := func(m protoreflect.Message, name protoreflect.Name) (protoreflect.Value, bool) {
		f := m.Descriptor().Fields().ByName(name)
		return m.Get(f), m.Has(f)
	}
	found := func(m protoreflect.Message) *fastjson.Value {
		name, _ := get(m, "name")
		at, _ := get(m, "timestamp")
		if at.Uint() == 0 {
			at, _ = get(p, "timestamp")
		}
		for _, r := range tree.GetArray("readings") {
			if r.GetUint64("timestamp") == at.Uint() {
				return r.Get("metrics").GetObject().Get(name.String())
			}
		}
		return nil
	}
	list, _ := get(p, "metrics")
	for i := range list.List().Len() {
		m := list.List().Get(i).Message()
		if name, _ := get(m, "name"); name.String() == "" || !utf8.ValidString(name.String()) {
			continue
		}
		typ, _ := get(m, "datatype")
		isNull, _ := get(m, "null")
		transient, _ := get(m, "transient")
		whole := false
		for _, name := range []protoreflect.Name{"int", "long"} {
			_, ok := get(m, name)
			whole = whole || ok
		}
		if whole && typ.Uint() == 0 {
			continue
		}
		v := found(m)
		if v == nil {
			t.Fatalf("%v is not in %s", m.Interface(), tree)
		}
		if isNull.Bool() || transient.Bool() {
			if v.Type() != fastjson.TypeNull {
				t.Fatalf("%s is not null", v)
			}
			continue
		}
		sameValue(t, v, m, typ.Uint(), get)
	}
}

// texts reports whether all names and texts are UTF-8.
func texts(p protoreflect.Message) bool {
	list := p.Get(p.Descriptor().Fields().ByName("metrics")).List()
	for i := range list.Len() {
		m := list.Get(i).Message()
		for _, name := range []protoreflect.Name{"name", "string"} {
			if !utf8.ValidString(m.Get(m.Descriptor().Fields().ByName(name)).String()) {
				return false
			}
		}
	}
	return true
}

// sameValue holds one value against the library's.
func sameValue(t *testing.T, v *fastjson.Value, m protoreflect.Message, typ uint64,
	get func(protoreflect.Message, protoreflect.Name) (protoreflect.Value, bool)) {
	t.Helper()
	for _, name := range []protoreflect.Name{"int", "long"} {
		n, ok := get(m, name)
		if !ok {
			continue
		}
		want := map[uint64]string{
			1: strconv.Itoa(int(int8(n.Uint()))), 2: strconv.Itoa(int(int16(n.Uint()))),
			3: strconv.Itoa(int(int32(n.Uint()))), 4: strconv.Itoa(int(n.Uint())), 13: strconv.Itoa(int(n.Uint())),
		}[typ]
		if want == "" && typ >= 5 && typ <= 8 {
			want = strconv.FormatUint(n.Uint(), 10)
		} else if want == "" {
			want = "null"
		}
		if v.String() != want {
			t.Fatalf("%d of type %d is %s", n.Uint(), typ, v)
		}
	}
	for _, name := range []protoreflect.Name{"float", "double"} {
		f, ok := get(m, name)
		if !ok {
			continue
		}
		got, err := strconv.ParseFloat(v.String(), 64)
		if err != nil || got != f.Float() && !math.IsNaN(f.Float()) {
			t.Fatalf("%v is %s", f.Float(), v)
		}
	}
	if b, ok := get(m, "boolean"); ok && v.String() != strconv.FormatBool(b.Bool()) {
		t.Fatalf("%v is %s", b.Bool(), v)
	}
	if s, ok := get(m, "string"); ok && string(v.GetStringBytes()) != s.String() {
		t.Fatalf("%q is %s", s.String(), v)
	}
	if _, ok := get(m, "bytes"); ok && v.Type() != fastjson.TypeNull {
		t.Fatalf("bytes are %s", v)
	}
}

// FuzzSparkplug: no message makes it panic, run long, or remember more than it may; and what
// is read is what protobuf's own library reads.
func FuzzSparkplug(f *testing.F) {
	f.Add(payload(0, of(named("a"), aliased(1), typed(3), varint(10, 1))), payload(1, of(aliased(1), varint(10, 2))),
		uint8(1))
	f.Add(payload(0, of(named("a"), typed(9), float(1))), payload(1, of(named("a"), at(5), text(15, "x"))), uint8(4))
	f.Add(payload(0, of(named("bdSeq"), typed(8), varint(11, 1))), payload(-1, of(named("bdSeq"), varint(11, 1))),
		uint8(2))
	f.Add([]byte{0x0b, 0x0c}, payload(9, of(text(16, "x")), of(double(1))), uint8(3))
	f.Add(payload(0, of(named("a"), varint(6, 1), varint(14, 1))), payload(7, of(varint(7, 1), named("b"))), uint8(5))
	d := described(f)
	f.Add([]byte("\x12\v\n\x050000₂0\x00"), []byte{}, uint8(0)) // a character that goes over the end of a name
	f.Fuzz(func(t *testing.T, first, second []byte, verb uint8) {
		e := New()
		for i, payload := range [][]byte{first, second} {
			topic := verbs[0]
			if i == 1 {
				topic = verbs[int(verb)%len(verbs)]
			}
			at, _ := ParseTopic(topic)
			began := time.Now()
			m, code := e.Take(at, payload, 1)
			if took := time.Since(began); took > 10*time.Second {
				t.Fatalf("it takes %v", took)
			}
			counted(t, e)
			other, err := unmarshal(d, payload)
			if (err != nil) && code.Code == fault.None {
				t.Fatalf("%x is read, and is no payload: %v", payload, err)
			}
			if err == nil && code.Code == fault.NotJSON && texts(other) {
				t.Fatalf("%x is refused", payload)
			}
			if m.Tree != nil {
				agree(t, m.Tree, other)
			}
		}
	})
}

// TestSeeds runs a long message of each verb, made of numbers, through the same.
func TestSeeds(t *testing.T) {
	e, d := New(), described(t)
	for round := range 50 {
		var metrics [][]byte
		for i := range 40 {
			n := binary.BigEndian.Uint64([]byte{byte(round), byte(i), 3, byte(i * 7), byte(round * 31), 6, 7, byte(i)})
			value := [][]byte{varint(10, n), varint(11, n), float(float32(n)), double(float64(n)), varint(14, n&1),
				text(15, "x"), text(16, "y")}[i%7]
			name, alias := named(strconv.Itoa(i)), aliased(uint64(i))
			metrics = append(metrics, of(name, alias, typed(uint64(i%20+1)), at(round+i%3), value))
		}
		for _, topic := range verbs {
			p := payload(round%256, metrics...)
			where, _ := ParseTopic(topic)
			m, code := e.Take(where, p, 1)
			if code.Code != fault.None {
				t.Fatal(code.Code)
			}
			other, err := unmarshal(d, p)
			if err != nil {
				t.Fatal(err)
			}
			if m.Tree != nil {
				agree(t, m.Tree, other)
			}
			counted(t, e)
		}
	}
}
