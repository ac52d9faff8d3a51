// Package opendata serves residents: pages, API and files, made from released observations
// and the public books and from nothing else. A server is of one city, or of several: then
// each has its routes below a path of its own, and a front page lists them.
package opendata

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"sluice/books"
	"sluice/door"
	"sluice/opendata/httpcache"
	"sluice/opendata/query"
)

// Server is the open-data server.
type Server struct {
	alone    *city // nil where there are several
	towns    []*town
	listener *door.Listener
	http     *http.Server
	admin    *door.Listener // nil for none
	named    string         // admin, as the configuration has it
	log      *slog.Logger
}

// Open listens on the addresses of cfg and answers from a store and the public books: one
// gateway's, or a union of several.
func Open(cfg Config, store query.Store, source books.Source, log *slog.Logger) (*Server, error) {
	s, err := listen(cfg, log)
	if err != nil {
		return nil, err
	}
	s.alone, err = newCity(cfg, store, source, s.site(cfg), log)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.http = door.Server(s.listener, secure(s.limit(cfg)(s.alone.mux)))
	return s, nil
}

// connections are open at most.
const connections = 1000

// listen takes the addresses.
func listen(cfg Config, log *slog.Logger) (*Server, error) {
	s := &Server{named: cfg.Admin, log: log}
	public, err := net.Listen("tcp", cfg.HTTP)
	if err != nil {
		return nil, fmt.Errorf("open data address: %w; choose another (--http, or http in the file)", err)
	}
	s.listener = door.Listen(public,
		door.Limits{Total: connections, PerAddress: cfg.perAddress(door.Loopback(public.Addr()))})
	if cfg.Admin == "" {
		return s, nil
	}
	admin, err := net.Listen("tcp", cfg.Admin)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("admin address: %w; choose another", err), s.listener.Close())
	}
	s.admin = door.ListenAdmin(admin)
	if !door.Loopback(admin.Addr()) {
		log.Warn("the admin address is not on loopback; whoever reaches it learns how the server is", "fix",
			"give admin: an address such as 127.0.0.1:9091, or let a firewall guard it")
	}
	return s, nil
}

// close gives the addresses back.
func (s *Server) close() error {
	err := s.listener.Close()
	if s.admin != nil {
		err = errors.Join(err, s.admin.Close())
	}
	return err
}

// site is where a city is that has the server for itself. Only the configuration knows the
// public address.
func (s *Server) site(cfg Config) site {
	at := site{loopback: door.Loopback(s.listener.Addr()), listeners: s.seats(cfg),
		mqtt: connections / max(1, cfg.brokers())}
	if at.loopback {
		at.here = "http://" + s.Addr()
	}
	return at
}

// limit bounds what clients may ask: to read, and how often, of all cities together.
func (s *Server) limit(cfg Config) func(http.Handler) http.Handler {
	per := cfg.perSecond(door.Loopback(s.listener.Addr()))
	if per <= 0 {
		return httpcache.ReadOnly
	}
	limiter := newLimiter(per)
	return func(h http.Handler) http.Handler { return limiter.wrap(httpcache.ReadOnly(h)) }
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then lets answers in flight finish.
func (s *Server) Run(ctx context.Context) error {
	if s.admin != nil {
		mux := http.NewServeMux()
		mux.HandleFunc("/healthz", healthz)
		mux.HandleFunc("/readyz", s.readyz)
		admin := door.Server(s.admin, door.Admin(s.admin.Addr(), s.named, mux))
		defer admin.Close()
		go func() { _ = admin.Serve(s.admin) }() // ends with Close
	}
	watch, enough := context.WithCancel(ctx)
	var watching sync.WaitGroup
	if s.alone != nil {
		watching.Go(func() { s.alone.run(watch) })
	}
	for _, t := range s.towns {
		watching.Go(func() { t.run(watch) })
	}
	defer watching.Wait()
	defer enough()
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

// readyz says how the city is, or how all are.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.alone != nil {
		s.alone.readyz(w, r)
		return
	}
	s.allReady(w, r)
}
