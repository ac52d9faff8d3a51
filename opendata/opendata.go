// Package opendata is what residents see: it answers from released observations
// and the public books, and from nothing else.
package opendata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"sluice/books"
	"sluice/opendata/api"
	"sluice/opendata/query"
	"sluice/opendata/web"
)

// Server is the open-data endpoint.
type Server struct {
	listener net.Listener
	http     *http.Server
	admin    net.Listener // nil for none
	source   *query.Source

	mu    sync.Mutex
	ready bool      // as last asked; guarded by mu
	since time.Time // when that last changed; guarded by mu
}

// Open listens where cfg says and answers from a store and its books.
func Open(cfg Config, store query.Store, source books.Source, log *slog.Logger) (*Server, error) {
	s := &Server{source: &query.Source{Store: store, Books: books.Reader{Source: source}}}
	pages, err := web.New(s.source, cfg.URL, log)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	api.New(s.source, log).Routes(mux)
	pages.Routes(mux)
	s.health(mux)
	if s.listener, err = net.Listen("tcp", cfg.HTTP); err != nil {
		return nil, fmt.Errorf("open data address: %w; choose another (--http, or http in the file)", err)
	}
	if cfg.Admin != "" {
		if s.admin, err = net.Listen("tcp", cfg.Admin); err != nil {
			return nil, errors.Join(fmt.Errorf("admin address: %w; choose another", err), s.listener.Close())
		}
	}
	s.http = server(mux)
	return s, nil
}

func server(mux http.Handler) *http.Server {
	return &http.Server{
		Handler: secure(api.ReadOnly(mux)), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // it names addresses
	}
}

func (s *Server) health(mux *http.ServeMux) {
	mux.HandleFunc("/healthz", s.healthz)
	mux.HandleFunc("/readyz", s.readyz)
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then lets answers in flight finish.
func (s *Server) Run(ctx context.Context) error {
	if s.admin != nil {
		mux := http.NewServeMux()
		s.health(mux)
		admin := server(mux)
		defer admin.Close()
		go func() { _ = admin.Serve(s.admin) }() // ends with Close
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		stopped <- s.http.Shutdown(last)
	})
	err := s.http.Serve(s.listener)
	if !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	if err := <-stopped; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// secure sets what every answer has: no scripts, nothing from elsewhere.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{\"ok\":true}\n")) // the client may be gone
}

// readyz asks the books and the store. Since is when the answer last changed.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	_, err := s.source.Latest(r.Context())
	s.mu.Lock()
	if s.since.IsZero() || s.ready != (err == nil) {
		s.ready, s.since = err == nil, time.Now().UTC().Truncate(time.Second)
	}
	since := s.since
	s.mu.Unlock()
	hint := ""
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		hint = "the store or the books cannot be read"
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client may be gone
		"ready": err == nil, "checks": map[string]any{"store": map[string]any{"ok": err == nil, "since": since, "hint": hint}},
	})
}
