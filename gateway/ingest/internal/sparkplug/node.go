package sparkplug

import (
	"encoding/binary"
	"hash/maphash"
)

// id is a keyed hash of parts of a topic, or of a name: nothing is in it to read.
type id [2]uint64

func (e *Edges) hash() id {
	return id{maphash.Bytes(e.seeds[0], e.scratch), maphash.Bytes(e.seeds[1], e.scratch)}
}

// id is of two parts of a topic, in which there is no slash.
func (e *Edges) id(a, b string) id {
	e.scratch = append(append(append(e.scratch[:0], a...), '/'), b...)
	return e.hash()
}

// nameID is of a metric of a device.
func (e *Edges) nameID(device id, name []byte) id {
	e.scratch = binary.BigEndian.AppendUint64(e.scratch[:0], device[0])
	e.scratch = binary.BigEndian.AppendUint64(e.scratch, device[1])
	e.scratch = append(e.scratch, name...)
	return e.hash()
}

// node is what an edge node has said of itself and of its devices.
type node struct {
	id       id
	aliases  map[number]known
	types    map[id]known // of whole numbers, by name; they have no name here
	seq      uint64       // of its last message
	hasSeq   bool
	bdSeq    uint64 // of its session
	hasBdSeq bool
	asked    int64 // when, for a rebirth; 0 for never
}

// number is a metric's, of a device. The specification has one row of numbers for a node and
// all its devices; there are nodes that begin anew for each.
type number struct {
	device id
	alias  uint64
}

// known is a metric of a birth. Without a name it is unknown after all: two have its number.
type known struct {
	name     string
	device   id
	datatype uint32
}

// entryMemory is what one takes beside its name, about.
const entryMemory = 96

// node finds an edge node, or makes one.
func (e *Edges) node(t Topic) *node {
	key := e.id(t.Group, t.Node)
	if at := e.nodes[key]; at != nil {
		e.recent.MoveToFront(at)
		return at.Value.(*node)
	}
	n := &node{id: key}
	e.nodes[key] = e.recent.PushFront(n)
	e.memory += entryMemory
	e.bound()
	return n
}

// bound forgets whole edge nodes, from the one that said nothing for longest, but never the
// one that spoke last.
func (e *Edges) bound() {
	for e.recent.Len() > 1 && (e.recent.Len() > MaxNodes || e.memory > MaxMemory) {
		at := e.recent.Back()
		n := at.Value.(*node)
		n.reset(e)
		e.memory -= entryMemory
		delete(e.nodes, n.id)
		e.recent.Remove(at)
	}
}

// reset forgets what it said of its metrics, of its sequence and of its session.
func (n *node) reset(e *Edges) {
	for _, k := range n.aliases {
		e.memory -= entryMemory + len(k.name)
	}
	e.memory -= entryMemory * len(n.types)
	n.aliases, n.types = nil, nil
	n.hasSeq, n.hasBdSeq = false, false
}

// end is a death of the edge node, unless it is the will of a session before.
func (n *node) end(e *Edges) {
	if bdSeq, ok := e.bdSeq(); !ok || !n.hasBdSeq || bdSeq == n.bdSeq {
		n.reset(e)
	}
}

// forget forgets the metrics of a device.
func (n *node) forget(e *Edges, device id) {
	for at, k := range n.aliases {
		if at.device == device {
			e.memory -= entryMemory + len(k.name)
			delete(n.aliases, at)
		}
	}
	for name, k := range n.types {
		if k.device == device {
			e.memory -= entryMemory
			delete(n.types, name)
		}
	}
}

// learn remembers the metrics of a birth: names by alias, and types of whole numbers.
func (n *node) learn(e *Edges, device id) {
	if n.aliases == nil {
		n.aliases, n.types = make(map[number]known), make(map[id]known)
	}
	for i := range e.metrics {
		m := &e.metrics[i]
		if len(m.name) == 0 || len(m.name) > MaxName || len(n.aliases)+len(n.types) >= MaxMetrics {
			continue
		}
		k := known{device: device, datatype: m.datatype}
		if name := e.nameID(device, m.name); m.whole() {
			if _, again := n.types[name]; !again {
				e.memory += entryMemory
			}
			n.types[name] = k
		}
		if !m.aliased {
			continue
		}
		at := number{device, m.alias}
		before, again := n.aliases[at]
		if again {
			e.memory -= entryMemory + len(before.name)
		}
		if !again || before.name == string(m.name) {
			k.name = string(m.name)
		}
		n.aliases[at] = k
		e.memory += entryMemory + len(k.name)
	}
}

// name finds what the payload does not say of its metrics, and counts those that stay
// unknown: they are dropped.
func (n *node) name(e *Edges, device id) (unknown int) {
	for i := range e.metrics {
		m := &e.metrics[i]
		var k known
		switch {
		case len(m.name) == 0:
			k = n.aliases[number{device, m.alias}]
			m.dropped = !m.aliased || k.name == ""
			m.remembered = k.name
		case m.datatype == 0 && m.numbered() && len(m.name) <= MaxName:
			k = n.types[e.nameID(device, m.name)]
		}
		if m.datatype == 0 {
			m.datatype = k.datatype
		}
		if m.dropped = m.dropped || m.numbered() && m.datatype == 0; m.dropped {
			unknown++
		}
	}
	return unknown
}

// follow takes the sequence number of a message, and reports whether others are missing. One
// that comes again is none of them.
func (n *node) follow(r *reader) (lost bool) {
	if !r.sequenced {
		return false
	}
	lost = n.hasSeq && r.seq != n.seq && r.seq != (n.seq+1)%256
	n.seq, n.hasSeq = r.seq, true
	return lost
}

// ask reports whether a rebirth may be asked for now.
func (n *node) ask(received int64) bool {
	if n.asked != 0 && received >= n.asked && received-n.asked < rebirthPause {
		return false
	}
	n.asked = received
	return true
}
