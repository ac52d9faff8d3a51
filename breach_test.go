package sluice_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// breaches are programs that must not compile, each for its stated reason.
var breaches = []struct{ name, pkg, source, reason string }{
	{
		"forward names a reading", "gateway/forward",
		"package forward\nimport \"sluice/gateway/ingest/internal/reading\"\nvar _ reading.Reading\n",
		"use of internal package sluice/gateway/ingest/internal/reading not allowed",
	},
	{
		"main forges a release", "cmd/sluice",
		"package main\nimport (\n\"sluice/gateway/release\"\n\"sluice/store\"\n)\nvar _ = release.Release{o: " +
			"store.Observation{}}\n",
		"cannot refer to unexported field o in struct literal of type release.Release",
	},
	{
		"ingest's caller reads a batch", "gateway",
		"package gateway\nimport \"sluice/gateway/release\"\nfunc peek(b release.Batch) any { return b.cells }\n",
		"b.cells undefined",
	},
	{
		"a threshold is lowered", "gateway/release",
		"package release\nimport \"sluice/policy/mechanism\"\nfunc lower(m *mechanism.Mechanism) { *m = " +
			"mechanism.Mechanism{threshold: 0} }\n",
		"cannot refer to unexported field threshold in struct literal of type mechanism.Mechanism",
	},
	{
		"noise is made smaller", "gateway/release",
		"package release\nimport \"sluice/policy/mechanism\"\nfunc less(m *mechanism.Mechanism) { " +
			"m.Measure(0).Noise.Epsilon = 100 }\n",
		"cannot assign to m.Measure(0).Noise.Epsilon",
	},
	{
		"an error quotes a payload", "gateway/ingest",
		"package ingest\nimport \"sluice/gateway/ingest/internal/fault\"\nfunc leak(payload []byte) fault.Fault { " +
			"return fault.New(string(payload)) }\n",
		"cannot use string(payload) (value of type string) as fault.Code value",
	},
	{
		"a reading's storage is reached past its methods", "gateway/ingest",
		"package ingest\nimport \"sluice/gateway/ingest/internal/reading\"\nfunc leak(r reading.Reading) any { " +
			"return r.p }\n",
		"r.p undefined",
	},
}

func TestBreachesDoNotCompile(t *testing.T) {
	for _, b := range breaches {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			out, err := buildWith(t, b.pkg, b.source)
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("it compiles (%v)", err)
			}
			if !strings.Contains(out, b.reason) {
				t.Errorf("it fails with\n%s\nwant: %s", out, b.reason)
			}
		})
	}
}

// TestOverlayCompiles shows that a breach fails for what it does, not for being
// an overlay.
func TestOverlayCompiles(t *testing.T) {
	if out, err := buildWith(t, "gateway/forward", "package forward\nvar _ = minPause\n"); err != nil {
		t.Errorf("a harmless overlay does not compile: %v\n%s", err, out)
	}
}

func buildWith(t *testing.T, pkg, source string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "breach.go")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(
		map[string]map[string]string{"Replace": {filepath.Join(here, pkg, "zz_breach.go"): file}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-o", os.DevNull, "-overlay", list, "./"+pkg).CombinedOutput()
	return string(out), err
}
