package operations

import (
	"net/http"
	"strings"
	"testing"

	"sluice/opendata"
	"sluice/test/harness"
	"sluice/test/plaza"
)

// adminAnswers holds an admin address to what it may answer.
func adminAnswers(t *testing.T, base string, paths ...string) {
	t.Helper()
	for _, path := range append(paths, "/none") {
		for _, x := range []struct {
			method, host string
			status       int // 0 for what the path has
		}{{"GET", "", 0}, {"HEAD", "localhost", 0}, {"GET", "rebound.example", 421}, {"POST", "", 405},
			{"OPTIONS", "", 405}, {"DELETE", "rebound.example", 421}} {
			req, err := http.NewRequestWithContext(t.Context(), x.method, base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = x.host
			resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			want := x.status
			if want == 0 && path == "/none" {
				want = 404
			}
			if want == 0 && resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable ||
				want != 0 && resp.StatusCode != want {
				t.Errorf("%s %s as %q is %d; want %d", x.method, path, x.host, resp.StatusCode, want)
			}
			if resp.Header.Get("X-Content-Type-Options") != "nosniff" ||
				resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s as %q has %v", x.method, path, x.host, resp.Header)
			}
		}
	}
	if status, _, _ := harness.Get(t, base+"/debug/pprof/"); status != 404 {
		t.Errorf("there is a profiler: %d", status)
	}
}

// TestAdminAddresses: what a browser on the machine can be made to ask is not answered.
func TestAdminAddresses(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Run()
	adminAnswers(t, c.Admin, "/healthz", "/readyz", "/metrics")

	q := plaza.New(t)
	q.Stop()
	var cfg opendata.Config
	cfg.Admin = harness.FreeAddr(t)
	q.Open(cfg)
	adminAnswers(t, "http://"+cfg.Admin, "/healthz", "/readyz")
	if strings.Contains(q.Log.String(), "WARN") {
		t.Errorf("the log says %s", q.Log.String())
	}
	q.Stop()
	cfg.Admin = "0.0.0.0:0"
	q.Open(cfg)
	if !strings.Contains(q.Log.String(), "level=WARN") {
		t.Error("an admin address for everybody is not said")
	}
}
