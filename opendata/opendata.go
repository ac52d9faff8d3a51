// Package opendata is what residents see: it answers from released observations
// and the public books, and from nothing else.
package opendata

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
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
	source   *query.Source
}

// Open listens on addr and answers from a store and its books.
func Open(addr string, store query.Store, source books.Source, log *slog.Logger) (*Server, error) {
	s := &Server{source: &query.Source{Store: store, Books: books.Reader{Source: source}}}
	pages, err := web.New(s.source, log)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	api.New(s.source, log).Routes(mux)
	pages.Routes(mux)
	mux.HandleFunc("/healthz", s.healthz)
	mux.HandleFunc("/readyz", s.readyz)
	if s.listener, err = net.Listen("tcp", addr); err != nil {
		return nil, fmt.Errorf("open data address: %w; choose another (--http, or http in the file)", err)
	}
	s.http = &http.Server{
		Handler: secure(api.ReadOnly(mux)), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // it names addresses
	}
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then lets answers in flight finish.
func (s *Server) Run(ctx context.Context) error {
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

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if _, err := s.source.Latest(r.Context()); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"ready":false,"checks":{"store":{"ok":false,"hint":"the store or the books cannot be read"}}}` + "\n"))
		return
	}
	_, _ = w.Write([]byte(`{"ready":true,"checks":{"store":{"ok":true,"hint":""}}}` + "\n"))
}
