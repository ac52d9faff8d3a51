package broadcast

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/listeners"
)

// TestOneThatBreaks: what breaks for one client frees its seat, closes its connection, says where and no value, and
// ends nothing else.
func TestOneThatBreaks(t *testing.T) {
	var log bytes.Buffer
	d := newDoor(nil, Config{Connections: 1, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if !d.take(7, 0) {
		t.Fatal("there is no seat")
	}
	ours, theirs := net.Pipe()
	var establish listeners.EstablishFn = func(string, net.Conn) error { panic("canary") }
	d.serve(newConn(ours, 7), establish)
	if _, err := theirs.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open")
	}
	if !d.take(8, 0) {
		t.Error("the seat is taken")
	}
	if text := log.String(); strings.Contains(text, "canary") || !strings.Contains(text, "door_test.go") {
		t.Errorf("the log has %s", text)
	}
}
