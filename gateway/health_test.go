package gateway

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// TestAdminElsewhere: an admin address that others can reach is said, in the log and
// by doctor.
func TestAdminElsewhere(t *testing.T) {
	for addr, open := range map[string]bool{"127.0.0.1:0": false, "[::1]:0": false, "localhost:0": false, "0.0.0.0:0": true, ":0": true} {
		var log bytes.Buffer
		g := &Gateway{cfg: Config{Admin: addr}, log: slog.New(slog.NewTextHandler(&log, nil))}
		if err := g.openAdmin(); err != nil {
			if strings.Contains(addr, "::1") {
				continue // no IPv6 here
			}
			t.Fatal(err)
		}
		defer g.admin.Close()
		if said := strings.Contains(log.String(), "level=WARN") && strings.Contains(log.String(), "fix="); said != open {
			t.Errorf("%s: the log says %q", addr, log.String())
		}
		d := &doctor{cfg: g.cfg}
		d.admin()
		if f := d.list[0]; (f.Verdict == Warn) != open || open && f.Hint == "" {
			t.Errorf("%s: doctor says %+v", addr, f)
		}
	}
}
