package opendata

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/books"
	"sluice/door"
	"sluice/opendata/catalog"
	"sluice/opendata/front"
	"sluice/opendata/httpcache"
	"sluice/opendata/query"
	"sluice/opendata/web"
)

// Shelf is a city's store and public books.
type Shelf struct {
	Store query.Store
	Books books.Source
}

// town is one of several cities, with its own routes below its path. What happens to one stops
// no other: each has its own store, books, caches and watchers.
type town struct {
	id, below string
	log       *slog.Logger
	open      func() (*city, error)
	now       atomic.Pointer[city] // nil while its books are not of one city
}

// openAgain is the pause before a city that could not be shown is tried again.
const openAgain = time.Minute

// OpenSeveral listens on the addresses of cfg and answers for its cities from their shelves,
// in the same order.
func OpenSeveral(cfg Config, shelves []Shelf, log *slog.Logger) (*Server, error) {
	s, err := listen(cfg, log)
	if err != nil {
		return nil, err
	}
	site, mux := s.site(cfg), http.NewServeMux()
	site.listeners = max(1, site.listeners/len(shelves))
	var cities []front.City
	for n, shelf := range shelves {
		t, err := newTown(cfg, n, shelf, site, log)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.towns = append(s.towns, t)
		mux.Handle(t.below+"/", t)
		cities = append(cities, front.City{ID: t.id, Path: t.below, Pages: t.pages})
	}
	page, err := front.New(cities, strings.TrimSuffix(cfg.URL, "/"), log)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	page.Routes(mux)
	mux.HandleFunc("/healthz", healthz)
	mux.HandleFunc("/readyz", s.allReady)
	s.http = door.Server(s.listener, secure(s.limit(cfg)(mux)))
	return s, nil
}

// newTown opens a city. Where its books are not of one city it is opened later: what they are
// may change while the server runs.
func newTown(cfg Config, n int, shelf Shelf, at site, log *slog.Logger) (*town, error) {
	one, id := cfg.of(n), cfg.Books.Cities[n].City
	t := &town{id: id, below: cityPath + id, log: log.With("city", id)}
	at.below = t.below
	if at.here != "" {
		at.here += t.below
	}
	t.open = func() (*city, error) { return newCity(one, shelf.Store, shelf.Books, at, t.log) }
	c, err := t.open()
	var unlike *unlikeError
	if errors.As(err, &unlike) {
		t.log.Error("a city cannot be shown; the others are", "error", err)
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	t.now.Store(c)
	return t, nil
}

// ServeHTTP answers for the city.
func (t *town) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var h http.Handler = http.HandlerFunc(t.away)
	if c := t.now.Load(); c != nil {
		h = c.mux
	}
	httpcache.Mount(t.below, h).ServeHTTP(w, r)
}

// away answers for a city that cannot be shown.
func (t *town) away(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "60")
	httpcache.Problem(w, r, http.StatusServiceUnavailable, "unavailable", "This city cannot be shown just now",
		"try again in a minute; if it lasts, whoever runs this server finds in its log why")
}

// pages are the city's; nil while it cannot be shown.
func (t *town) pages() front.Pages {
	if c := t.now.Load(); c != nil {
		return struct {
			*web.Web
			*catalog.Catalog
		}{c.pages, c.catalog}
	}
	return nil
}

// run follows the city's books and store until ctx ends.
func (t *town) run(ctx context.Context) {
	for t.now.Load() == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(openAgain):
		}
		c, err := t.open()
		if err != nil {
			t.log.Warn("a city cannot be shown yet", "error", err)
			continue
		}
		t.log.Info("a city can be shown again")
		t.now.Store(c)
	}
	t.now.Load().run(ctx)
}

// allReady says how each city is. While any can be shown, the server is ready.
func (s *Server) allReady(w http.ResponseWriter, r *http.Request) {
	out := struct {
		Cities map[string]readiness `json:"cities"`
		Ready  bool                 `json:"ready"`
	}{Cities: make(map[string]readiness)}
	ctx, enough := context.WithTimeout(r.Context(), 5*time.Second)
	defer enough()
	var all sync.WaitGroup
	list := make([]readiness, len(s.towns))
	for n, t := range s.towns {
		all.Go(func() {
			list[n].Checks = map[string]check{"books": {Hint: "the books are not of one city; the log says how"}}
			if c := t.now.Load(); c != nil {
				list[n] = c.readiness(ctx)
			}
		})
	}
	all.Wait()
	for n, t := range s.towns {
		out.Cities[t.id] = list[n]
		out.Ready = out.Ready || list[n].Ready
	}
	w.Header().Set("Content-Type", "application/json")
	if !out.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(out) // the client may be gone
}

// within is a path as the city has it whose it is.
func within(path string) string {
	if rest, ok := strings.CutPrefix(path, cityPath); ok {
		if _, own, some := strings.Cut(rest, "/"); some {
			return "/" + own
		}
	}
	return path
}
