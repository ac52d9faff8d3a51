package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"

	"github.com/spf13/cobra"

	"sluice/books"
	"sluice/books/union"
	"sluice/gateway/config"
	"sluice/opendata"
	"sluice/opendata/copies"
	"sluice/opendata/query"
	"sluice/store/influx"
	"sluice/store/sqlite"
)

func opendataCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "opendata -c FILE",
		Short: "Serve released data to residents: pages, JSON, CSV",
		Args:  between(0, 0),
		Long: "Reads the store and the public books, and nothing else of the gateway. Runs until SIGINT, SIGTERM or\n" +
			"SIGHUP.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := opendata.ReadConfig(file)
			if err != nil {
				return &config.Refusal{Err: nameConfig(file, err)}
			}
			debug.SetMemoryLimit(memoryLimit * max(1, int64(len(cfg.Books.Cities))))
			log, err := logger(cmd.ErrOrStderr(), cfg.Log.Level)
			if err != nil {
				return err
			}
			s, closing, err := openOpenData(cfg, log)
			if err != nil {
				return &config.Refusal{Err: err}
			}
			defer endAtHangup()()
			log.Info("open data is served", "http", "http://"+s.Addr())
			return errors.Join(s.Run(cmd.Context()), closing())
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "opendata.yaml", "configuration file")
	return c
}

// openOpenData opens the stores and the server over them, of one city or of several; closing
// closes the stores.
func openOpenData(cfg opendata.Config, log *slog.Logger) (s *opendata.Server, closing func() error, err error) {
	var open []io.Closer
	closing = func() (err error) {
		for _, x := range open {
			err = errors.Join(err, x.Close())
		}
		return err
	}
	if len(cfg.Books.Cities) == 0 {
		one, err := openShelf(cfg.Books, cfg.Store, &open)
		if err == nil {
			s, err = opendata.Open(cfg, one.Store, one.Books, log)
		}
		if err != nil {
			return nil, nil, errors.Join(err, closing())
		}
		return s, closing, nil
	}
	var shelves []opendata.Shelf
	for _, city := range cfg.Books.Cities {
		one, err := openShelf(city.Books, city.Store, &open)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("city %s: %w", city.City, err), closing())
		}
		shelves = append(shelves, one)
	}
	if s, err = opendata.OpenSeveral(cfg, shelves, log); err != nil {
		return nil, nil, errors.Join(err, closing())
	}
	return s, closing, nil
}

// memoryLimit makes the garbage collector work harder before the open data take more than this
// for each city.
// openShelf opens a city's store and books, or all copies of them.
func openShelf(from opendata.Books, at opendata.Store, open *[]io.Closer) (one opendata.Shelf, err error) {
	take := func(s opendata.Store) (query.Store, error) {
		reader, err := openReader(s)
		if err == nil {
			*open = append(*open, reader)
		}
		return reader, err
	}
	if at != (opendata.Store{}) {
		if one.Store, err = take(at); err != nil {
			return one, err
		}
	}
	if len(from.Copies) == 0 {
		one.Books = sources(from.Places)
		return one, nil
	}
	var list []copies.Copy
	for _, c := range from.Copies {
		x := copies.Copy{Where: c.Books, Books: source(c.Books)}
		if c.Store != (opendata.Store{}) {
			if x.Store, err = take(c.Store); err != nil {
				return one, err
			}
		}
		list = append(list, x)
	}
	all := copies.New(list)
	if one.Books = all; one.Store == nil {
		one.Store = all
	}
	return one, nil
}

const memoryLimit = 64 << 20

// reader is a store for reading.
type reader interface {
	query.Store
	io.Closer
}

func openReader(s opendata.Store) (reader, error) {
	if s.Influx != nil {
		return influx.Open(*s.Influx)
	}
	return sqlite.NewReader(s.SQLite.Path), nil
}

// sources are one gateway's books as they are, or those of several as one.
func sources(list opendata.Places) books.Source {
	if len(list) == 1 {
		return source(list[0])
	}
	var all []union.Book
	for _, where := range list {
		all = append(all, union.Book{Where: where, Source: source(where)})
	}
	return union.New(all)
}

func source(where string) books.Source {
	if opendata.Remote(where) {
		return books.NewMirror(where)
	}
	return books.Dir(where)
}
