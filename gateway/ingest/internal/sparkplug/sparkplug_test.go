package sparkplug

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"sluice/gateway/ingest/internal/fault"
)

const (
	nbirth = "spBv1.0/Port/NBIRTH/quay 7"
	ndata  = "spBv1.0/Port/NDATA/quay 7"
	ndeath = "spBv1.0/Port/NDEATH/quay 7"
	dbirth = "spBv1.0/Port/DBIRTH/quay 7/mast"
	ddata  = "spBv1.0/Port/DDATA/quay 7/mast"
	ddeath = "spBv1.0/Port/DDEATH/quay 7/mast"
)

// readings is the tree of a message whose metrics all have the payload's time.
func readings(seq int, metrics string) string {
	return fmt.Sprintf(`{"timestamp":1000,"seq":%d,"readings":[{"timestamp":1000,"metrics":{%s}}]}`, seq, metrics)
}

// TestSession follows an edge node and a device from birth to death.
func TestSession(t *testing.T) {
	e, now := New(), int64(1)
	for _, c := range []struct {
		what, topic string
		payload     []byte
		want        string
	}{
		{"a birth", nbirth, payload(0, of(named("bdSeq"), typed(8), varint(11, 4)),
			of(named("Node Control/Rebirth"), typed(11), varint(14, 0)),
			of(named("Supply"), aliased(1), typed(9), float(12.25))),
			readings(0, `"bdSeq":4,"Node Control/Rebirth":false,"Supply":12.25`)},
		{"of a device", dbirth, payload(1, of(named("Noise/LAeq"), aliased(2), typed(10), double(61.5)),
			of(named("Offset"), aliased(3), typed(3), varint(10, uint64(uint32(0xfffffffb)))),
			of(named("Count"), typed(1), varint(10, 0xfb))),
			readings(1, `"Noise/LAeq":61.5,"Offset":-5,"Count":-5`)},
		{"data by number", ndata, payload(2, of(aliased(1), float(12.5))), readings(2, `"Supply":12.5`)},
		{"a sign by number", ddata, payload(3, of(aliased(3), varint(10, 0xfffffff0))), readings(3, `"Offset":-16`)},
		{"a sign by name", ddata, payload(4, of(named("Count"), varint(10, 0xf0))), readings(4, `"Count":-16`)},
		{"of two times", ddata, payload(5, of(aliased(2), at(3000), double(3)), of(aliased(2), at(2000), double(2)),
			of(aliased(3), at(3000), varint(10, 7)), of(named("Count"), varint(10, 1))),
			`{"timestamp":1000,"seq":5,"readings":[{"timestamp":1000,"metrics":{"Count":1}},` +
				`{"timestamp":2000,"metrics":{"Noise/LAeq":2}},{"timestamp":3000,"metrics":{"Noise/LAeq":3,"Offset":7}}]}`},
		{"a number of the device, by the node", ndata, payload(6, of(aliased(2), double(1)), of(aliased(1), float(1))),
			readings(6, `"Supply":1`) + " ? rebirth"},
		{"an old will", ndeath, payload(-1, of(named("bdSeq"), typed(8), varint(11, 3))), ""},
		{"after it", ndata, payload(7, of(aliased(1), float(2))), readings(7, `"Supply":2`)},
		{"the device's end", ddeath, payload(8), ""},
		{"after that", ddata, payload(9, of(aliased(2), double(1))), `{"timestamp":1000,"seq":9,"readings":[]} ?`},
		{"of the node still", ndata, payload(10, of(aliased(1), float(2))), readings(10, `"Supply":2`)},
		{"another birth of the device", dbirth, payload(11, of(named("Wind"), aliased(2), typed(9), float(8))),
			readings(11, `"Wind":8`)},
		{"a number that means another", ddata, payload(12, of(aliased(2), float(9))), readings(12, `"Wind":9`)},
		{"the end", ndeath, payload(-1, of(named("bdSeq"), typed(8), varint(11, 4))), ""},
		{"after the end", ndata, payload(13, of(aliased(1), float(2))), `{"timestamp":1000,"seq":13,"readings":[]} ?`},
		{"a birth that says less", nbirth, payload(0, of(named("Other"), typed(9), float(1))), readings(0, `"Other":1`)},
		{"of what it does not say", ndata, payload(1, of(aliased(1), float(2))),
			`{"timestamp":1000,"seq":1,"readings":[]} ?`},
	} {
		if got := take(t, e, c.topic, c.payload, now); got != c.want {
			t.Errorf("%s\n gives %s\n  want %s", c.what, got, c.want)
		}
	}
}

// TestNumbers: a birth takes back all that was said before it, of devices too; they may have
// numbers of their own, and one that two metrics have is of none.
func TestNumbers(t *testing.T) {
	e := New()
	birth := func(seq int, names ...string) []byte {
		var metrics [][]byte
		for _, name := range names {
			metrics = append(metrics, of(named(name), aliased(1), typed(9), float(1)))
		}
		return payload(seq, metrics...)
	}
	for _, c := range []struct {
		topic   string
		payload []byte
		want    string
	}{
		{nbirth, birth(0, "a"), `"a":1`}, {dbirth, birth(1, "b"), `"b":1`}, {ndata, birth(2, ""), `"a":1`},
		{ddata, birth(3, ""), `"b":1`}, {nbirth, birth(0), "[]}"}, {ddata, birth(1, ""), "[]} ? rebirth"},
		{ndata, birth(2, ""), "[]} ?"}, {nbirth, birth(0, "a", "b"), `"a":1,"b":1`}, {ndata, birth(1, ""), "[]} ?"},
		{nbirth, birth(0, "a", "b", "c"), `"c":1`}, {ndata, birth(1, ""), "[]} ?"}, {ndata, birth(2, "b"), `"b":1`},
	} {
		if got := take(t, e, c.topic, c.payload, 1); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s; want %s", c.topic, got, c.want)
		}
		counted(t, e)
	}
}

// TestOnly: a name that nobody wants is not remembered, and nobody asks for it again; it is
// still in the birth itself, and in data that say it.
func TestOnly(t *testing.T) {
	e := New()
	e.Only(func(name []byte) bool { return string(name) == "LAeq" })
	birth := payload(0, of(named("02:00:5e:00:00:01"), aliased(1), typed(9), float(1)),
		of(named("LAeq"), aliased(2), typed(9), float(2)), of(named("Count"), aliased(3), typed(1), varint(10, 255)))
	for _, c := range []struct {
		topic   string
		payload []byte
		want    string
	}{
		{nbirth, birth, readings(0, `"02:00:5e:00:00:01":1,"LAeq":2,"Count":-1`)},
		{ndata, payload(1, of(aliased(1), float(3)), of(aliased(2), float(4)), of(aliased(3), varint(10, 1))),
			readings(1, `"LAeq":4`)},
		{ndata, payload(2, of(named("Count"), varint(10, 254))), readings(2, `"Count":-2`)},
		{ndata, payload(3, of(aliased(4), float(3))), `{"timestamp":1000,"seq":3,"readings":[]} ? rebirth`},
	} {
		if got := take(t, e, c.topic, c.payload, 1); got != c.want {
			t.Errorf("%s: %s; want %s", c.topic, got, c.want)
		}
		counted(t, e)
	}
	for _, at := range e.nodes {
		for _, d := range at.Value.(*node).devices {
			for _, k := range d.aliases {
				if k.name != "" && k.name != "LAeq" {
					t.Errorf("%s is remembered", k.name)
				}
			}
		}
	}
}

// TestValues has one value of each type, and what is none.
func TestValues(t *testing.T) {
	long := func(v int64) []byte { return varint(11, uint64(v)) }
	for _, c := range []struct {
		what   string
		fields []byte
		want   string
	}{
		{"Int8", of(typed(1), varint(10, 0xffffff80)), "-128"},
		{"Int8 of a byte", of(typed(1), varint(10, 0x80)), "-128"},
		{"Int16", of(typed(2), varint(10, 0xffff8000)), "-32768"},
		{"Int32", of(typed(3), varint(10, 1<<31)), "-2147483648"},
		{"Int32 of ten bytes", of(typed(3), varint(10, math.MaxUint64)), "-1"},
		{"Int64", of(typed(4), long(math.MinInt64)), "-9223372036854775808"},
		{"UInt8", of(typed(5), varint(10, 255)), "255"},
		{"UInt16", of(typed(6), varint(10, 65535)), "65535"},
		{"UInt32", of(typed(7), long(math.MaxUint32)), "4294967295"},
		{"UInt64", of(typed(8), long(-1)), "18446744073709551615"},
		{"DateTime", of(typed(13), long(1486144502122)), "1486144502122"},
		{"Float", of(typed(9), float(0.1)), "0.10000000149011612"},
		{"Float that is none", of(typed(9), float(float32(math.NaN()))), "nan"},
		{"Double", of(typed(10), double(-math.MaxFloat64)), "-1.7976931348623157e+308"},
		{"Double that is none", of(typed(10), double(math.Inf(-1))), "-inf"},
		{"Boolean", of(typed(11), varint(14, 1)), "true"},
		{"String", of(typed(12), text(15, "a \"b\"\n")), `"a \"b\"\u000a"`},
		{"Text", of(typed(14), text(15, "")), `""`},
		{"UUID", of(typed(15), text(15, "f81d4fae")), `"f81d4fae"`},
		{"null", of(typed(3), varint(7, 1)), "null"},
		{"null with a value", of(typed(3), varint(7, 1), varint(10, 5)), "null"},
		{"not null", of(typed(3), varint(7, 0), varint(10, 5)), "5"},
		{"transient", of(typed(12), varint(6, 1), text(15, "x")), "null"},
		{"historical", of(typed(5), varint(5, 1), varint(10, 5)), "5"},
		{"nothing", typed(3), "null"},
		{"DataSet", of(typed(16), text(17, "\x08\x01")), "null"},
		{"Bytes", of(typed(17), text(16, "secret")), "null"},
		{"File", of(typed(18), text(16, "secret")), "null"},
		{"Template", of(typed(19), text(18, "\x08\x01")), "null"},
		{"Int8Array", of(typed(22), text(16, "\xff\x01")), "null"},
		{"an extension", of(typed(99), text(19, "")), "null"},
		{"a whole number that is a Float", of(typed(9), varint(10, 1)), "null"},
		{"twice: the last counts", of(typed(5), varint(10, 1), text(15, "x"), varint(10, 2)), "2"},
		{"properties and metadata", of(typed(5), text(8, "\x12\x01x"), text(9, "\x0a\x01x"), varint(10, 2)), "2"},
		{"fields of nobody", of(typed(5), varint(1000, 1), text(1001, "x"), varint(10, 2)), "2"},
		{"another wire type", of(typed(5), varint(10, 2), text(10, "x"), double(1)[1:1]), "2"},
	} {
		want := readings(0, `"m":`+c.want)
		if got := take(t, New(), nbirth, payload(0, of(named("m"), c.fields)), 1); got != want {
			t.Errorf("%s\n gives %s\n  want %s", c.what, got, want)
		}
	}
}

// TestUnknown: what no birth has explained is dropped and counted, and a rebirth is wanted.
func TestUnknown(t *testing.T) {
	none := `{"timestamp":1000,"seq":9,"readings":[]} ? rebirth`
	for _, c := range []struct {
		what string
		m    []byte
		want string
	}{
		{"a number", of(aliased(0), float(1)), none},
		{"neither name nor number", float(1), none},
		{"a whole number without a type", of(named("x"), varint(10, 1)), none},
		{"a long one", of(named("x"), varint(11, 1)), none},
		{"that says its type", of(named("x"), typed(7), varint(10, 1)), readings(9, `"x":1`)},
		{"that is null", of(named("x"), varint(7, 1), varint(10, 1)), readings(9, `"x":null`)},
		{"a number with a point", of(named("x"), float(1)), readings(9, `"x":1`)},
		{"a name and a number that nobody knows", of(named("x"), aliased(5), float(1)), readings(9, `"x":1`)},
	} {
		if got := take(t, New(), ndata, payload(9, c.m), 1); got != c.want {
			t.Errorf("%s\n gives %s\n  want %s", c.what, got, c.want)
		}
	}
}

// TestSequence: a message that is missing is noticed, once in a while.
func TestSequence(t *testing.T) {
	e, now := New(), int64(1)
	take(t, e, nbirth, payload(254), now)
	minute := int64(time.Minute)
	for i, c := range []struct {
		topic   string
		seq     int
		after   int64
		rebirth bool
	}{
		{ndata, 255, 0, false}, {ddata, 0, 0, false}, {ndata, 0, 0, false}, {ndata, 2, 0, true}, {ndata, 3, 0, false},
		{ndata, 5, minute, false}, {ddeath, 7, 5 * minute, true}, {ndata, 8, 0, false}, {dbirth, 10, 0, false},
		{ndata, 300, 5 * minute, true}, {ndata, -1, 5 * minute, false}, {nbirth, 17, 0, false}, {ndata, 18, 0, false},
		{ndata, 17, 5 * minute, true}, {ndata, 19, -time.Hour.Nanoseconds(), true},
	} {
		now += c.after
		got := take(t, e, c.topic, payload(c.seq), now)
		if strings.HasSuffix(got, " rebirth") != c.rebirth {
			t.Errorf("%d: %s with %d gives %s", i, c.topic, c.seq, got)
		}
	}
}

// TestRefused: what is no payload is refused, and a birth that is refused teaches nothing.
func TestRefused(t *testing.T) {
	known := of(named("a"), aliased(1), typed(9), float(1))
	many := make([][]byte, MaxMetrics+1)
	for _, c := range []struct {
		what string
		in   []byte
		want string
	}{
		{"a tag of nothing", []byte{0x0a}, "E100"},
		{"field 0", []byte{0, 0}, "E100"},
		{"field 2^29", append(protowire.AppendVarint(nil, 1<<32), 0), "E100"},
		{"field 2^29 of a metric", payload(1, append(protowire.AppendVarint(nil, 1<<32), 0)), "E100"},
		{"a varint without end", bytes.Repeat([]byte{0xff}, 11), "E100"},
		{"a length that lies", append(varint(1, 1), 0x12, 5, 1), "E100"},
		{"a length of 2^63", append([]byte{0x12}, protowire.AppendVarint(nil, 1<<63)...), "E100"},
		{"a length of 2^64-1", append([]byte{0x12}, protowire.AppendVarint(nil, math.MaxUint64)...), "E100"},
		{"a metric cut short", payload(1, []byte{0x0a, 9, 'x'}), "E100"},
		{"half a float", payload(1, of(named("a"), []byte{0x65, 0})), "E100"},
		{"a group without an end", []byte{0x0b, 0x0b, 0x0b}, "E100"},
		{"groups one in another", bytes.Repeat([]byte{0x0b}, 1000_000), "E100"},
		{"an end of no group", []byte{0x0c}, "E100"},
		{"a name that is no UTF-8", payload(1, of(named("\xff"), float(1))), "E100"},
		{"a text that is no UTF-8", payload(1, of(named("a"), text(15, "\xc3"))), "E100"},
		{"a name twice", payload(1, of(named("a"), float(1)), of(named("a"), float(2))), "E104"},
		{"a name twice, once as a number", payload(1, known, of(aliased(1), typed(9), float(2)),
			of(named("a"), float(2))), "E104"},
		{"many metrics", payload(1, many...), "E105"},
		{"many bytes", make([]byte, MaxMessage+1), "E105"},
	} {
		e := New()
		if got := take(t, e, nbirth, c.in, 1); strings.TrimSuffix(got, " rebirth") != c.want {
			t.Errorf("%s is %.80s; want %s", c.what, got, c.want)
		}
		if got := take(t, e, ndata, payload(2, of(aliased(1), float(1))), 1); !strings.HasPrefix(got,
			`{"timestamp":1000,"seq":2,"readings":[]} ?`) {
			t.Errorf("after %s: %s", c.what, got)
		}
		if e.memory != entryMemory*len(e.nodes) {
			t.Errorf("%s leaves %d bytes", c.what, e.memory)
		}
	}
}

// TestTopic takes apart what is a topic.
func TestTopic(t *testing.T) {
	for topic, want := range map[string]Topic{
		"spBv1.0/a b/NDATA/c d":  {"a b", "NDATA", "c d", ""},
		"spBv1.0/g/DBIRTH/n/d.é": {"g", "DBIRTH", "n", "d.é"},
		"spBv1.0/g/NDATA/n/d":    {}, "spBv1.0/g/DDATA/n": {}, "spBv1.0/g/DDATA/n/": {}, "spBv1.0/g/DDATA/n/d/e": {},
		"spBv1.0/g/NCMD/n": {}, "spBv1.0/STATE/host": {}, "spBv1.0//NDATA/n": {}, "spBv1.0/g/NDATA/": {},
		"spBv1.0/g/NDATA/n/": {}, "spAv1.0/g/NDATA/n": {}, "": {}, "spBv1.0/": {}, "spBv1.0/g": {},
	} {
		got, ok := ParseTopic(topic)
		if ok != (want != Topic{}) || ok && got != want {
			t.Errorf("%s is %q, %v", topic, got, ok)
		}
	}
}

// TestRebirth: the command is what protobuf's own library reads as one.
func TestRebirth(t *testing.T) {
	from, _ := ParseTopic(ddata)
	topic, command := Rebirth(from, 1486144502122)
	if topic != "spBv1.0/Port/NCMD/quay 7" {
		t.Error(topic)
	}
	m, err := unmarshal(described(t), command)
	if err != nil {
		t.Fatal(err)
	}
	want := payload(-1, of(named("Node Control/Rebirth"), at(1486144502122), typed(11), varint(14, 1)))
	want = append(varint(1, 1486144502122), want[len(varint(1, 1000)):]...)
	if !bytes.Equal(command, want) {
		t.Errorf("%x; want %x", command, want)
	}
	if len(m.GetUnknown()) > 0 {
		t.Errorf("%x is unknown", m.GetUnknown())
	}
}

// TestMessage is what Message says of a death and of a fault.
func TestMessage(t *testing.T) {
	at, _ := ParseTopic(ndeath)
	if m, f := New().Take(at, payload(-1), 1); m.Tree != nil || m.Rebirth || f.Code != fault.None {
		t.Errorf("a death is %+v, %v", m, f)
	}
}
