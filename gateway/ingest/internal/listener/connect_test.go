package listener

import (
	"bytes"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"sluice/gateway/ingest/internal/intake"
)

// TestOfAConnectNothingStays: of what a client writes into CONNECT nothing stays as it
// was, and the library gets no text of it; what has an effect is the same, and equal
// client ids stay equal.
func TestOfAConnectNothingStays(t *testing.T) {
	l, err := build(Config{Queue: intake.New(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	const canary = "zQ7canary"
	will := append(text(canary), text(canary)...)
	// receive maximum, a user property
	five := append([]byte{3 + 2 + 9 + 2 + 9, 0x21, 0, 7, 0x26}, append(text(canary), text(canary)...)...)
	five[0] = byte(len(five) - 1)
	ids := make(map[string]int)
	for name, raw := range map[string][]byte{
		"3.1.1": packet(0x10, text("MQTT"), []byte{4, 0xc6, 0, 60}, text(canary), will, text(canary),
			text(canary)),
		"5": packet(0x10, text("MQTT"), []byte{5, 0xc6, 0, 60}, five, text(canary), []byte{0}, will,
			text(canary), text(canary)),
		"without ids": packet(0x10, text("MQTT"), []byte{4, 0xc2, 0, 60}, text(""), text(canary), text(canary)),
	} {
		ours, theirs := net.Pipe()
		go func() { _, _ = ours.Write(raw) }()
		c := newConn(theirs, newPeer(theirs, l.turns), l)
		l.turns <- struct{}{}
		pk, no := c.readConnect()
		if no != nil {
			t.Fatalf("%s: %+v", name, no)
		}
		<-l.turns
		said := c.rawConnect
		if no := c.sanitize(&pk); no != nil {
			t.Fatalf("%s: %+v", name, no)
		}
		left := c.rawConnect != nil || bytes.Contains(c.sanitized, []byte("canary"))
		if left || bytes.Contains(said, []byte("canary")) {
			t.Errorf("%s: something stays: %q, %q", name, said, c.sanitized)
		}
		got := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}}
		if err := got.ConnectDecode(c.sanitized[2:]); err != nil || got.ConnectValidate() != packets.CodeSuccess {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Connect.Keepalive != 60 || !got.Connect.Clean ||
			got.ProtocolVersion == 5 && got.Properties.ReceiveMaximum != 7 ||
			(got.Connect.ClientIdentifier == "") != (name == "without ids") {
			t.Errorf("%s: the library gets %+v", name, got.Connect)
		}
		ids[got.Connect.ClientIdentifier]++
		c.cancel()
		_ = ours.Close()
	}
	if len(ids) != 2 {
		t.Errorf("one client id and none became %v", ids)
	}
}
