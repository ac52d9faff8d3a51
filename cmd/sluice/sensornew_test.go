package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sluice/register"
	"sluice/register/fleet"
)

// TestKeysAreExplained: each key of an entry is a flag that says what it is.
func TestKeysAreExplained(t *testing.T) {
	for _, key := range fleet.Keys() {
		if usageOf[strings.TrimSuffix(key, ".")] == "" {
			t.Errorf("sluice sensor new --help does not say what %s is", key)
		}
	}
}

// TestSensorsAtOnce: sensors that are added at the same time are all there afterwards.
func TestSensorsAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "register.yaml")
	var all sync.WaitGroup
	const many = 8
	for n := range many {
		all.Go(func() {
			var said strings.Builder
			args := []string{"sensor", "new", "--register", path, "--id", fmt.Sprintf("s-%d", n), "--owner", "o",
				"--kind", "k", "--zone", "z", "--registered", "2026-12-01"}
			if code := Main(t.Context(), args, io.Discard, &said); code != 0 {
				t.Errorf("%d: %s", code, said.String())
			}
		})
	}
	all.Wait()
	if reg, err := register.Load(path, os.ReadFile); err != nil || len(reg.Sensors) != many {
		t.Errorf("%v: %+v", err, reg)
	}
}
