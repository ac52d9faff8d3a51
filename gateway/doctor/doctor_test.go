package doctor

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/gateway/config"
)

// TestDoctorWaitsForAStart: right after a start there is only intake, which is not ready.
// Doctor asks again, and says what it is then.
func TestDoctorWaitsForAStart(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 4 {
			fmt.Fprint(w, `{"ready":false,"checks":{"intake":{"ok":false,"hint":"the gateway starts"}}}`)
			return
		}
		fmt.Fprint(w, `{"ready":true,"checks":{"intake":{"ok":true},"policy":{"ok":true}}}`)
	}))
	defer server.Close()
	d := &process{new(findings), &config.Config{Admin: strings.TrimPrefix(server.URL, "http://")}}
	d.running(t.Context())
	if len(d.list) != 1 || d.list[0].Verdict != Fine || asked != 4 {
		t.Errorf("asked %d times, doctor says %+v", asked, d.list)
	}
}

// TestAdminElsewhere: an admin address that others reach is a warning.
func TestAdminElsewhere(t *testing.T) {
	for addr, open := range map[string]bool{"127.0.0.1:0": false, "[::1]:0": false, "localhost:0": false, "0.0.0.0:0": true, ":0": true} {
		d := &machine{new(findings), &config.Config{Admin: addr}}
		d.admin()
		if f := d.list[0]; (f.Verdict == Warn) != open || open && f.Hint == "" {
			t.Errorf("%s: doctor says %+v", addr, f)
		}
	}
}
