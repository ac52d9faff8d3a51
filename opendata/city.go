package opendata

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"sluice/books"
	"sluice/books/union"
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

// city is the open data of one city: all routes over its store and public books.
type city struct {
	log     *slog.Logger
	mux     *http.ServeMux
	source  *query.Source
	pages   *web.Web
	catalog *catalog.Catalog
	archive *archive.Archive
	shown   filter
	streets *streets.File // nil for none
	all     *union.Books  // nil where there is one gateway's
	books   books.Source
	where   string // they are, as the configuration has it
	live    *live.Feed
	mqtt    *broadcast.Broker // nil for none

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
		return nil, nil, &unlikeError{err}
	}
	var list []released.Named
	for n, b := range all.List() {
		list = append(list, released.Named{Where: b.Where, Source: b.Source, Usable: func() bool {
			return all.Usable(n)
		}})
	}
	return released.NewCityFilter(store, list, all.Names, log), all, nil
}

// unlikeError means that books are not of one city.
type unlikeError struct{ error }

func (e *unlikeError) Error() string { return "books: " + e.error.Error() }
func (e *unlikeError) Unwrap() error { return e.error }

// site is where a city is served.
type site struct {
	loopback  bool   // only this machine can connect
	here      string // its address on this machine; empty if others can connect
	below     string // the path of its pages; empty for all of the server
	listeners int    // of its events, at most
	mqtt      int    // connections of its broker, at most
}

// newCity takes what a city needs, and makes its routes.
func newCity(cfg Config, store query.Store, source books.Source, at site, log *slog.Logger) (*city, error) {
	shown, all, err := newFilter(store, source, log)
	if err != nil {
		return nil, err
	}
	c := &city{log: log, mux: http.NewServeMux(), shown: shown, all: all, books: source,
		where:  strings.Join(cfg.Books.places(), ", "),
		source: &query.Source{Store: shown, Books: books.Reader{Source: source, Kept: new(books.Kept)}}}
	if c.streets, err = streets.Open(cfg.Streets, log); err != nil {
		return nil, err
	}
	c.live = live.New(c.source)
	public := strings.TrimSuffix(cfg.URL, "/")
	if c.archive, err = archive.Open(cfg.Archive.config(), c.source, cmp.Or(public, at.below), log); err != nil {
		return nil, err
	}
	if err := c.routes(cfg, public, at); err != nil {
		return nil, errors.Join(err, c.archive.Close())
	}
	return c, nil
}

// routes adds all public routes.
func (c *city) routes(cfg Config, public string, at site) error {
	cache := httpcache.New()
	if cfg.perAddress(at.loopback) > 0 {
		cache.Share()
	}
	desk, place := news.New(c.source), web.Place{Public: public, Here: at.here}
	pages, err := web.New(c.source, cache, desk, place, c.log)
	if err != nil {
		return err
	}
	c.pages = pages
	pages.On(c.streets.Ground, cfg.StreetsCredit)
	if err := c.openMQTT(cfg, place.Base(), at); err != nil {
		return err
	}
	rows := api.New(c.source, cache, cmp.Or(public, at.below), c.log)
	rows.Routes(c.mux)
	limits := live.Limits{Listeners: at.listeners, PerAddress: cfg.perAddress(at.loopback)}
	c.mux.HandleFunc("/api/v1/live", c.live.Handler(limits, rows.Fail, c.log))
	feed.New(c.source, cache, desk, place.Base(), pages.Zone, rows.Fail).Routes(c.mux)
	c.catalog = catalog.New(c.source, cache, cmp.Or(public, at.below), c.log)
	c.catalog.Offer(c.archive)
	c.catalog.Routes(c.mux)
	sensorthings.New(c.source, cache, cmp.Or(public, at.here, at.below), c.log).Routes(c.mux)
	c.archive.Routes(c.mux, cache, rows.Fail)
	pages.Offer(c.archive)
	pages.Routes(c.mux)
	c.mux.HandleFunc("/healthz", healthz)
	c.mux.HandleFunc("/readyz", c.readyz)
	return nil
}

// run follows books and store until ctx ends.
func (c *city) run(ctx context.Context) {
	var all sync.WaitGroup
	for _, follow := range []func(context.Context){c.shown.Watch, c.watchBooks, c.archive.Run, c.streets.Watch,
		c.live.Run} {
		all.Go(func() { follow(ctx) })
	}
	if c.mqtt != nil {
		all.Go(func() { c.mqtt.Run(ctx) })
	}
	all.Wait()
}
