// Command doors measures what strangers and rogue sensors can do to the gateway's own
// listener: honest sensors publish calmly to the real binary, then beside each abuse,
// and a table says how long their acknowledgements took, what memory it cost, and
// whether anything acknowledged was lost. Everything is on loopback, and bounded in
// number and time. A missed target is marked and is no error: the abuse shares the
// processors with its victim.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

// Targets.
const (
	mostMemory = 128.0 // MiB more than when calm
	mostTimes  = 2.0   // p99 beside when calm
)

// scenario is one abuse, for as long as its context.
type scenario struct {
	name  string
	kind  string // of listener: with passwords, with TLS besides, or open to all
	abuse func(context.Context, *gate)
}

var scenarios = []scenario{
	{"5,000 connections that say nothing", passwords, silent},
	{"2,000 half TLS handshakes", secure, halfHandshakes},
	{"2,000 CONNECTs of 2 MiB, last byte kept back", passwords, giants},
	{"2,000 password guesses a second", passwords, guesses},
	{"one sensor with 2,000 connections", passwords, crowd},
	{"65,535 topic aliases of 60,000 bytes", passwords, aliases},
	{"20,000 sessions left behind", anyone, sessions},
	{"2,000 unfinished packets of 2 MiB", anyone, unfinished},
	{"four connections that publish and never read", passwords, deaf},
}

func main() {
	sluice := flag.String("sluice", "bin/sluice", "the binary to measure")
	span := flag.Duration("span", 8*time.Second, "how long each abuse lasts")
	only := flag.String("only", "", "only scenarios whose name contains this")
	overload := flag.Duration("overload", 30*time.Second, "how long the overload lasts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *sluice, *span, *only)
	if err == nil {
		err = measureLoads(ctx, *sluice, *only, *span, *overload)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "doors:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, sluice string, span time.Duration, only string) error {
	fmt.Printf("%d honest sensors, %d readings a second in all, for %s each; targets: p99 at most %.0f times calm, "+
		"memory at most +%.0f MiB, nothing lost\n", honestSensors, honestSensors*honestRate, span, mostTimes,
		mostMemory)
	fmt.Printf("%-46s %16s %18s %7s %8s %9s %21s\n", "scenario", "calm p50/p99 ms", "beside p50/p99 ms", "times", "MiB",
		"MiB after", "sent/acked/received")
	for _, s := range scenarios {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !strings.Contains(s.name, only) {
			continue
		}
		if err := measure(ctx, sluice, s, span); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func measure(ctx context.Context, sluice string, s scenario, span time.Duration) error {
	g, err := openGate(ctx, sluice, s.kind)
	if err != nil {
		return err
	}
	defer g.close()
	h, err := connectHonest(g)
	if err != nil {
		return err
	}
	defer h.close()
	calm := h.publish(ctx, span/2)
	before := g.resident()
	abuse, stop := context.WithTimeout(ctx, span)
	defer stop()
	peak := make(chan float64, 1)
	go func() { peak <- g.watch(abuse) }()
	ended := make(chan struct{})
	go func() { defer close(ended); s.abuse(abuse, g) }()
	beside := h.publish(abuse, span)
	<-ended
	most := <-peak
	time.Sleep(12 * time.Second) // the gateway gives memory back
	after := g.resident()
	received, err := g.received()
	if err != nil {
		return err
	}
	sent, acked := h.counts()
	times := beside.at(.99) / calm.at(.99)
	var missed []string
	if times > mostTimes {
		missed = append(missed, "p99")
	}
	if most-before > mostMemory {
		missed = append(missed, "memory")
	}
	if acked < sent || received < acked+g.acked.Load() {
		missed = append(missed, "LOST")
	}
	note := ""
	if missed != nil {
		note = "  missed: " + strings.Join(missed, ", ")
	}
	fmt.Printf("%-46s %16s %18s %7.1f %+8.1f %+9.1f %21s%s\n", s.name, calm, beside, times, most-before, after-before,
		fmt.Sprintf("%d/%d/%d", sent, acked+g.acked.Load(), received), note)
	return nil
}
