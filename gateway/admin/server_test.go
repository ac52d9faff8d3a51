package admin

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/ingest"
	"sluice/policy/rego"
	"sluice/store"
)

// TestAdminElsewhere: an admin address that others can reach is said in the log.
func TestAdminElsewhere(t *testing.T) {
	for addr, open := range map[string]bool{"127.0.0.1:0": false, "[::1]:0": false, "localhost:0": false,
		"0.0.0.0:0": true, ":0": true} {
		var log bytes.Buffer
		s, err := Open(addr, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			if strings.Contains(addr, "::1") {
				continue // no IPv6 here
			}
			t.Fatal(err)
		}
		defer s.Close()
		if said := strings.Contains(log.String(), "level=WARN") &&
			strings.Contains(log.String(), "fix="); said != open {
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
	for path, status := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable,
		"/metrics": http.StatusServiceUnavailable} {
		client := http.Client{Timeout: 5 * time.Second}
		resp, err := client.Get("http://" + s.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != status ||
			path == "/readyz" && !strings.Contains(string(body), "the gateway starts") {
			t.Errorf("%s gives %d %s (%v)", path, resp.StatusCode, body, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestReadiness: it is ready when every part is; a part that is not says why; notes are no
// reason not to be ready. Metrics say the same of each part.
func TestReadiness(t *testing.T) {
	s, err := Open("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var hint, note atomic.Value
	hint.Store("")
	note.Store("look at this")
	s.Attach(Sources{
		Simulation: true, Outbox: quiet{}, Asides: quiet{}, Budget: quiet{},
		Probes: map[string]func(context.Context) string{
			"disk": func(context.Context) string {
				return hint.Load().(string)
			}, "store": func(context.Context) string { return "" },
		},
		Notes: func() []string { return []string{note.Load().(string)} },
		Report: func() ingest.Report {
			return ingest.Report{Received: 7, Partitions: map[int]ingest.Report{3: {Counted: 5, Open: 2,
				Refused: map[string]int64{"E305": 1}}}}
		},
		Released:     func() map[store.Status]int64 { return nil },
		StoreDiffers: func() (int, int) { return 2, 3 },
		Policy:       func() Policy { return Policy{Versions: 4, Refused: map[rego.Code]int{rego.Died: 1}} },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	get := func(path string) (int, string) {
		t.Helper()
		resp, err := (&http.Client{Timeout: 5 * time.Second}).Get("http://" + s.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		status, body := get("/readyz")
		if status == http.StatusOK && strings.Contains(body, `"ready":true`) &&
			strings.Contains(body, `"notes":["look at this"]`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it says %d %s", status, body)
		}
	}
	hint.Store("no room")
	if status, body := get("/readyz"); status != http.StatusServiceUnavailable ||
		!strings.Contains(body, `"hint":"no room"`) || !strings.Contains(body, `"ready":false`) {
		t.Errorf("with a part that does not work it says %d %s", status, body)
	}
	_, metrics := get("/metrics")
	for _, line := range []string{
		`sluice_up{part="disk"} 0`, `sluice_up{part="store"} 1`, `sluice_policy_version 4`,
		`sluice_policy_refused_total{code="` + string(rego.Died) + `"} 1`,
		`sluice_store_differs_windows{how="missing"} 2`, `sluice_store_differs_windows{how="extra"} 3`,
		`sluice_received_total 7`, `sluice_partition_readings_total{code="",partition="3",state="counted"} 5`,
		`sluice_partition_readings_total{code="E305",partition="3",state="refused"} 1`,
		`sluice_partition_readings_open{partition="3"} 2`, `sluice_readings_total{code="",state="counted"} 0`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("metrics have no %s:\n%s", line, metrics)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// quiet is a ledger in which nothing waits.
type quiet struct{}

func (quiet) Waiting(context.Context) (rows, bytes int64, err error) { return 0, 0, nil }
func (quiet) Count(context.Context) (windows, rows int64, reason string, err error) {
	return 0, 0, "", nil
}
func (quiet) Left(context.Context) (map[string]float64, error) { return nil, nil }
