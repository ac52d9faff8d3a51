package sparkplug

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// counted is what is remembered, counted again.
func counted(t *testing.T, e *Edges) {
	t.Helper()
	memory := 0
	for _, at := range e.nodes {
		n := at.Value.(*node)
		memory += entryMemory
		metrics := 0
		for _, d := range n.devices {
			metrics += len(d.aliases) + len(d.types)
			memory += entryMemory * (1 + len(d.aliases) + len(d.types))
			for _, k := range d.aliases {
				memory += len(k.name)
			}
		}
		if metrics != n.metrics || metrics > MaxMetrics+1 || len(n.devices) > metrics {
			t.Fatalf("%d metrics of %d devices are counted as %d", metrics, len(n.devices), n.metrics)
		}
	}
	if memory != e.memory || len(e.nodes) != e.recent.Len() {
		t.Fatalf("%d bytes and %d nodes are counted; there are %d and %d", e.memory, e.recent.Len(), memory,
			len(e.nodes))
	}
	if e.memory > MaxMemory && len(e.nodes) > 1 || len(e.nodes) > MaxNodes {
		t.Fatalf("%d bytes of %d nodes are remembered", e.memory, len(e.nodes))
	}
}

// TestForgetting: the node that said nothing for longest goes first, whole.
func TestForgetting(t *testing.T) {
	e := New()
	birth := payload(0, of(named("a"), aliased(1), typed(5), varint(10, 1)))
	for i := range MaxNodes {
		take(t, e, fmt.Sprintf("spBv1.0/g/NBIRTH/%d", i), birth, 1)
	}
	take(t, e, "spBv1.0/g/NDATA/0", payload(1), 1)
	take(t, e, "spBv1.0/g/NBIRTH/new", birth, 1)
	counted(t, e)
	data := payload(2, of(aliased(1), varint(10, 2)))
	for _, node := range []string{"0", "2", "new", "1"} { // the last is made anew, and pushes out another
		want := `"a":2`
		if node == "1" {
			want = "? rebirth"
		}
		if got := take(t, e, "spBv1.0/g/NDATA/"+node, data, 1); !strings.Contains(got, want) {
			t.Errorf("%s: %s; want %s", node, got, want)
		}
	}
	counted(t, e)
}

// TestMemory: births with many long names push out others, and one alone is bounded.
func TestMemory(t *testing.T) {
	e := New()
	var metrics [][]byte
	for i := range 3000 {
		name := named(fmt.Sprintf("%0*d", MaxName, i))
		metrics = append(metrics, of(name, aliased(uint64(i)), typed(5), varint(10, 1)))
	}
	for i := range 40 {
		take(t, e, fmt.Sprintf("spBv1.0/g/NBIRTH/%d", i), payload(0, metrics...), 1)
		counted(t, e)
	}
	if len(e.nodes) < 10 || len(e.nodes) == 40 {
		t.Errorf("%d nodes are remembered", len(e.nodes))
	}
	for d := range 10 {
		var metrics [][]byte
		for i := range 3000 {
			alias := aliased(uint64(d*3000 + i))
			metrics = append(metrics, of(named(fmt.Sprint(i)), alias, typed(5), varint(10, 1)))
		}
		take(t, e, fmt.Sprintf("spBv1.0/g/DBIRTH/n/%d", d), payload(d, metrics...), 1)
		counted(t, e)
	}
	long := of(named(strings.Repeat("x", MaxName+1)), aliased(1), typed(9), float(1))
	if got := take(t, e, nbirth, payload(0, long), 1); !strings.Contains(got, "xxx") {
		t.Errorf("a long name: %s", got)
	}
	if got := take(t, e, ndata, payload(1, of(aliased(1), float(1))), 1); !strings.HasSuffix(got, "[]} ? rebirth") {
		t.Errorf("by its number: %s", got)
	}
	// What comes to most: the longest name, as often as it may.
	take(t, e, nbirth, payload(0, of(named(strings.Repeat("\x01", MaxName)), aliased(1), typed(9), float(1))), 1)
	var again [][]byte
	for i := range MaxMetrics {
		again = append(again, of(aliased(1), at(i+1), float(1)))
	}
	if got := take(t, e, ndata, payload(1, again...), 1); strings.Count(got, `"metrics"`) != MaxMetrics {
		t.Errorf("a name of many times: %.80s", got)
	}
	if n := cap(e.text) + cap(e.out) + cap(e.metrics)*int(unsafe.Sizeof(metric{})); n > 64<<20 {
		t.Errorf("a message takes %d bytes", n)
	}
	for topic := range map[string]bool{nbirth: true, ddeath: true, ndeath: true} {
		take(t, e, topic, payload(0), 1)
		counted(t, e)
	}
}

// parsed is the copy of the last message that fastjson keeps.
func parsed(e *Edges) []byte {
	b := reflect.ValueOf(&e.parser).Elem().FieldByName("b")
	if b.IsNil() {
		return nil
	}
	return b.Bytes()
}

// TestNothingStays: of a message nothing is in the buffers; of topics, of values and of names
// without an alias nothing is remembered.
func TestNothingStays(t *testing.T) {
	e := New()
	const canary = "zQ7canary"
	birth := payload(0, of(named(canary+"1"), typed(3), varint(10, 1)), of(named("x"), typed(12), text(15, canary+"2")))
	for _, payload := range [][]byte{birth, payload(1, of(named(canary), float(1)), of(named(canary), float(1)))} {
		take(t, e, "spBv1.0/"+canary+"/DBIRTH/"+strings.Repeat(canary, 5)+"/"+canary, payload, 1)
		for _, b := range [][]byte{e.text[:cap(e.text)], e.out[:cap(e.out)], e.scratch[:cap(e.scratch)]} {
			if bytes.Contains(b, []byte("canary")) {
				t.Error("it stays in a buffer")
			}
		}
		for _, m := range e.metrics[:cap(e.metrics)] {
			if m.name != nil || m.text != nil || m.remembered != "" {
				t.Error("it stays in a metric")
			}
		}
	}
	take(t, e, nbirth, payload(0, of(named("a"), aliased(1), typed(9), float(1)), of(named("b"), typed(12),
		text(15, canary))), 1)
	if !strings.Contains(string(parsed(e)), canary) {
		t.Error("the parser has no copy any more: nothing needs to be dropped")
	}
	e.DropBuffers()
	if parsed(e) != nil || e.metrics != nil || e.text != nil || e.out != nil || e.scratch != nil {
		t.Error("buffers stay")
	}
	if got := take(t, e, ndata, payload(1, of(aliased(1), float(2))), 1); got != readings(1, `"a":2`) {
		t.Errorf("what a birth said is gone: %s", got)
	}
	take(t, e, ndeath, payload(-1), 1)
	for _, at := range e.nodes {
		for _, d := range at.Value.(*node).devices {
			if len(d.aliases) > 0 {
				t.Errorf("%v", d.aliases)
			}
		}
	}
}
