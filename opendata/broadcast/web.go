package broadcast

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	httpdoor "sluice/door"
	"sluice/internal/websocket"
	"sluice/opendata/httpcache"
)

const (
	partingTime = time.Second // for a close frame to be taken
	maxSpare    = 4 << 10     // bytes that are kept to frame the next packet in
)

var errTooMuch = errors.New("mqtt: more came than packets may be")

// Handler serves the same over WebSocket (MQTT 5, section 6.0), to pages of every site: what is
// here is everybody's to read, and asks for nothing that a browser could lend to a page. Of one
// address there may be perAddress connections; 0 for no bound but that of all.
func (b *Broker) Handler(perAddress int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, refused := websocket.Accept(r)
		if refused != nil {
			refused.Ask(w.Header())
			httpcache.Problem(w, r, refused.Status, "websocket", "This is no WebSocket", refused.Why)
			return
		}
		select {
		case <-b.begun:
		case <-r.Context().Done():
			return
		}
		key := b.door.hash.Of(r.RemoteAddr)
		if !b.door.take(key, perAddress) {
			w.Header().Set("Retry-After", "30")
			httpcache.Problem(w, r, http.StatusServiceUnavailable, "busy", "Too many are connected already",
				"wait as long as Retry-After says, or ask /api/v1/latest from time to time")
			return
		}
		httpdoor.Aside(r)
		raw, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			b.door.free(key)
			return
		}
		early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
		early = slices.Clone(early) // the rest of what net/http has is let go
		go func() {
			_ = raw.SetWriteDeadline(time.Now().Add(writeTime))
			if _, err := raw.Write(answer); err != nil {
				_ = raw.Close()
				b.door.free(key)
				return
			}
			b.door.serve(newWeb(raw, early, key), b.server.EstablishConnection)
		}()
	}
}

// web is a WebSocket, as what its frames hold.
type web struct {
	net.Conn
	in       *websocket.Reader
	packets  *rate.Limiter
	farewell atomic.Uint32 // the code that closes it
	closing  sync.Once

	mu  sync.Mutex // of one frame at a time
	out []byte     // guarded by mu
}

// newWeb returns a connection of which early bytes have been read.
func newWeb(raw net.Conn, early []byte, key uint64) *conn {
	c := newConn(raw, key)
	w := &web{Conn: raw, packets: c.packets}
	w.farewell.Store(websocket.Done)
	w.in = websocket.NewReader(&budget{in: bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), raw), 512),
		bytes: rate.NewLimiter(packetRate*maxPacket, packetBurst*maxPacket)}, w.pong)
	c.Conn = w
	return c
}

// budget bounds the bytes of all frames, so that those of no packet are not free.
type budget struct {
	in    io.Reader
	bytes *rate.Limiter
}

func (b *budget) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if !b.bytes.AllowN(time.Now(), n) {
		return 0, errTooMuch
	}
	return n, err
}

// Read reads what frames hold. Who sends others is told so.
func (w *web) Read(p []byte) (int, error) {
	n, err := w.in.Read(p)
	if what := websocket.Violation(0); errors.As(err, &what) {
		w.farewell.Store(uint32(what))
	}
	return n, err
}

// Write sends a frame.
func (w *web) Write(p []byte) (int, error) {
	if err := w.frame(websocket.Binary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (w *web) frame(op byte, p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = websocket.Append(w.out[:0], op, p)
	_, err := w.Conn.Write(w.out)
	if cap(w.out) > maxSpare {
		w.out = nil
	}
	return err
}

// pong answers a ping, which counts as a packet.
func (w *web) pong(body []byte) {
	_ = w.SetWriteDeadline(time.Now().Add(writeTime))
	if !w.packets.Allow() || w.frame(websocket.Pong, body) != nil {
		_ = w.Conn.Close()
	}
}

// Close says why, where nobody is being waited for.
func (w *web) Close() error {
	w.closing.Do(func() {
		if !w.mu.TryLock() {
			return
		}
		defer w.mu.Unlock()
		_ = w.SetWriteDeadline(time.Now().Add(partingTime))
		_, _ = w.Conn.Write(websocket.AppendClose(nil, uint16(w.farewell.Load()))) // it may be gone
	})
	return w.Conn.Close()
}
