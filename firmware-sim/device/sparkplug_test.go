package device

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"sluice/firmware-sim/device/dialect"
)

// host is what a Sparkplug host knows of an edge node: seq, and names by alias since the last births.
type host struct {
	t     *testing.T
	next  float64
	bdSeq any
	names map[string]map[float64]string // by device; "" is the node
	data  int
	kinds []string
}

func (h *host) take(m dialect.Message) {
	h.t.Helper()
	parts := strings.Split(m.Topic, "/")
	v := tree(h.t, "sparkplug", m.Payload)
	device := ""
	if len(parts) == 5 {
		device = parts[4]
	}
	h.kinds = append(h.kinds, parts[2])
	if parts[2] == "NBIRTH" {
		h.next, h.names = 0, make(map[string]map[float64]string)
		h.bdSeq, _ = at(v, "/metrics/{name=bdSeq}/value")
		if rebirth, _ := at(v, "/metrics/{name=Node Control~1Rebirth}/value"); rebirth != false {
			h.t.Error("a birth without Node Control/Rebirth")
		}
	}
	if seq, _ := at(v, "/seq"); seq != h.next {
		h.t.Fatalf("%s has seq %v; want %v", parts[2], seq, h.next)
	}
	h.next = float64(int(h.next+1) % 256)
	metrics, _ := at(v, "/metrics")
	for _, m := range metrics.([]any) {
		name, named := at(m, "/name")
		alias, numbered := at(m, "/alias")
		switch parts[2] {
		case "NBIRTH", "DBIRTH":
			if !named {
				h.t.Error("a birth has a metric without a name")
			}
			if h.names[device] == nil {
				h.names[device] = make(map[float64]string)
			}
			if numbered {
				h.names[device][alias.(float64)] = name.(string)
			}
		case "DDATA":
			h.data++
			if named || h.names[device][alias.(float64)] == "" {
				h.t.Errorf("data says %v %v, which no birth of its device has", name, alias)
			}
		}
	}
}

// TestSparkplug: births first, seq from 0 to 255 and round, data with aliases only, and births again
// when they are asked for.
func TestSparkplug(t *testing.T) {
	p := play(t, "sparkplug-b", 8, Faults{})
	h := &host{t: t}
	for _, m := range p.sent {
		h.take(m)
	}
	if h.data < 300 || h.kinds[0] != "NBIRTH" || h.kinds[len(p.sensors)] != "DBIRTH" {
		t.Errorf("%d data, and first %v", h.data, h.kinds[:3])
	}
	edge := p.fleet.speakers[0].(dialect.Commanded)
	if !strings.HasPrefix(edge.Commands(), "spBv1.0/Portalba/NCMD/Edge ") {
		t.Errorf("it listens to %s", edge.Commands())
	}
	for _, m := range edge.Command(command("Node Control/Rebirth", true), morning) {
		h.take(m)
	}
	if last := h.kinds[len(h.kinds)-1]; last != "DBIRTH" || h.next != float64(len(p.sensors)+1) {
		t.Errorf("a rebirth ends with %s, seq %v", last, h.next)
	}
	for _, payload := range [][]byte{command("Node Control/Rebirth", false), command("Node Control/Reboot", true), nil,
		[]byte("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), []byte("rebirth")} {
		if got := edge.Command(payload, morning); got != nil {
			t.Errorf("%q is answered with %d messages", payload, len(got))
		}
	}
}

// TestSparkplugDeath: the will has the bdSeq of the next birth, and another after each.
func TestSparkplugDeath(t *testing.T) {
	p := play(t, "sparkplug-b", 0, Faults{})
	s := p.fleet.speakers[0]
	var before any
	for range 3 {
		will := s.(dialect.Willed).Session()
		death, _ := at(tree(t, "sparkplug", will.Payload), "/metrics/{name=bdSeq}/value")
		h := &host{t: t}
		for _, m := range s.Start(morning.Add(time.Hour)) {
			h.take(m)
		}
		if !strings.Contains(will.Topic, "/NDEATH/") || death != h.bdSeq || death == before {
			t.Errorf("%s with bdSeq %v; the birth has %v", will.Topic, death, h.bdSeq)
		}
		before = death
	}
}

// command is an NCMD that sets a metric.
func command(name string, value bool) []byte {
	var m []byte
	m = protowire.AppendString(protowire.AppendTag(m, 1, protowire.BytesType), name)
	m = protowire.AppendVarint(protowire.AppendTag(m, 4, protowire.VarintType), 11)
	m = protowire.AppendVarint(protowire.AppendTag(m, 14, protowire.VarintType), protowire.EncodeBool(value))
	return protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), m)
}
