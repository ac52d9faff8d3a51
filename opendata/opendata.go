// Package opendata serves residents: pages, API and files, made from released observations
// and the public books and from nothing else.
package opendata

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"sluice/books"
	"sluice/books/union"
	"sluice/door"
	"sluice/opendata/api"
	"sluice/opendata/archive"
	"sluice/opendata/broadcast"
	"sluice/opendata/catalog"
	"sluice/opendata/feed"
	"sluice/opendata/httpcache"
	"sluice/opendata/live"
	"sluice/opendata/news"
	"sluice/opendata/query"
	"sluice/opendata/released"
	"sluice/opendata/sensorthings"
	"sluice/opendata/streets"
	"sluice/opendata/web"
)

// Server is the open-data server.
type Server struct {
	listener *door.Listener
	http     *http.Server
	admin    *door.Listener // nil for none
	named    string         // admin, as the configuration has it
	log      *slog.Logger
	source   *query.Source
	archive  *archive.Archive
	shown    filter
	streets  *streets.File // nil for none
	all      *union.Books  // nil where there is one gateway's
	books    books.Source
	where    string // they are, as the configuration has it
	live     *live.Feed
	mqtt     *broadcast.Broker // nil for none

	mu    sync.Mutex
	ready bool      // as last asked; guarded by mu
	since time.Time // when that last changed; guarded by mu
}

// filter is a store without the rows that the public books have no line of.
type filter interface {
	query.Store
	LeftOut() int64
	Hint() string
	Watch(ctx context.Context)
}

// newFilter filters a store by one gateway's books, or by those of several.
func newFilter(store query.Store, source books.Source, log *slog.Logger) (filter, *union.Books, error) {
	all, several := source.(*union.Books)
	if !several {
		return released.New(store, source, log), nil, nil
	}
	if err := all.Wrong(); err != nil {
		return nil, nil, fmt.Errorf("books: %w", err)
	}
	var list []released.Named
	for n, b := range all.List() {
		list = append(list, released.Named{Where: b.Where, Source: b.Source, Usable: func() bool {
			return all.Usable(n)
		}})
	}
	return released.NewCityFilter(store, list, all.Names, log), all, nil
}

// Open listens on the addresses of cfg and answers from a store and the public books: one
// gateway's, or a union of several.
func Open(cfg Config, store query.Store, source books.Source, log *slog.Logger) (*Server, error) {
	shown, all, err := newFilter(store, source, log)
	if err != nil {
		return nil, err
	}
	s := &Server{named: cfg.Admin, log: log, shown: shown, all: all, books: source,
		where:  strings.Join(cfg.Books, ", "),
		source: &query.Source{Store: shown, Books: books.Reader{Source: source, Kept: new(books.Kept)}}}
	if s.streets, err = streets.Open(cfg.Streets, log); err != nil {
		return nil, err
	}
	s.archive, err = archive.Open(cfg.Archive.config(), s.source, strings.TrimSuffix(cfg.URL, "/"), log)
	if err != nil {
		return nil, err
	}
	s.live = live.New(s.source)
	public, err := net.Listen("tcp", cfg.HTTP)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open data address: %w; choose another (--http, or http in the file)", err),
			s.archive.Close())
	}
	s.listener = door.Listen(public,
		door.Limits{Total: connections, PerAddress: cfg.perAddress(door.Loopback(public.Addr()))})
	handler, err := s.handler(cfg, log)
	if err != nil {
		return nil, errors.Join(err, s.listener.Close(), s.archive.Close())
	}
	if cfg.Admin != "" {
		admin, err := net.Listen("tcp", cfg.Admin)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("admin address: %w; choose another", err), s.listener.Close(),
				s.archive.Close())
		}
		s.admin = door.ListenAdmin(admin)
		if !door.Loopback(admin.Addr()) {
			log.Warn("the admin address is not on loopback; whoever reaches it learns how the server is", "fix",
				"give admin: an address such as 127.0.0.1:9091, or let a firewall guard it")
		}
	}
	s.http = door.Server(s.listener, handler)
	return s, nil
}

// connections are open at most.
const connections = 1000

// handler serves all public routes.
func (s *Server) handler(cfg Config, log *slog.Logger) (http.Handler, error) {
	cache := httpcache.New()
	if cfg.perAddress(s.loopback()) > 0 {
		cache.Share()
	}
	desk, place := news.New(s.source), web.Place{Public: strings.TrimSuffix(cfg.URL, "/"), Here: s.here()}
	pages, err := web.New(s.source, cache, desk, place, log)
	if err != nil {
		return nil, err
	}
	pages.On(s.streets.Ground, cfg.StreetsCredit)
	mux := http.NewServeMux()
	if err := s.openMQTT(cfg, mux, place.Base(), pages.Zone); err != nil {
		return nil, err
	}
	rows := api.New(s.source, cache, cfg.URL, log)
	rows.Routes(mux)
	mux.HandleFunc("/api/v1/live", s.live.Handler(s.liveLimits(cfg), rows.Fail))
	feed.New(s.source, cache, desk, place.Base(), pages.Zone, rows.Fail).Routes(mux)
	described := catalog.New(s.source, cache, cfg.URL, log)
	described.Offer(s.archive)
	described.Routes(mux)
	sensorthings.New(s.source, cache, cmp.Or(place.Public, place.Here), log).Routes(mux)
	s.archive.Routes(mux, cache, rows.Fail)
	pages.Offer(s.archive)
	pages.Routes(mux)
	s.health(mux)
	h := httpcache.ReadOnly(mux)
	if per := cfg.perSecond(s.loopback()); per > 0 {
		h = newLimiter(per).wrap(h)
	}
	return secure(h), nil
}

// loopback reports whether only this machine can connect.
func (s *Server) loopback() bool { return door.Loopback(s.listener.Addr()) }

// here is the address of the pages on this machine; empty if others can connect, since only
// the configuration knows the public address.
func (s *Server) here() string {
	if !s.loopback() {
		return ""
	}
	return "http://" + s.Addr()
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
		admin := door.Server(s.admin, door.Admin(s.admin.Addr(), s.named, mux))
		defer admin.Close()
		go func() { _ = admin.Serve(s.admin) }() // ends with Close
	}
	watch, enough := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { s.shown.Watch(watch) })
	watching.Go(func() { s.watchBooks(watch) })
	watching.Go(func() { s.archive.Run(watch) })
	watching.Go(func() { s.streets.Watch(watch) })
	watching.Go(func() { s.live.Run(watch) })
	if s.mqtt != nil {
		watching.Go(func() { s.mqtt.Run(watch) })
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

// nothing is a Permissions-Policy (W3C) that denies pages every feature of the browser.
const nothing = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), clipboard-read=(), " +
	"clipboard-write=(), display-capture=(), encrypted-media=(), " +
	"fullscreen=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), identity-credentials-get=(), " +
	"idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), " +
	"payment=(), picture-in-picture=(), publickey-credentials-create=(), publickey-credentials-get=(), " +
	"screen-wake-lock=(), serial=(), storage-access=(), usb=(), " +
	"window-management=(), xr-spatial-tracking=()"

// framed is the policy of pages that other sites may frame.
var framed = []string{"default-src 'self'; frame-ancestors *; base-uri 'none'; form-action 'none'"}

// secure sets the headers of every answer: pages load nothing from elsewhere and run no
// scripts but our own. Everything is public and nobody logs in, so other sites may read it.
func secure(next http.Handler) http.Handler {
	always := map[string][]string{
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"cross-origin"},
		"Permissions-Policy":           {nothing},
		"Content-Security-Policy": {"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; " +
			"form-action 'self'"},
		"X-Content-Type-Options":        {"nosniff"},
		"Referrer-Policy":               {"no-referrer"},
		"Access-Control-Allow-Origin":   {"*"},
		"Access-Control-Expose-Headers": {"ETag, Link, RateLimit, RateLimit-Policy, Retry-After"},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), always)
		if strings.HasPrefix(r.URL.Path, "/embed/") { // other sites may frame these, and no other page
			w.Header()["Content-Security-Policy"] = framed
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{\"ok\":true}\n")) // the client may be gone
}

// lookEvery is the interval at which all gateways' books are checked.
const lookEvery = 10 * time.Second

// watchBooks logs when some gateways' books become unusable, and when they are usable
// again.
func (s *Server) watchBooks(ctx context.Context) {
	wait := lookEvery // a gateway that starts beside it has begun by then
	if s.all != nil {
		wait = 0
	}
	var charters confirmed
	for was := ""; ; wait = lookEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		now := strings.Join(s.problems(), "; ")
		switch {
		case now == was:
		case s.all == nil && now != "":
			s.log.Warn("there are no public books yet, so nothing is shown", "problem", now)
		case s.all == nil:
			s.log.Info("the public books are there")
		case now == "":
			s.log.Info("the books of all gateways can be used again")
		default:
			s.log.Warn("not all gateways' books can be used; what the others have, and what these said last, is shown",
				"problem", now)
		}
		was = now
		if s.all == nil {
			continue
		}
		switch now, news := charters.look(s.all.Differing()); {
		case news && now == "":
			s.log.Info("the gateways have one charter again")
		case news:
			s.log.Warn("the gateways' charters differ: one has not taken the last motion, or it was not for all",
				"difference", now)
		}
	}
}

// confirmed is a state that two looks in a row have seen: a single look may fall between
// the moments at which two gateways take a motion.
type confirmed struct{ last, logged string }

// look returns what has been seen twice, and whether that is new.
func (t *confirmed) look(now string) (logged string, news bool) {
	if again := now == t.last; !again || now == t.logged {
		t.last = now
		return t.logged, false
	}
	t.logged = now
	return now, true
}

// problems describes which gateways' books are unusable, and why; for a single gateway,
// only that there are no books.
func (s *Server) problems() []string {
	if s.all != nil {
		return s.all.Problems()
	}
	if _, err := s.books.Get("city.json"); errors.Is(err, fs.ErrNotExist) {
		return []string{fmt.Sprintf("the books %s cannot be read: %v", s.where, union.ErrNone)}
	}
	return nil
}

// readyz checks the books and the store. Since is when the store's answer last changed.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	_, err := s.source.Latest(r.Context())
	s.mu.Lock()
	if s.since.IsZero() || s.ready != (err == nil) { // of the store
		s.ready, s.since = err == nil, time.Now().UTC().Truncate(time.Second)
	}
	since := s.since
	s.mu.Unlock()
	hint := s.shown.Hint() // it serves all the same
	checks := map[string]any{}
	// where some are away, the others are served all the same
	if problems := s.problems(); s.all != nil || len(problems) > 0 {
		checks["books"] = map[string]any{"ok": len(problems) == 0, "hint": strings.Join(problems, "; ")}
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		hint = "the store or the books cannot be read; the log says which, and what to do"
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	checks["store"] = map[string]any{"ok": err == nil, "since": since, "hint": hint}
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client may be gone
		"ready": err == nil, "rows_left_out": s.shown.LeftOut(), "checks": checks,
	})
}
