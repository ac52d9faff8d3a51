package mqtt

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// mostUnanswered are the publications that may wait for a broker's answer; the
// library keeps each until then.
const mostUnanswered = 10_000

var errParts = errors.New("the MQTT library wrote a packet in parts")

// publication stands for a PUBLISH among what was asked, where a SUBSCRIBE has the
// number of its filters.
const publication = 0

// unsubscription stands for an UNSUBSCRIBE.
const unsubscription = -1

// asked is what the client has asked a broker and what was not answered yet. The
// library looks an answer up by its packet id alone, and would take a PUBACK for the
// end of a SUBSCRIBE.
type asked struct {
	mu    sync.Mutex
	pings int            // PINGREQ that wait; guarded by mu
	open  map[uint16]int // filters, publication or unsubscription, by packet id; guarded by mu
}

// note reads what the client is about to send, whole packets.
func (a *asked) note(p []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(p) > 0 {
		length, n := binary.Uvarint(p[1:])
		if n <= 0 || length > uint64(len(p)-1-n) {
			return errParts
		}
		end := 1 + n + int(length)
		if !a.one(p[0], p[1+n:end]) {
			return errParts
		}
		p = p[end:]
	}
	return nil
}

// one keeps one packet; false where it is cut off.
func (a *asked) one(first byte, body []byte) bool {
	switch first >> 4 {
	case packets.Pingreq:
		a.pings++
	case packets.Publish:
		if first>>1&3 == 0 {
			return true // nobody answers
		}
		rest, ok := text(body)
		if !ok || len(rest) < 2 {
			return false
		}
		a.keep(rest, publication)
	case packets.Subscribe:
		if len(body) < 2 {
			return false
		}
		filters := 0
		for rest := body[2:]; len(rest) > 0; filters++ {
			after, ok := text(rest)
			if !ok || len(after) < 1 {
				return false
			}
			rest = after[1:]
		}
		a.keep(body, filters)
	case packets.Unsubscribe:
		if len(body) < 2 {
			return false
		}
		a.keep(body, unsubscription)
	}
	return true
}

func (a *asked) keep(id []byte, what int) {
	if a.open == nil {
		a.open = make(map[uint16]int)
	}
	a.open[binary.BigEndian.Uint16(id)] = what
}

// text is what comes behind a string with its length before it (section 1.5.3).
func text(b []byte) (rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, false
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	if n > len(b) {
		return nil, false
	}
	return b[n:], true
}

// unanswered is how many packets wait for an answer.
func (a *asked) unanswered() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.open)
}

// returnCodes of a SUBACK (section 3.9.3).
var returnCodes = []byte{0, 1, 2, 0x80}

// answered reports whether a packet that is no publication is a well-formed answer
// to something that was asked, and forgets what that was. Nothing is ever asked that
// is answered with PUBREC, PUBREL or PUBCOMP.
func (a *asked) answered(kind byte, body []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch kind {
	case packets.Connack: // section 3.2: a session is present or not, and only where the code is 0
		return len(body) == 2 && body[0] <= 1 && body[1] <= packets.ErrRefusedNotAuthorised &&
			(body[0] == 0 || body[1] == 0)
	case packets.Pingresp:
		a.pings--
		return len(body) == 0 && a.pings >= 0
	case packets.Puback:
		return len(body) == 2 && a.closed(body, publication)
	case packets.Unsuback:
		return len(body) == 2 && a.closed(body, unsubscription)
	case packets.Suback:
		return len(body) > 2 && a.closed(body, len(body)-2) &&
			!slices.ContainsFunc(body[2:], func(code byte) bool { return !slices.Contains(returnCodes, code) })
	}
	return false
}

func (a *asked) closed(id []byte, what int) bool {
	n := binary.BigEndian.Uint16(id)
	got, ok := a.open[n]
	delete(a.open, n)
	return ok && got == what
}
