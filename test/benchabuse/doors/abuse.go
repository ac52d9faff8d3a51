package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// many runs f for so many n, some at a time, and keeps what it returns open until the
// abuse is over.
func many(ctx context.Context, total, workers int, f func(n int) net.Conn) {
	var wg sync.WaitGroup
	jobs := make(chan int)
	var mu sync.Mutex
	var open []net.Conn
	for range workers {
		wg.Go(func() {
			for n := range jobs {
				if c := f(n); c != nil {
					mu.Lock()
					open = append(open, c)
					mu.Unlock()
				}
			}
		})
	}
	for n := 0; n < total && ctx.Err() == nil; n++ {
		select {
		case jobs <- n:
		case <-ctx.Done():
		}
	}
	close(jobs)
	<-ctx.Done()
	mu.Lock()
	for _, c := range open {
		_ = c.Close()
	}
	mu.Unlock()
	wg.Wait()
}

// raw connects without TLS, and ends what it does when the abuse is over.
func (g *gate) raw(ctx context.Context) net.Conn {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", g.addr)
	if err != nil {
		return nil
	}
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	modest(c)
	return c
}

// modest keeps the abuser's own end small: its kernel is the victim's too, and should
// not run out of memory for sockets.
func modest(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(32 << 10)
	}
}

func silent(ctx context.Context, g *gate) {
	many(ctx, 5000, 16, func(int) net.Conn { return g.raw(ctx) })
}

// recorder keeps what is written and answers with the end.
type recorder struct {
	net.Conn
	bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error)    { return r.Buffer.Write(p) }
func (*recorder) Read([]byte) (int, error)         { return 0, io.EOF }
func (*recorder) SetWriteDeadline(time.Time) error { return nil }

func halfHandshakes(ctx context.Context, g *gate) {
	many(ctx, 2000, 16, func(int) net.Conn {
		c := g.raw(ctx)
		if c != nil {
			r := &recorder{Conn: c}
			_ = tls.Client(r, &tls.Config{InsecureSkipVerify: true}).Handshake() //nolint:gosec // it has no end
			_, _ = c.Write(r.Bytes())
		}
		return c
	})
}

func giants(ctx context.Context, g *gate) {
	body := make([]byte, 2<<20-8)
	giant := packet(0x10, text("MQTT"), []byte{4, 2, 0, 0}, body)
	many(ctx, 2000, 64, func(int) net.Conn {
		c := g.raw(ctx)
		if c != nil {
			_, _ = c.Write(giant[:len(giant)-1])
		}
		return c
	})
}

func guesses(ctx context.Context, g *gate) {
	var wg sync.WaitGroup
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		<-tick.C
		for range 10 {
			wg.Go(func() {
				if c := g.raw(ctx); c != nil {
					defer c.Close()
					_, _ = c.Write(hello(4, 2, "guess", fmt.Sprintf("honest-%d", n%honestSensors), "hunter2"))
					_, _ = io.ReadFull(c, make([]byte, 4))
				}
			})
		}
	}
	wg.Wait()
}

func crowd(ctx context.Context, g *gate) {
	many(ctx, 2000, 64, func(n int) net.Conn {
		c, err := g.enter(ctx, 4, fmt.Sprint(n), rogue(0))
		if err != nil {
			return nil
		}
		return c
	})
}

func aliases(ctx context.Context, g *gate) {
	topic := append([]byte("city/v1/bench/"), bytes.Repeat([]byte("x"), 59_986)...)
	for n := 1; n < 1<<16 && ctx.Err() == nil; {
		c, err := g.enter(ctx, 5, "alias", rogue(n))
		if err != nil {
			continue
		}
		go func() { _, _ = io.Copy(io.Discard, c) }()
		for ; n < 1<<16 && ctx.Err() == nil; n++ {
			if _, err = c.Write(packet(0x32, text(string(topic)), []byte{0, 1, 3, 0x23, byte(n >> 8), byte(n)},
				[]byte("{}"))); err != nil {
				break
			}
		}
		_ = c.Close()
	}
	<-ctx.Done()
}

func sessions(ctx context.Context, g *gate) {
	many(ctx, 20_000, 32, func(n int) net.Conn {
		c := g.raw(ctx)
		if c == nil {
			return nil
		}
		defer c.Close()
		_, _ = c.Write(hello(4, 0, fmt.Sprintf("session-%d", n), "", ""))
		_, _ = io.ReadFull(c, make([]byte, 4))
		return nil
	})
}

func unfinished(ctx context.Context, g *gate) {
	whole := packet(0x32, text("city/v1/bench/rogue-0/up"), []byte{0, 1}, make([]byte, 2<<20-64))
	many(ctx, 2000, 64, func(n int) net.Conn {
		c, err := g.enter(ctx, 4, fmt.Sprint(n), "")
		if err != nil {
			return nil
		}
		modest(c)
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = c.Write(whole[:len(whole)-1])
		return c
	})
}

func deaf(ctx context.Context, g *gate) {
	var wg sync.WaitGroup
	for n := range rogues {
		wg.Go(func() { deafOne(ctx, g, n) })
	}
	wg.Wait()
}

// deafOne publishes as fast as it can and never reads.
func deafOne(ctx context.Context, g *gate, n int) {
	c, err := g.enter(ctx, 4, "deaf", rogue(n))
	if err != nil {
		return
	}
	defer c.Close()
	topic := fmt.Sprintf("city/v1/bench/%s/up", rogue(n))
	for seq := int64(1); ctx.Err() == nil; {
		var b []byte
		for range 200 {
			b = append(b,
				publication(binary.BigEndian.Uint16([]byte{byte(seq >> 8), byte(seq)})|1, topic, reading(seq))...)
			seq++
		}
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := c.Write(b); err != nil {
			break
		}
	}
	<-ctx.Done()
}
