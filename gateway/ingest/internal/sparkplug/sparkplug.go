// Package sparkplug reads messages of Eclipse Sparkplug B 3.0 (sparkplug.eclipse.org) as if
// they had come in JSON:
//
//	spBv1.0/GROUP/NBIRTH/NODE           an edge node says which metrics it has
//	spBv1.0/GROUP/DBIRTH/NODE/DEVICE    and which a device behind it has
//	spBv1.0/GROUP/NDATA/NODE            values that have changed; DDATA of a device
//	spBv1.0/GROUP/NDEATH/NODE           it is gone; DDEATH, a device is
//
// A payload is protobuf; section 6.4 of the specification has the fields. What it says becomes
//
//	{"timestamp":1486144502122,"seq":2,
//	 "readings":[{"timestamp":1486144502122,"metrics":{"Supply Voltage":12.25}}]}
//
// so that metrics of one time are one reading, from the earliest; a metric without a time of
// its own has the payload's. Births have values, and are read like data. Null are metrics
// that say so, transient ones, which nobody is to keep, and what nobody can look into: bytes,
// files, data sets, templates and arrays.
//
// Data are not readable by themselves: a metric may have a number (an alias) instead of its
// name, and whole numbers come without the type that says whether they have a sign. Both are
// in the birth, so Edges remembers them, in memory, within bounds: of topics and of names
// that have no alias it keeps only hashes. A metric that is not understood so is dropped, and
// counted; then, and where a message is missing by its sequence number, a rebirth is wanted.
// That a message is missing does not stop others: what comes over one connection of several,
// or by a narrow subscription, is never complete.
package sparkplug

import (
	"container/list"
	"hash/maphash"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
)

// Bounds on one message, and on what is remembered.
const (
	MaxMessage = 1 << 20  // bytes
	MaxMetrics = 10_000   // of a message, and of an edge node with its devices
	MaxName    = 256      // bytes of a name that is remembered
	MaxNodes   = 4_096    // edge nodes; the one that said nothing for longest is forgotten
	MaxMemory  = 32 << 20 // bytes, of all edge nodes together, about
)

// rebirthPause is how long an edge node is left alone after it was asked for a rebirth.
const rebirthPause = int64(5 * time.Minute)

// Topic is what a topic says; Device is empty for the edge node itself.
type Topic struct{ Group, Verb, Node, Device string }

// ParseTopic takes a topic apart, and reports whether it is one of the six above.
func ParseTopic(topic string) (t Topic, ok bool) {
	rest, ok := strings.CutPrefix(topic, "spBv1.0/")
	if !ok {
		return t, false
	}
	t.Group, rest, _ = strings.Cut(rest, "/")
	t.Verb, rest, _ = strings.Cut(rest, "/")
	var device bool
	t.Node, t.Device, device = strings.Cut(rest, "/")
	switch t.Verb {
	case "NBIRTH", "NDATA", "NDEATH":
		ok = !device
	case "DBIRTH", "DDATA", "DDEATH":
		ok = t.Device != "" && !strings.Contains(t.Device, "/")
	default:
		ok = false
	}
	return t, ok && t.Group != "" && t.Node != ""
}

// Message is what a payload comes to.
type Message struct {
	// Tree is as above, and valid until the next message is taken; nil for a death.
	Tree *fastjson.Value
	// Unknown counts the metrics that are not in it, since no birth says what they are.
	Unknown int
	// Rebirth is wanted, and was not asked for in the last minutes.
	Rebirth bool
}

// Edges remembers what edge nodes said of their metrics. It is used by one goroutine.
type Edges struct {
	reader
	parser fastjson.Parser
	nodes  map[id]*list.Element // of *node
	recent list.List            // from the one that spoke last
	memory int                  // of all nodes, in bytes
	wanted func(name []byte) bool
}

// New remembers nothing yet.
func New() *Edges {
	e := &Edges{nodes: make(map[id]*list.Element), wanted: func([]byte) bool { return true }}
	e.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	return e
}

// Only says which names are remembered, of births from then on; without it, all are. A name
// may tell of somebody, such as one for each telephone in sight, and outlives its epoch here.
// What a birth calls by another name is known, and left out of data that have its number.
func (e *Edges) Only(wanted func(name []byte) bool) { e.wanted = wanted }

// DropBuffers drops what the last messages were in, the parser's copy of them too; what births
// said stays. It is for the end of an epoch, and ends the validity of a tree.
func (e *Edges) DropBuffers() {
	e.parser = fastjson.Parser{}
	e.reader = reader{seeds: e.seeds}
}

// Take reads a message that was received at that instant, in nanoseconds since 1970. The
// fault of one that is refused is of the whole message: TooLarge, DuplicateKey, or NotJSON
// for all else; of a birth that is refused nothing is known, of what was before neither.
func (e *Edges) Take(t Topic, payload []byte, received int64) (Message, fault.Fault) {
	defer e.wipe()
	if code := e.read(payload); code != fault.None {
		return Message{}, fault.New(code)
	}
	n, device := e.node(t), e.id(t.Device, "")
	switch t.Verb {
	case "NDEATH":
		n.end(e)
		return Message{}, fault.Fault{}
	case "NBIRTH":
		n.reset(e)
		n.bdSeq, n.hasBdSeq = e.bdSeq()
	case "DBIRTH", "DDEATH":
		n.forget(e, device)
	}
	lost := n.follow(&e.reader)
	if t.Verb == "DDEATH" {
		return Message{Rebirth: lost && n.ask(received)}, fault.Fault{}
	}
	unknown := n.name(e, device)
	m := Message{Unknown: unknown, Rebirth: (lost || unknown > 0) && n.ask(received)}
	code := e.write()
	if code == fault.None && (t.Verb == "NBIRTH" || t.Verb == "DBIRTH") {
		n.learn(e, device)
		e.bound()
	}
	if code == fault.None {
		var err error
		if m.Tree, err = e.parser.ParseBytes(e.out); err != nil {
			code = fault.NotJSON
		}
	}
	if code != fault.None {
		return Message{Rebirth: m.Rebirth}, fault.New(code)
	}
	return m, fault.Fault{}
}
