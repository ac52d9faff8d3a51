package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// TestFirstCollectionIsPutOff looks that what a verb is begun with ends with the first collection, and
// that those who serve or see readings begin with no such thing.
func TestFirstCollectionIsPutOff(t *testing.T) {
	t.Setenv("GOGC", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // however tests are run
	for _, args := range [][]string{
		{"sluice", "gateway"}, {"sluice", "opendata"}, {"sluice", "up"}, {"sluice", "rules"},
		{"sluice", "policy", "studio"}, {"sluice", "sensor", "certify", "x"},
	} {
		if putOffFirst(args); collectsAt() != 100 {
			t.Errorf("%q begins with %d percent", args, collectsAt())
			debug.SetGCPercent(100)
		}
	}
	putOffFirst([]string{"sluice", "policy", "check"})
	if collectsAt() != 800 {
		t.Fatalf("a verb begins with %d percent", collectsAt())
	}
	for collectsAt() != 100 { // the test's own deadline ends it
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

// collectsAt is by how many percent the heap may grow between two collections.
func collectsAt() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
