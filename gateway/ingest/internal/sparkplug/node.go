package sparkplug

import "hash/maphash"

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

// nameID is of the name of a metric.
func (e *Edges) nameID(name []byte) id {
	e.scratch = append(e.scratch[:0], name...)
	return e.hash()
}

// node is what an edge node has said of itself and of its devices; of itself it speaks as of a
// device without a name. The specification has one row of numbers (aliases) for all of them;
// there are nodes that begin anew for each device.
type node struct {
	id       id
	devices  map[id]*device
	metrics  int    // of all devices
	seq      uint64 // of its last message
	hasSeq   bool
	bdSeq    uint64 // of its session
	hasBdSeq bool
	asked    int64 // when, for a rebirth; 0 for never
}

// device is what the birth of one said.
type device struct {
	aliases map[uint64]known
	types   map[id]uint32 // of whole numbers, by name
	memory  int
}

// known is a metric with a number. Without a name it is one that nobody wants, or unknown after
// all, where two have that number.
type known struct {
	name     string
	datatype uint32
	unwanted bool
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
	for of := range n.devices {
		n.forget(e, of)
	}
	n.hasSeq, n.hasBdSeq = false, false
}

// forget forgets the metrics of a device.
func (n *node) forget(e *Edges, of id) {
	if d := n.devices[of]; d != nil {
		e.memory -= d.memory
		n.metrics -= len(d.aliases) + len(d.types)
		delete(n.devices, of)
	}
}

// end is a death of the edge node, unless it is the will of a session before.
func (n *node) end(e *Edges) {
	if bdSeq, ok := e.bdSeq(); !ok || !n.hasBdSeq || bdSeq == n.bdSeq {
		n.reset(e)
	}
}

// learn remembers the metrics of a birth, of a device that was forgotten before: names by
// number, and types of whole numbers.
func (n *node) learn(e *Edges, of id) {
	d := &device{aliases: make(map[uint64]known), types: make(map[id]uint32), memory: entryMemory}
	for i := range e.metrics {
		m := &e.metrics[i]
		if len(m.name) == 0 || len(m.name) > MaxName || n.metrics+len(d.aliases)+len(d.types) >= MaxMetrics {
			continue
		}
		if m.whole() {
			d.types[e.nameID(m.name)] = m.datatype
		}
		if m.aliased {
			d.alias(m, !e.wanted(m.name))
		}
	}
	if len(d.aliases)+len(d.types) == 0 {
		return
	}
	d.memory += entryMemory * (len(d.aliases) + len(d.types))
	for _, k := range d.aliases {
		d.memory += len(k.name)
	}
	if n.devices == nil {
		n.devices = make(map[id]*device)
	}
	n.devices[of] = d
	n.metrics += len(d.aliases) + len(d.types)
	e.memory += d.memory
}

// alias remembers the name that a number stands for; if it stands for two, none.
func (d *device) alias(m *metric, unwanted bool) {
	before, again := d.aliases[m.alias]
	k := known{datatype: m.datatype, unwanted: unwanted && !again}
	if !unwanted && (!again || before.name == string(m.name)) {
		k.name = string(m.name)
	}
	d.aliases[m.alias] = k
}

// name finds what the payload does not say of its metrics, and counts those that stay
// unknown: they are dropped.
func (n *node) name(e *Edges, of id) (unknown int) {
	d := n.devices[of]
	if d == nil {
		d = &device{}
	}
	for i := range e.metrics {
		m := &e.metrics[i]
		var k known
		switch {
		case len(m.name) == 0:
			k = d.aliases[m.alias]
			m.dropped = !m.aliased || k.name == ""
			if m.aliased && k.unwanted {
				continue
			}
			m.remembered = k.name
		case m.datatype == 0 && m.numbered() && len(m.name) <= MaxName:
			k.datatype = d.types[e.nameID(m.name)]
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
