// Package admin answers at the admin address: health, readiness and metrics. It knows no
// part of a gateway; what it shows it asks for (Sources).
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sluice/door"
	"sluice/gateway/config"
	"sluice/internal/crash"
)

// What an admin address elsewhere gives away, and what to do.
const (
	Exposed    = "whoever reaches it can read the gateway's health and metrics"
	ExposedFix = "give admin: an address such as 127.0.0.1:9090, or let a firewall guard it"
)

// Server answers at the admin address from the beginning of a start on: a start that
// takes long is said, and not taken for one that hangs.
type Server struct {
	log      *slog.Logger
	listener *door.Listener
	server   *http.Server
	face     atomic.Pointer[http.Handler] // what is shown now
	ended    chan error                   // why it has ended by itself, once
	health   *health                      // nil before Attach
	ready    http.Handler                 // shown from Serve on; nil before Attach
}

// Open listens at the admin address and says that the gateway starts. Elsewhere than on
// loopback it can be right, behind a firewall; then somebody must know.
func Open(addr string, log *slog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, config.Refuse("admin address: %w; choose another (--admin, or admin in the file)", err)
	}
	s := &Server{log: log, listener: door.ListenAdmin(l), ended: make(chan error, 1)}
	if !door.Loopback(l.Addr()) {
		log.Warn("the admin address is not on loopback; "+Exposed, "fix", ExposedFix)
	}
	s.show(starting(time.Now()))
	s.server = door.Server(s.listener, door.Admin(s.listener.Addr(), addr, s.recoverPanics(s)))
	go func() {
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.ended <- err
		}
	}()
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// show has requests answered by a handler from now on.
func (s *Server) show(h http.Handler) { s.face.Store(&h) }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*s.face.Load()).ServeHTTP(w, r) }

// Attach gives the server what it shows from Serve on.
func (s *Server) Attach(src Sources) {
	s.health = newHealth(src.Probes, s.log)
	src.health = s.health
	s.ready = handler(&src)
}

// Serve answers until ctx ends.
func (s *Server) Serve(ctx context.Context) error {
	s.show(s.ready)
	select {
	case <-ctx.Done():
		return ignore(s.server.Close(), net.ErrClosed)
	case err := <-s.ended:
		return err
	}
}

// Checks are the parts that were found not to work when they were asked last, as /readyz says it. It does not wait.
func (s *Server) Checks() map[string]Check {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	wrong := make(map[string]Check)
	for name, c := range s.health.checks {
		if !c.OK {
			wrong[name] = c
		}
	}
	return wrong
}

// Watch asks every part again and again until ctx ends, and logs each failure that
// lasts, once, and its end.
func (s *Server) Watch(ctx context.Context) error { return s.health.watch(ctx) }

// Close stops listening.
func (s *Server) Close() error {
	return errors.Join(ignore(s.server.Close(), net.ErrClosed), ignore(s.listener.Close(), net.ErrClosed))
}

// ignore is an error unless it is one that is expected.
func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// starting is what a gateway says of itself while it starts.
func starting(since time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"now": nil, "released_through": nil})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"ready": false, "checks": map[string]Check{
			"intake": {Since: since.UTC().Truncate(time.Second),
				Hint: "the gateway starts: it reads what was open before; nothing is taken yet"},
		}})
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the gateway starts; there is nothing to count yet", http.StatusServiceUnavailable)
	})
	return mux
}

// handler answers from what a running gateway says of itself.
func handler(src *Sources) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		r := src.Report()
		writeJSON(w, http.StatusOK, map[string]any{"now": instant(r.Now), "released_through": instant(r.Through)})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		ready := true
		checks := src.health.ask()
		for _, c := range checks {
			ready = ready && c.OK
		}
		status := http.StatusOK
		if !ready {
			status = http.StatusServiceUnavailable
		}
		answer := map[string]any{"ready": ready, "checks": checks}
		if notes := src.Notes(); len(notes) > 0 {
			answer["notes"] = notes
		}
		writeJSON(w, status, answer)
	})
	mux.Handle("GET /debug/sensors", door.Here(sensors(src.Watch)))
	mux.Handle("GET /debug/structures", door.Here(structures(src.Watch)))
	mux.Handle("GET /metrics", promhttp.HandlerFor(newMetrics(src).registry, promhttp.HandlerOpts{}))
	return mux
}

// recoverPanics says where a handler has panicked, and not with what.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer crash.Catch(func(e *crash.Error) {
			s.log.Error("the admin interface has a bug", "error", e)
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
