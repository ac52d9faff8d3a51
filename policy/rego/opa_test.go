package rego_test

import (
	"bytes"
	"context"
	"testing"

	opabundle "github.com/open-policy-agent/opa/v1/bundle"
	oparego "github.com/open-policy-agent/opa/v1/rego"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/rego"
	"sluice/test/raced"
)

// TestStockOPA loads a bundle as `opa eval -b` does, with nothing of ours, and
// asks the charter's rules.
func TestStockOPA(t *testing.T) {
	raced.Skip(t)
	files, err := rego.WithRules(portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	files["decisions/2026-14-footfall.yaml"] = bytes.Replace(files["decisions/2026-14-footfall.yaml"],
		[]byte("min_units: 10"), []byte("min_units: 3"), 1)
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := p.PackOPA()
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.PackOPA()
	if err != nil || !bytes.Equal(packed, again) {
		t.Error("the same policy packs to other bytes")
	}
	b, err := opabundle.NewReader(bytes.NewReader(packed)).Read()
	if err != nil {
		t.Fatal(err)
	}
	results, err := oparego.New(oparego.ParsedBundle("policy", &b),
		oparego.Query("data.sluice.charter.violations[_].rule")).Eval(context.Background())
	if err != nil || len(results) != 1 || results[0].Expressions[0].Value != "C05" {
		t.Errorf("OPA answers %v (%v); want C05", results, err)
	}
	if back, err := bundle.ReadOPA(packed); err != nil || back.Files.Digest() != p.Files.Digest() {
		t.Errorf("read back: %v", err)
	}
}
