package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sys/unix"
)

// check is one line of /readyz.
type check struct {
	OK    bool      `json:"ok"`
	Since time.Time `json:"since"`
	Hint  string    `json:"hint"`
}

// checks asks every part how it is.
func (g *Gateway) checks(ctx context.Context) map[string]string {
	report := g.ingest.Report()
	out := map[string]string{"broker": "", "store": "", "policy": "", "ledger": "", "disk": report.Problem}
	if err := g.forward.Err(); err != nil {
		out["store"] = "releases wait in the outbox until the store is back"
	}
	if err := g.ledger.Ping(ctx); err != nil {
		out["ledger"] = "the ledger cannot be written; nothing is released"
	}
	set, problem := g.inForce()
	switch {
	case set == nil || len(set.Streams) == 0:
		out["policy"] = "no decision is in force, so nothing flows"
	case problem != "":
		out["policy"] = "the policy directory cannot be used; the policy in force goes on: " + problem
	}
	g.mu.Lock()
	if g.releases != "" {
		out["ledger"] = "a window cannot be released: " + g.releases
	}
	g.mu.Unlock()
	var st unix.Statfs_t
	if err := unix.Statfs(g.cfg.Dir, &st); err == nil && st.Bavail*uint64(st.Bsize) < 64<<20 {
		out["disk"] = "less than 64 MiB are left for the state directory"
	}
	return out
}

func (g *Gateway) serveAdmin(ctx context.Context) error {
	since := make(map[string]check)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		r := g.ingest.Report()
		writeJSON(w, http.StatusOK, map[string]any{"now": instant(r.Now), "released_through": instant(r.Through)})
	})
	lock := make(chan struct{}, 1)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, req *http.Request) {
		lock <- struct{}{}
		defer func() { <-lock }()
		ready := true
		for name, hint := range g.checks(req.Context()) {
			old, known := since[name]
			if !known || old.OK != (hint == "") {
				old = check{Since: time.Now().UTC().Truncate(time.Second)}
			}
			old.OK, old.Hint = hint == "", hint
			since[name] = old
			ready = ready && old.OK
		}
		status := http.StatusOK
		if !ready {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, map[string]any{"ready": ready, "checks": since})
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(g.admin); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// instant is RFC 3339, or null before the first tick.
func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}

// metrics reads the reports when it is asked; it keeps no numbers of its own.
type metrics struct {
	g        *Gateway
	registry *prometheus.Registry

	received, readings, windows, outboxRows, outboxBytes, clock, up *prometheus.Desc
}

func newMetrics(g *Gateway) *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("sluice_"+name, help, labels, nil)
	}
	m := &metrics{
		g: g, registry: prometheus.NewRegistry(),
		received:    desc("received_total", "Readings received, whatever became of them."),
		readings:    desc("readings_total", "Readings by what became of them.", "state", "code"),
		windows:     desc("windows_open", "Windows that are not closed."),
		outboxRows:  desc("outbox_rows", "Released windows that wait for the store."),
		outboxBytes: desc("outbox_bytes", "Bytes that wait for the store."),
		clock:       desc("clock_seconds", "The gateway's clock, in seconds since 1970."),
		up:          desc("up", "1 when the part works.", "part"),
	}
	m.registry.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.received, m.readings, m.windows, m.outboxRows, m.outboxBytes, m.clock, m.up} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	r := m.g.ingest.Report()
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter(m.received, r.Received)
	counter(m.readings, r.Counted, "counted", "")
	counter(m.readings, r.Duplicate, "duplicate", "E303")
	counter(m.readings, r.Late, "late", "E302")
	counter(m.readings, r.Bounded, "bounded", "E405")
	for code, n := range r.Refused {
		counter(m.readings, n, "refused", code)
	}
	gauge(m.windows, float64(r.Windows))
	if !r.Now.IsZero() {
		gauge(m.clock, float64(r.Now.UnixNano())/1e9)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if rows, bytes, err := m.g.ledger.Waiting(ctx); err == nil {
		gauge(m.outboxRows, float64(rows))
		gauge(m.outboxBytes, float64(bytes))
	}
	for part, hint := range m.g.checks(ctx) {
		v := 1.0
		if hint != "" {
			v = 0
		}
		gauge(m.up, v, part)
	}
}
