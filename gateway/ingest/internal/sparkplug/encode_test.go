package sparkplug

import (
	"math"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"sluice/gateway/ingest/internal/fault"
)

// What follows writes payloads by the numbers of the specification, not by the names that
// the reader has for them.

func varint(field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), v)
}

func text(field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), s)
}

func float(v float32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(nil, 12, protowire.Fixed32Type), math.Float32bits(v))
}

func double(v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(nil, 13, protowire.Fixed64Type), math.Float64bits(v))
}

// of is a metric of these fields.
func of(fields ...[]byte) []byte {
	var b []byte
	for _, f := range fields {
		b = append(b, f...)
	}
	return b
}

// named and aliased begin a metric.
func named(name string) []byte     { return text(1, name) }
func aliased(alias uint64) []byte  { return varint(2, alias) }
func at(milliseconds int) []byte   { return varint(3, uint64(milliseconds)) }
func typed(datatype uint64) []byte { return varint(4, datatype) }

// payload is a message at 1,000 ms.
func payload(seq int, metrics ...[]byte) []byte {
	b := varint(1, 1000)
	for _, m := range metrics {
		b = append(b, text(2, string(m))...)
	}
	if seq >= 0 {
		b = append(b, varint(3, uint64(seq))...)
	}
	return b
}

// take is what becomes of a message: its tree, how many metrics are unknown, and whether a
// rebirth is wanted; or a code.
func take(t testing.TB, e *Edges, topic string, payload []byte, received int64) string {
	t.Helper()
	at, ok := ParseTopic(topic)
	if !ok {
		t.Fatalf("%s is no topic", topic)
	}
	m, f := e.Take(at, payload, received)
	out := f.Code.String()
	if f.Code != fault.None && m.Tree != nil {
		t.Fatal("a message that is refused has a tree")
	}
	if m.Tree != nil {
		out = m.Tree.String()
	}
	for range m.Unknown {
		out += " ?"
	}
	if m.Rebirth {
		out += " rebirth"
	}
	return out
}

// described is the payload as protobuf's own library has it: the fields that matter.
func described(t testing.TB) protoreflect.MessageDescriptor {
	t.Helper()
	optional := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
	type field = descriptorpb.FieldDescriptorProto
	of := func(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type) *field {
		return &field{Name: &name, Number: &number, Type: &kind, Label: &optional}
	}
	const (
		u32     = descriptorpb.FieldDescriptorProto_TYPE_UINT32
		u64     = descriptorpb.FieldDescriptorProto_TYPE_UINT64
		str     = descriptorpb.FieldDescriptorProto_TYPE_STRING
		boolean = descriptorpb.FieldDescriptorProto_TYPE_BOOL
		raw     = descriptorpb.FieldDescriptorProto_TYPE_BYTES
	)
	metrics := of("metrics", 2, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE)
	metrics.TypeName = proto.String(".Metric")
	metrics.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	file := &descriptorpb.FileDescriptorProto{Name: proto.String("sparkplug"), Syntax: proto.String("proto2"),
		MessageType: []*descriptorpb.DescriptorProto{
			{Name: proto.String("Metric"), Field: []*field{
				of("name", 1, str), of("alias", 2, u64), of("timestamp", 3, u64), of("datatype", 4, u32),
				of("transient", 6, boolean), of("null", 7, boolean),
				of("int", 10, u32), of("long", 11, u64),
				of("float", 12, descriptorpb.FieldDescriptorProto_TYPE_FLOAT),
				of("double", 13, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE),
				of("boolean", 14, boolean), of("string", 15, str), of("bytes", 16, raw),
			}},
			{Name: proto.String("Payload"), Field: []*field{
				of("timestamp", 1, u64), metrics, of("seq", 3, u64),
			}},
		}}
	value := int32(0)
	file.MessageType[0].OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("value")}}
	for _, f := range file.MessageType[0].Field[6:] {
		f.OneofIndex = &value
	}
	made, err := protodesc.NewFile(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return made.Messages().ByName("Payload")
}

// unmarshal is a payload to protobuf's own library.
func unmarshal(d protoreflect.MessageDescriptor, payload []byte) (*dynamicpb.Message, error) {
	m := dynamicpb.NewMessage(d)
	return m, proto.Unmarshal(payload, m)
}
