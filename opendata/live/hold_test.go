package live

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"
)

// TestHold: what breaks for one listener frees its seat, closes its connection, says where and no value, and ends
// nothing else.
func TestHold(t *testing.T) {
	s := &seats{limits: Limits{Listeners: 1}, per: make(map[uint64]int)}
	if !s.take(7) {
		t.Fatal("there is no seat")
	}
	ours, theirs := net.Pipe()
	var log bytes.Buffer
	s.hold(7, ours, slog.New(slog.NewTextHandler(&log, nil)), func() { panic("canary") })
	if _, err := theirs.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open")
	}
	if !s.take(8) {
		t.Error("the seat is taken")
	}
	if text := log.String(); strings.Contains(text, "canary") || !strings.Contains(text, "hold_test.go") {
		t.Errorf("the log has %s", text)
	}
}
