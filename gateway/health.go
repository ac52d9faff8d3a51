package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sys/unix"

	"sluice/brief"
	"sluice/door"
	"sluice/gateway/crash"
	"sluice/policy"
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
	out := map[string]string{"broker": g.ingest.Broker(), "store": "", "policy": "", "ledger": "", "disk": report.Problem}
	if err := g.forward.Err(); err != nil {
		out["store"] = "releases wait in the outbox until the store is back"
	}
	if err := g.ledger.Ping(ctx); err != nil {
		out["ledger"] = "the ledger cannot be written; nothing is released"
	}
	out["policy"] = g.policyCheck()
	g.mu.Lock()
	if g.damage != "" {
		out["ledger"] = g.damage
	}
	if g.releases != "" {
		out["ledger"] = "a window cannot be released: " + g.releases
	}
	g.mu.Unlock()
	var st unix.Statfs_t
	if err := unix.Statfs(g.cfg.Dir, &st); out["disk"] == "" && err == nil && st.Bavail*uint64(st.Bsize) < 64<<20 {
		out["disk"] = "less than 64 MiB are left for the state directory"
	}
	for name, hint := range out {
		out[name] = brief.Text(hint) // what a rule or a broker says may be long
	}
	return out
}

// policyCheck is what is wrong with the policy, with its code; empty when
// nothing is.
func (g *Gateway) policyCheck() string {
	set, err := g.inForce()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case set == nil && err != nil:
		return err.Error()
	case set == nil:
		return string(policy.NoPolicy) + ": there is no policy, so nothing flows"
	case err != nil:
		return "the policy directory cannot be used; the policy in force goes on: " + err.Error()
	case g.withheld != "":
		return g.withheld
	case g.idle[set.Digest] != "":
		return g.idle[set.Digest]
	case len(set.Streams) == 0:
		return "no decision is in force, so nothing flows"
	}
	return ""
}

// openAdmin listens at the admin address. Elsewhere than on loopback it can be
// right, behind a firewall; then somebody must know.
func (g *Gateway) openAdmin() error {
	l, err := net.Listen("tcp", g.cfg.Admin)
	if err != nil {
		return refuse("admin address: %w; choose another (--admin, or admin in the file)", err)
	}
	g.admin = door.ListenAdmin(l)
	if !door.Loopback(l.Addr()) {
		g.log.Warn("the admin address is not on loopback; "+adminOpen, "fix", adminFix)
	}
	return nil
}

// What an admin address elsewhere gives away, and what to do.
const (
	adminOpen = "whoever reaches it can read the gateway's health and metrics"
	adminFix  = "give admin: an address such as 127.0.0.1:9090, or let a firewall guard it"
)

func (g *Gateway) serveAdmin(ctx context.Context) error {
	since := make(map[string]check)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		r := g.ingest.Report()
		writeJSON(w, http.StatusOK, map[string]any{"now": instant(r.Now), "released_through": instant(r.Through)})
	})
	lock := make(chan struct{}, 1)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, req *http.Request) {
		select {
		case lock <- struct{}{}:
		case <-req.Context().Done():
			return // nobody waits for it any more
		}
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
	server := door.Server(g.admin, door.Admin(g.admin.Addr(), g.cfg.Admin, g.careful(mux)))
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(g.admin); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// careful says where a handler has panicked, and not with what.
func (g *Gateway) careful(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer crash.Catch(func(e *crash.Error) {
			g.log.Error("the admin interface has a bug", "error", e)
			w.WriteHeader(http.StatusInternalServerError)
		})
		next.ServeHTTP(w, r)
	})
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
