package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sluice/test/nats"
)

// servers are three servers that run until all stories have ended. A story has their certificate and the seeds of those
// who may use them in ./nats, and their addresses, as gateway.yaml lists them, in $NATS.
func servers(t *testing.T, ts *testscript.TestScript) {
	s := nats.Start(t)
	ts.Check(os.Mkdir(ts.MkAbs("nats"), 0o700))
	for _, file := range []string{s.CA, s.Data, s.Keys, s.System} {
		raw, err := os.ReadFile(file)
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(ts.MkAbs("nats"), filepath.Base(file)), raw, 0o600))
	}
	ts.Setenv("NATS", `["`+strings.Join(s.URLs(), `", "`)+`"]`)
}
