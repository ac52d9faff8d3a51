package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// packet is a fixed header before a body (MQTT 3.1.1 section 2.2).
func packet(kind byte, body ...[]byte) []byte {
	n := 0
	for _, b := range body {
		n += len(b)
	}
	out := binary.AppendUvarint([]byte{kind}, uint64(n))
	for _, b := range body {
		out = append(out, b...)
	}
	return out
}

func text(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

func hello(version, flags byte, id, user, password string) []byte {
	var props []byte
	if version == 5 {
		props = []byte{0}
	}
	if user == "" {
		return packet(0x10, text("MQTT"), []byte{version, flags, 0, 0}, props, text(id))
	}
	return packet(0x10, text("MQTT"), []byte{version, flags | 0xc0, 0, 0}, props, text(id), text(user), text(password))
}

func publication(id uint16, topic string, payload []byte) []byte {
	return packet(0x32, text(topic), binary.BigEndian.AppendUint16(nil, id), payload)
}

func reading(n int64) []byte {
	return fmt.Appendf(nil, `{"ts":%q,"seq":%d,"fields":{"passed":1}}`, time.Now().UTC().Format(time.RFC3339Nano), n)
}

// enter sends a CONNECT and reads its answer.
func (g *gate) enter(ctx context.Context, version byte, id, user string) (net.Conn, error) {
	c, err := g.dial(ctx)
	if err != nil {
		return nil, err
	}
	password := g.secrets[user]
	if g.kind == anyone {
		user = ""
	}
	answer := make([]byte, 2)
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err = c.Write(hello(version, 2, id, user, password))
	if err == nil {
		_, err = io.ReadFull(c, answer)
	}
	if err == nil {
		answer = make([]byte, answer[1])
		_, err = io.ReadFull(c, answer)
	}
	if err == nil && answer[1] != 0 {
		err = errors.New("refused")
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, c.SetReadDeadline(time.Time{})
}

// honest are sensors that publish at a steady rate and wait for each acknowledgement.
type honest struct {
	conns       []net.Conn
	seq         []int64
	sent, acked atomic.Int64
}

func connectHonest(g *gate) (*honest, error) {
	h := &honest{seq: make([]int64, honestSensors)}
	for n := range honestSensors {
		id := fmt.Sprintf("honest-%d", n)
		c, err := g.enter(context.Background(), 4, id, id)
		if err != nil {
			h.close()
			return nil, err
		}
		h.conns = append(h.conns, c)
	}
	return h, nil
}

func (h *honest) close() {
	for _, c := range h.conns {
		_ = c.Close()
	}
}

func (h *honest) counts() (sent, acked int64) { return h.sent.Load(), h.acked.Load() }

// latencies of acknowledgements, in ms, sorted.
type latencies []float64

func (l latencies) at(share float64) float64 {
	if len(l) == 0 {
		return 0
	}
	return l[int(share*float64(len(l)-1))]
}

func (l latencies) String() string { return fmt.Sprintf("%.1f/%.1f", l.at(.5), l.at(.99)) }

// publish has each sensor publish for a while.
func (h *honest) publish(ctx context.Context, span time.Duration) latencies {
	var mu sync.Mutex
	var all latencies
	var wg sync.WaitGroup
	until := time.Now().Add(span)
	for n, c := range h.conns {
		wg.Go(func() {
			topic, answer := fmt.Sprintf("city/v1/bench/honest-%d/up", n), make([]byte, 4)
			next := time.Now().Add(time.Duration(n) * time.Second / honestRate / honestSensors)
			for ; time.Now().Before(until) && ctx.Err() == nil; next = next.Add(time.Second / honestRate) {
				time.Sleep(time.Until(next))
				h.seq[n]++
				begun := time.Now()
				h.sent.Add(1)
				if _, err := c.Write(publication(uint16(h.seq[n]%60000)+1, topic, reading(h.seq[n]))); err != nil {
					return
				}
				_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
				if _, err := io.ReadFull(c, answer); err != nil {
					return
				}
				h.acked.Add(1)
				mu.Lock()
				all = append(all, time.Since(begun).Seconds()*1000)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(all)
	return all
}
