package activation

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/gateway/config"
	"sluice/policy/compile"
	"sluice/policy/rego"
	"sluice/register"
)

// TestAnUnknownKindIsLoggedOnce: with the number of its sensors and what to do, and not once
// more for each decision.
func TestAnUnknownKindIsLoggedOnce(t *testing.T) {
	reg, err := register.Parse("r", []byte("sensors:\n  - {id: a, owner: o, kind: noise-metre, zone: rambla, "+
		"registered: 2026-01-01}\n  - {id: b, owner: o, kind: noise-meter, zone: rambla, registered: 2026-01-01}\n"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := compile.Files(t.Context(), rego.InProcess(), portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	p := New(new(config.Config), nil, nil, reg, func() {}, slog.New(slog.NewTextHandler(&log, nil)))
	if _, err := p.plan(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "level="); n != 1 || !strings.Contains(log.String(), "sensors=1") {
		t.Errorf("the log says\n%s", &log)
	}
}
