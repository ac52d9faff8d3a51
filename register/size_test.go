package register

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/register/preset"
	"sluice/test/raced"
)

// many is a register of n sensors in the usual layout, from a number on.
func many(from, n int) []byte {
	var b strings.Builder
	b.WriteString("sensors:\n")
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&b, "  - {id: sensor-%06d, owner: acme, kind: wifi-counter, zone: rambla, registered: "+
			"2026-01-01, contact: street@city.example, purpose: {en: \"Footfall\", ca: \"Vianants\"}}\n", i)
	}
	return []byte(b.String())
}

// TestAHundredThousand: the largest register is read in seconds, and costs the
// parser's memory for one entry. The bounds are ten times what was measured.
func TestAHundredThousand(t *testing.T) {
	raced.Skip(t)
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	half := func(n int) time.Duration {
		raw := many(0, n)
		began := time.Now()
		if reg, err := Parse("register.yaml", raw); err != nil || len(reg.Sensors) != n {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	half(1000)
	few := min(half(MaxSensors/4), half(MaxSensors/4))
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, most := make(chan struct{}), make(chan uint64)
	go func() { most <- peak(stop) }()
	began := time.Now()
	reg, err := Parse("register.yaml", many(0, MaxSensors))
	took := time.Since(began)
	close(stop)
	if err != nil || len(reg.Sensors) != MaxSensors {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	top := (<-most - before.HeapAlloc) >> 20
	t.Logf("%v, at most %d MiB meanwhile, %d MiB kept; a quarter takes %v", took, top,
		(after.HeapAlloc-before.HeapAlloc)>>20, few)
	if took > 40*time.Second || top > 500 {
		t.Errorf("%d sensors take %v and %d MiB", MaxSensors, took, top)
	}
	if took > 10*few {
		t.Errorf("four times the sensors take %v instead of %v", took, few)
	}
	runtime.KeepAlive(reg)
}

// peak is the largest heap until stop.
func peak(stop <-chan struct{}) (most uint64) {
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		select {
		case <-stop:
			return most
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestBounds: sensors, bytes and files of one register are bounded, and the error
// says what to do.
func TestBounds(t *testing.T) {
	b := newBuilder(preset.Builtin())
	b.reg.Sensors = make([]Sensor, MaxSensors)
	if err := b.add("b.yaml", many(0, 1)); err == nil ||
		!strings.Contains(err.Error(), "b.yaml: the register has more than 100000 sensors; use several gateways") {
		t.Errorf("one sensor too many: %v", err)
	}
	b = newBuilder(preset.Builtin())
	b.size = MaxSize - 10
	if err := b.add("b.yaml", many(0, 1)); err == nil || !strings.Contains(err.Error(), "more than 64 MiB") {
		t.Errorf("a byte too many: %v", err)
	}
	dir := t.TempDir()
	if _, err := Load(dir, os.ReadFile); err == nil || !strings.Contains(err.Error(), "holds no *.yaml file") {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Load(filepath.Join(dir, "none"), os.ReadFile); err == nil {
		t.Error("a register that is not there is read")
	}
}

func BenchmarkParse(b *testing.B) {
	raw := many(0, 10_000)
	b.ReportAllocs()
	for range b.N {
		if _, err := Parse("register.yaml", raw); err != nil {
			b.Fatal(err)
		}
	}
}
