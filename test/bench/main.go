// Bench prints what a million readings cost, beside what they cost those who do
// less: a subscriber that only counts, and an embedded broker that does nothing.
//
//	go run ./test/bench            # needs mosquitto
//
// All processes run on this machine, one after the other, and take the same
// messages: one JSON reading of 250 bytes each at QoS 1, of 100,000 devices. The
// cost is CPU time of the process, user and system, as /proc tells it.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"sluice/test/ports"
)

const (
	readings = 500_000
	people   = 100_000
	million  = 1_000_000
	sensors  = 50
)

func main() {
	if len(os.Args) == 3 {
		switch os.Args[1] {
		case "count":
			count(os.Args[2])
			return
		case "empty":
			empty(os.Args[2])
			return
		}
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run: a directory, the binary and the numbers so far.
type bench struct {
	dir, sluice, self string
}

func run() error {
	dir, err := os.MkdirTemp("", "sluice-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b := &bench{dir: dir, self: self, sluice: filepath.Join(dir, "sluice")}
	if out, err := exec.Command("go", "build", "-o", b.sluice, "sluice/cmd/sluice").CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	fmt.Printf("%s, %d CPUs, %s; %d readings of 250 bytes at QoS 1, %d devices, %d sensors\n\n", runtime.Version(),
		runtime.NumCPU(), cpu(), readings, people, sensors)
	fmt.Println("CPU seconds for a million readings")
	broker, err := b.mosquitto()
	if err != nil {
		return err
	}
	defer broker.stop()
	counting, err := b.counting(broker)
	if err != nil {
		return err
	}
	row("paho subscriber that only counts", counting, counting, 0)
	through, own, err := b.through(broker)
	if err != nil {
		return err
	}
	row("gateway through mosquitto, checkpoints included", through, counting, 1.5)
	row("  mosquitto itself, meanwhile", own, counting, 0)
	nothing, err := b.nothing()
	if err != nil {
		return err
	}
	row("embedded broker with an empty hook", nothing, nothing, 0)
	embedded, err := b.embedded()
	if err != nil {
		return err
	}
	row("gateway with embedded listener, broker and checkpoints included", embedded, nothing, 1.6)
	fmt.Println("\nReadings per second, embedded listener, as fast as they are acknowledged")
	if err := b.checkpoints(); err != nil {
		return err
	}
	fmt.Println("\nResident memory of the gateway")
	if err := b.memory(); err != nil {
		return err
	}
	if err := b.crowd(); err != nil {
		return err
	}
	fmt.Println("\nThe largest register")
	return b.largest()
}

func row(what string, seconds, beside, target float64) {
	line := fmt.Sprintf("  %-64s %6.2f", what, seconds)
	if seconds != beside {
		line += fmt.Sprintf("   %.2f times", seconds/beside)
	}
	if target > 0 {
		line += fmt.Sprintf(" (target %.1f)", target)
	}
	fmt.Println(line)
}

// cpu names the processor.
func cpu() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(raw)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimLeft(strings.TrimSpace(name), ": ")
		}
	}
	return "unknown processor"
}

// counting is the cost of a subscriber that only counts.
func (b *bench) counting(broker *process) (float64, error) {
	p, err := b.start(b.self, "count", broker.addr)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	if err := p.says("ready"); err != nil {
		return 0, err
	}
	before := p.cpu()
	if err := load(broker.addr, readings, 0, few); err != nil {
		return 0, err
	}
	return perMillion(p.cpu() - before), p.says(fmt.Sprint("counted ", readings))
}

// through is the cost of a gateway behind a broker, and of the broker.
func (b *bench) through(broker *process) (gateway, own float64, err error) {
	g, err := b.gateway("through", fmt.Sprintf("mqtt: {broker: \"tcp://%s\"}", broker.addr), "PT1H")
	if err != nil {
		return 0, 0, err
	}
	defer g.stop()
	if err := tick(broker.addr); err != nil {
		return 0, 0, err
	}
	time.Sleep(500 * time.Millisecond)
	before, brokerBefore := g.cpu(), broker.cpu()
	if err := load(broker.addr, readings, 0, few); err != nil {
		return 0, 0, err
	}
	if err := g.received(readings); err != nil {
		return 0, 0, err
	}
	return perMillion(g.cpu() - before), perMillion(broker.cpu() - brokerBefore), nil
}

// nothing is the cost of the embedded broker with a hook that does nothing.
func (b *bench) nothing() (float64, error) {
	addr, err := ports.Addr()
	if err != nil {
		return 0, err
	}
	p, err := b.start(b.self, "empty", addr)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	if err := p.says("ready"); err != nil {
		return 0, err
	}
	before := p.cpu()
	if err := load(addr, readings, 0, few); err != nil {
		return 0, err
	}
	return perMillion(p.cpu() - before), nil
}

// embedded is the cost of a gateway that is its sensors' broker.
func (b *bench) embedded() (float64, error) {
	addr, err := ports.Addr()
	if err != nil {
		return 0, err
	}
	g, err := b.gateway("embedded", fmt.Sprintf("listen: {mqtt: %q}", addr), "PT1H")
	if err != nil {
		return 0, err
	}
	defer g.stop()
	if err := tick(addr); err != nil {
		return 0, err
	}
	before := g.cpu()
	if err := load(addr, readings, 0, few); err != nil {
		return 0, err
	}
	return perMillion(g.cpu() - before), g.received(readings)
}

// checkpoints is the throughput of a gateway as it is, and of one built without the
// write to the checkpoint, by turns.
func (b *bench) checkpoints() error {
	const file, write = "gateway/ingest/journal.go", "j.log.Append(records)"
	raw, err := os.ReadFile(file)
	if err != nil || strings.Count(string(raw), write) != 1 {
		return fmt.Errorf("run it from the project's root: %w", err)
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	changed, overlay := filepath.Join(b.dir, "journal.go"), filepath.Join(b.dir, "overlay.json")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(raw), write, "error(nil)", 1)), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(overlay, fmt.Appendf(nil, `{"Replace":{%q:%q}}`, abs, changed), 0o644); err != nil {
		return err
	}
	without := filepath.Join(b.dir, "without")
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", without,
		"sluice/cmd/sluice").CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	with, best := b.sluice, map[string]float64{}
	defer func() { b.sluice = with }()
	for range 3 {
		for _, bin := range []string{without, with} {
			b.sluice = bin
			addr, err := ports.Addr()
			if err != nil {
				return err
			}
			g, err := b.gateway("rate", fmt.Sprintf("listen: {mqtt: %q}", addr), "PT1H")
			if err != nil {
				return err
			}
			if err := tick(addr); err != nil {
				return err
			}
			begun := time.Now()
			err = load(addr, readings, 0, few)
			best[bin] = max(best[bin], readings/time.Since(begun).Seconds())
			g.stop()
			if err := errors.Join(err, os.RemoveAll(filepath.Join(b.dir, "rate"))); err != nil {
				return err
			}
		}
	}
	fmt.Printf("  %-64s %6.0f\n", "built without checkpoints", best[without])
	fmt.Printf("  %-64s %6.0f   %.2f times (target 0.75)\n", "as it is", best[with], best[with]/best[without])
	return nil
}

// memory is what a gateway holds at 10,000 readings a second with 100,000 people
// in windows of a quarter of an hour.
func (b *bench) memory() error {
	broker, err := b.mosquitto()
	if err != nil {
		return err
	}
	defer broker.stop()
	g, err := b.gateway("memory", fmt.Sprintf("mqtt: {broker: \"tcp://%s\"}", broker.addr), "PT15M")
	if err != nil {
		return err
	}
	defer g.stop()
	if err := tick(broker.addr); err != nil {
		return err
	}
	idle := g.resident()
	const rate, total = 10_000, 450_000
	begun := time.Now()
	if err := load(broker.addr, total, rate, few); err != nil {
		return err
	}
	took := time.Since(begun)
	if err := g.received(total); err != nil {
		return err
	}
	fmt.Printf("  %-64s %6.1f MiB\n", "idle", idle)
	fmt.Printf("  %-64s %6.1f MiB (target 80), at most %.1f\n",
		fmt.Sprintf("after %.0f s at %.0f readings/s, windows of PT15M", took.Seconds(), total/took.Seconds()),
		g.resident(), g.peak())
	return nil
}

// crowd is a gateway with a million units in open windows, one and a half zones
// each, and how long it takes to have them back after a crash.
func (b *bench) crowd() error {
	addr, err := ports.Addr()
	if err != nil {
		return err
	}
	way := fmt.Sprintf("listen: {mqtt: %q}", addr)
	g, err := b.gateway("crowd", way, "PT1H")
	if err != nil {
		return err
	}
	defer func() { g.stop() }()
	if err := tick(addr); err != nil {
		return err
	}
	const total = million + million/2
	if err := load(addr, total, 0, many); err != nil {
		return err
	}
	if err := g.received(total); err != nil {
		return err
	}
	fmt.Printf("  %-64s %6.1f MiB (target 256), at most %.1f\n", "a million units in open windows, 1.5 zones each",
		g.resident(), g.peak())
	g.stop()
	begun := time.Now()
	if g, err = b.gateway("crowd", way, "PT1H"); err != nil {
		return err
	}
	fmt.Printf("  %-64s %6.1f s (target 2)\n", "ready again after a crash with them", time.Since(begun).Seconds())
	return g.received(total)
}

func perMillion(seconds float64) float64 { return seconds * 1e6 / readings }
