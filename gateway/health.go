package gateway

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sluice/gateway/crash"
	"sluice/policy/compile"
	"sluice/policy/rego"
)

// What is said of a house in which nobody has decided anything yet: it waits, and nothing
// is broken.
const (
	noPolicyYet    = string(rego.NoPolicy) + ": there is no policy, so nothing flows"
	nothingDecided = "there is no decision yet, so nothing flows"
	allToCome      = "no decision is in force yet, so nothing flows; look at from in the decisions, and at the clock"
)

// waits reports whether a part is not ready because something is to come.
func waits(hint string) bool {
	return hint == noPolicyYet || hint == nothingDecided || hint == allToCome
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
		return noPolicyYet
	case err != nil:
		return "the policy directory cannot be used; the policy in force goes on: " + err.Error()
	case g.withheld != "":
		return g.withheld
	case g.idle[set.Digest] != "":
		return g.idle[set.Digest]
	case len(set.Streams) == 0 && len(set.Elsewhere(g.cfg.Gateway)) > 0:
		return "" // which is said, see elsewhereNotes
	case len(set.Streams) == 0 && len(set.Decisions) == 0:
		return nothingDecided
	case len(set.Streams) == 0:
		return "no decision is in force, so nothing flows"
	}
	return outOfTime(set, g.ingest.Report().Now)
}

// elsewhereNotes says which decisions are not run here, since all their zones are other
// gateways': that is as it should be, unless a name is wrong.
func (g *Gateway) elsewhereNotes() []string {
	g.mu.Lock()
	set := g.current
	g.mu.Unlock()
	if set == nil {
		return nil
	}
	list := set.Elsewhere(g.cfg.Gateway)
	if len(list) == 0 {
		return nil
	}
	note := "run by other gateways, since zones.geojson gives all their zones to them: decisions " + strings.Join(list, ", ")
	if len(set.Streams) == 0 {
		note += "; nothing is left for " + g.cfg.Gateway + ", so see whether its name is right in both places"
	}
	return []string{note}
}

// outOfTime says that no decision is in force today; empty while one is, and before
// the first tick of a simulated clock.
func outOfTime(set *compile.Set, now time.Time) string {
	if now.IsZero() {
		return ""
	}
	switch silence(set, true, now) {
	case "sunset":
		return "every decision is past its last day, so nothing flows; the council decides anew"
	case "not_yet":
		return allToCome
	}
	return ""
}

// What an admin address elsewhere gives away, and what to do.
const (
	adminOpen = "whoever reaches it can read the gateway's health and metrics"
	adminFix  = "give admin: an address such as 127.0.0.1:9090, or let a firewall guard it"
)

// serveAdmin answers at the admin address until ctx ends.
func (g *Gateway) serveAdmin(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		r := g.ingest.Report()
		writeJSON(w, http.StatusOK, map[string]any{"now": instant(r.Now), "released_through": instant(r.Through)})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		ready := true
		checks := g.health.ask()
		for _, c := range checks {
			ready = ready && c.OK
		}
		status := http.StatusOK
		if !ready {
			status = http.StatusServiceUnavailable
		}
		answer := map[string]any{"ready": ready, "checks": checks}
		if notes := append(g.storeNotes(), g.elsewhereNotes()...); len(notes) > 0 {
			answer["notes"] = notes
		}
		writeJSON(w, status, answer)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{}))
	g.front.show(mux)
	select {
	case <-ctx.Done():
		return ignore(g.front.server.Close(), net.ErrClosed)
	case err := <-g.front.ended:
		return err
	}
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
