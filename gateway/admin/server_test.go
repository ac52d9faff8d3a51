package admin

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAdminElsewhere: an admin address that others can reach is said in the log.
func TestAdminElsewhere(t *testing.T) {
	for addr, open := range map[string]bool{"127.0.0.1:0": false, "[::1]:0": false, "localhost:0": false, "0.0.0.0:0": true, ":0": true} {
		var log bytes.Buffer
		s, err := Open(addr, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			if strings.Contains(addr, "::1") {
				continue // no IPv6 here
			}
			t.Fatal(err)
		}
		defer s.Close()
		if said := strings.Contains(log.String(), "level=WARN") && strings.Contains(log.String(), "fix="); said != open {
			t.Errorf("%s: the log says %q", addr, log.String())
		}
	}
}

// TestWhileItStarts: health is answered from the beginning on, and says that it is not
// ready yet.
func TestWhileItStarts(t *testing.T) {
	s, err := Open("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for path, status := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/metrics": http.StatusServiceUnavailable} {
		client := http.Client{Timeout: 5 * time.Second}
		resp, err := client.Get("http://" + s.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != status || path == "/readyz" && !strings.Contains(string(body), "the gateway starts") {
			t.Errorf("%s gives %d %s (%v)", path, resp.StatusCode, body, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
