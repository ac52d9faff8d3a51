package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Targets beside a load.
const (
	mostQuiet    = 100.0  // ms, p99 of a quiet sensor beside 20,000 readings/s and a rogue
	mostOverload = 1000.0 // ms, p99 of a quiet sensor when all that fits is sent
	mostResident = 256.0  // MiB, VmRSS
)

const (
	busySensors = 10
	busyRate    = 2000 // readings a second of each
	floods      = 20
	noLimit     = 1 << 30
	waiting     = 1000 // readings of one connection that are not acknowledged
)

func busy(n int) string { return fmt.Sprintf("busy-%d", n) }

func flood(n int) string { return fmt.Sprintf("flood-%d", n) }

// load is what others publish, and how one rogue or many misuse it.
type load struct {
	name  string
	rogue func(context.Context, *gate)
	p99   float64
}

var loads = []load{
	{"20,000 readings/s, and no rogue", func(context.Context, *gate) {}, mostQuiet},
	{"and one that never reads its PUBACKs", func(ctx context.Context, g *gate) { deafOne(ctx, g, 0) }, mostQuiet},
	{"and 10,000 random seq/s of one sensor", rogueOf(10_000, 1, randomSeq), mostQuiet},
	{"and 10,000 new boots/s of one sensor", rogueOf(10_000, 1, newBoot), mostQuiet},
	{"and 10,000 readings/s without seq of one", rogueOf(10_000, 1, noSeq), mostQuiet},
	{"and arrays of 10,000 of one sensor", rogueOf(noLimit, 10_000, array), mostQuiet},
	{"and 50,000 readings/s of one sensor", rogueOf(50_000, 1, plain), mostQuiet},
}

// overload is twenty sensors that send as fast as they are acknowledged.
var overload = load{"overload: 20 sensors as fast as it goes", func(ctx context.Context, g *gate) {
	var wg sync.WaitGroup
	for n := range floods {
		wg.Go(func() { g.stream(ctx, flood(n), noLimit, 1, plain, &g.others) })
	}
	wg.Wait()
}, mostOverload}

func rogueOf(rate, each int, next func(b []byte, n int64) []byte) func(context.Context, *gate) {
	return func(ctx context.Context, g *gate) { g.stream(ctx, rogue(0), rate, each, next, nil) }
}

const fields = `"fields":{"passed":1}}`

func begin(b []byte) []byte {
	b = append(b, `{"ts":"`...)
	return append(time.Now().UTC().AppendFormat(b, time.RFC3339Nano), `",`...)
}

func plain(b []byte, n int64) []byte { return fmt.Appendf(begin(b), `"seq":%d,%s`, n, fields) }

func randomSeq(b []byte, n int64) []byte {
	return fmt.Appendf(begin(b), `"seq":%d,%s`, uint64(n)*0x9e3779b97f4a7c15>>12, fields)
}

func newBoot(b []byte, n int64) []byte {
	return fmt.Appendf(begin(b), `"seq":1,"boot":%d,%s`, n+1, fields)
}

func noSeq(b []byte, _ int64) []byte { return append(begin(b), fields...) }

func array(b []byte, n int64) []byte {
	b = append(b, '[')
	for i := range int64(10_000) {
		b = fmt.Appendf(b, `{"seq":%d,%s,`, 10_000*n+i, fields)
	}
	return append(b[:len(b)-1], ']')
}

// samples are latencies that many measure.
type samples struct {
	mu  sync.Mutex
	all latencies
}

func (s *samples) add(ms float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, ms)
}

func (s *samples) sorted() latencies {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.all)
	return s.all
}

// stream publishes for one sensor, rate readings a second, each in a message, and has
// so many messages wait for their acknowledgements; these are counted, and every sixteenth is timed.
func (g *gate) stream(ctx context.Context, id string, rate, each int, next func([]byte, int64) []byte, times *samples) {
	c, err := g.enter(ctx, 4, id, id)
	if err != nil {
		return
	}
	defer c.Close()
	var sent, back atomic.Int64
	when, ended := make(chan time.Time, 1<<16), make(chan struct{})
	go func() {
		defer close(ended)
		g.count(c, int64(each), &back, when, times)
	}()
	topic := fmt.Sprintf("city/v1/bench/%s/up", id)
	const beat = 5 * time.Millisecond
	at, together, waiting := time.Now(), max(1, rate*int(beat)/int(time.Second)), int64(max(2, waiting/each))
	if rate == noLimit {
		together = max(1, 64/each)
	}
	var b, payload []byte
	for ctx.Err() == nil {
		for sent.Load()-back.Load() > waiting && ctx.Err() == nil {
			select {
			case <-ended:
				return
			case <-time.After(time.Millisecond):
			}
		}
		b = b[:0]
		for range together {
			n := sent.Add(1)
			payload = next(payload[:0], n)
			b = appendPublication(b, uint16(n%65535)+1, topic, payload)
			if n%16 == 0 {
				select {
				case when <- time.Now():
				case <-ended:
					return
				}
			}
		}
		_ = c.SetWriteDeadline(time.Now().Add(20 * time.Second))
		if _, err := c.Write(b); err != nil {
			break
		}
		if rate != noLimit {
			at = at.Add(beat)
			time.Sleep(time.Until(at))
		}
	}
	_ = c.SetReadDeadline(time.Now().Add(3 * time.Second)) // what is still on its way
	<-ended
}

// count reads PUBACKs, four bytes each.
func (g *gate) count(c net.Conn, each int64, back *atomic.Int64, when <-chan time.Time, times *samples) {
	in, answer := bufio.NewReaderSize(c, 16<<10), make([]byte, 4)
	for n := 1; ; n++ {
		if _, err := io.ReadFull(in, answer); err != nil {
			return
		}
		g.acked.Add(each)
		back.Add(1)
		if n%16 == 0 {
			begun := <-when
			if times != nil {
				times.add(time.Since(begun).Seconds() * 1000)
			}
		}
	}
}

func appendPublication(b []byte, id uint16, topic string, payload []byte) []byte {
	b = binary.AppendUvarint(append(b, 0x32), uint64(2+len(topic)+2+len(payload)))
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(topic))), topic...)
	return append(binary.BigEndian.AppendUint16(b, id), payload...)
}

// measureLoads prints what a quiet sensor waits beside a load.
func measureLoads(ctx context.Context, sluice, only string, span, long time.Duration) error {
	fmt.Printf(
		"\n%d honest sensors beside a load; targets: p99 %.0f ms, in overload %.0f ms; VmRSS %.0f MiB; nothing lost\n",
		honestSensors, mostQuiet, mostOverload, mostResident)
	fmt.Printf("%-46s %18s %19s %11s %9s %21s\n", "load", "quiet p50/p99 ms", "others' p50/p99 ms", "readings/s",
		"VmRSS MiB", "sent/acked/received")
	for _, l := range append(slices.Clone(loads), overload) {
		if !strings.Contains(l.name, only) {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d := span
		if l.name == overload.name {
			d = long
		}
		if err := measureLoad(ctx, sluice, l, d); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return nil
}

func measureLoad(ctx context.Context, sluice string, l load, span time.Duration) error {
	g, err := openGate(ctx, sluice, passwords)
	if err != nil {
		return err
	}
	defer g.close()
	h, err := connectHonest(g)
	if err != nil {
		return err
	}
	defer h.close()
	under, stop := context.WithTimeout(ctx, span)
	defer stop()
	peak := make(chan float64, 1)
	go func() { peak <- g.watch(under) }()
	var wg sync.WaitGroup
	wg.Go(func() { l.rogue(under, g) })
	if l.name != overload.name {
		for n := range busySensors {
			wg.Go(func() { g.stream(under, busy(n), busyRate, 1, plain, &g.others) })
		}
	}
	quiet := h.publish(under, span)
	took := g.acked.Load()
	wg.Wait()
	most := <-peak
	received, err := g.received()
	if err != nil {
		return err
	}
	sent, acked := h.counts()
	var missed []string
	if quiet.at(.99) > l.p99 {
		missed = append(missed, "p99")
	}
	if most > mostResident {
		missed = append(missed, "memory")
	}
	if acked < sent || received < acked+g.acked.Load() {
		missed = append(missed, "LOST")
	}
	note := ""
	if missed != nil {
		note = "  missed: " + strings.Join(missed, ", ")
	}
	fmt.Printf("%-46s %18s %19s %11.0f %9.1f %21s%s\n", l.name, quiet, g.others.sorted(), float64(took)/span.Seconds(),
		most, fmt.Sprintf("%d/%d/%d", sent, acked+g.acked.Load(), received), note)
	return nil
}
