package listener

import (
	"bytes"
	"encoding/binary"
	"strings"
	"sync/atomic"
	"testing"
)

// TestOrder: acknowledgements come in the order of what they acknowledge, each once.
func TestOrder(t *testing.T) {
	s := open(t, Config{})
	c := s.connect(4, "x", "", "")
	const many = 20_000
	go func() {
		for n := range many {
			payload := []byte(strings.Repeat("x", n%500))
			if _, err := c.Write(reading(uint16(n%60000)+1, "city/v1/a/b/up", payload)); err != nil {
				return
			}
		}
	}()
	for n := range many {
		if got := binary.BigEndian.Uint16(c.want(0x40)); int(got) != n%60000+1 {
			t.Fatalf("acknowledgement %d is of %d", n, got)
		}
	}
}

// TestQoS2: both versions complete, again and again, and nothing stays behind, not of
// who completes what was never published either.
func TestQoS2(t *testing.T) {
	s := open(t, Config{})
	for _, version := range []byte{4, 5} {
		c := s.connect(version, "x", "", "")
		body := []byte("{}")
		if version == 5 {
			body = append([]byte{0}, body...) // no properties
		}
		completes := func(id uint16, rel []byte) {
			t.Helper()
			c.send(rel)
			if got := c.want(0x70); len(got) < 2 || binary.BigEndian.Uint16(got) != id || len(got) > 2 && got[2] != 0 {
				t.Fatalf("version %d: PUBCOMP %x for %d", version, got, id)
			}
		}
		for n := range uint16(100) {
			id := n%7 + 1
			raw := binary.BigEndian.AppendUint16(nil, id)
			c.send(packet(0x34, text("city/v1/a/b/up"), raw, body))
			if got := c.want(0x50); !bytes.Equal(got, raw) {
				t.Fatalf("version %d: PUBREC %x for %d", version, got, id)
			}
			rel := packet(0x62, raw)
			if version == 5 && n%2 == 0 {
				rel = packet(0x62, raw, []byte{0, 0}) // a reason and no properties
			}
			completes(id, rel)
		}
		for id := range uint16(3000) {
			completes(id+1, packet(0x62, binary.BigEndian.AppendUint16(nil, id+1)))
		}
		c.works()
		for _, cl := range s.l.server.Clients.GetAll() {
			if n := cl.State.Inflight.Len(); n != 0 {
				t.Errorf("version %d: %d are in flight", version, n)
			}
		}
		if n := atomic.LoadInt64(&s.l.server.Info.Inflight); n != 0 {
			t.Errorf("version %d: the library counts %d in flight", version, n)
		}
	}
}
