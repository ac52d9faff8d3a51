package mqtt

import (
	"io"
	"net"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
)

// TestAckDoesNotWait: a broker that publishes and does not read cannot hold up whoever
// acknowledges; it loses its connection.
func TestAckDoesNotWait(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe() // has no room at all
	defer far.Close()
	c := &Client{acks: map[*guard][]byte{}}
	g := newGuard(near)
	list := make([]intake.Message, 1<<14)
	for i := range list {
		list[i] = intake.Message{Conn: g, ID: uint16(i + 1), QoS: 1}
	}
	begun := time.Now()
	for range 10 {
		c.Ack(list)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("acknowledging took %s", took)
	}
	g.acks.mu.Lock()
	waiting := len(g.acks.waiting)
	g.acks.mu.Unlock()
	if waiting > mostAcks {
		t.Errorf("%d bytes wait", waiting)
	}
	if _, err := near.Write([]byte{0}); err == nil {
		t.Error("the connection is still open")
	}
	g.acks.flush(5 * time.Second)
	if c.useful.Load() {
		t.Error("what nobody read counts as acknowledged")
	}
}

// TestWritesEnd: a write that nobody reads ends the connection, also where another
// goroutine has set another deadline.
func TestWritesEnd(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer far.Close()
	g := newGuard(near)
	failed := make(chan error, 1)
	go func() { _, err := g.Write([]byte{0xc0, 0}); failed <- err }()
	time.Sleep(50 * time.Millisecond)
	_ = g.SetWriteDeadline(time.Time{})
	_ = g.SetDeadline(time.Time{})
	select {
	case err := <-failed:
		if err == nil {
			t.Error("it was written to nobody")
		}
	case <-time.After(3 * writeDeadline):
		t.Fatal("it waits for ever")
	}
	if _, err := near.Write([]byte{0}); err == nil {
		t.Error("the connection is still open")
	}
}

// TestAcksInOrder: all that was acknowledged goes out, in order, also when the gateway
// leaves at once.
func TestAcksInOrder(t *testing.T) {
	near, far := net.Pipe()
	c := &Client{acks: map[*guard][]byte{}}
	g := newGuard(near)
	const number = 5000
	got := make(chan []byte)
	go func() { raw, _ := io.ReadAll(far); got <- raw }()
	for n := range number {
		c.Ack([]intake.Message{{Conn: g, ID: uint16(n + 1), QoS: 1}})
	}
	g.acks.flush(10 * time.Second)
	_ = g.Close()
	raw := <-got
	if len(raw) != 4*number {
		t.Fatalf("%d bytes went out; want %d", len(raw), 4*number)
	}
	for n := range number {
		if p := raw[4*n:]; p[0] != 0x40 || int(p[2])<<8|int(p[3]) != n+1 {
			t.Fatalf("acknowledgement %d is % x", n, p[:4])
		}
	}
}
