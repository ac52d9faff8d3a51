package main

import (
	"errors"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"sluice/books"
	"sluice/books/union"
	"sluice/gateway/config"
	"sluice/opendata"
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
		Long:  "Reads the store and the public books, and nothing else of the gateway. Runs until SIGINT or SIGTERM.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			debug.SetMemoryLimit(memoryLimit)
			cfg, err := opendata.ReadConfig(file)
			if err != nil {
				return &config.Refusal{Err: nameConfig(file, err)}
			}
			log, err := logger(cmd.ErrOrStderr(), cfg.Log.Level)
			if err != nil {
				return err
			}
			reader, err := openReader(cfg.Store)
			if err != nil {
				return &config.Refusal{Err: err}
			}
			s, err := opendata.Open(cfg, reader, sources(cfg.Books), log)
			if err != nil {
				return errors.Join(&config.Refusal{Err: err}, reader.Close())
			}
			log.Info("open data is served", "http", "http://"+s.Addr())
			return errors.Join(s.Run(cmd.Context()), reader.Close())
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "opendata.yaml", "configuration file")
	return c
}

// memoryLimit makes the garbage collector work harder before the open data take more than this.
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
func sources(list opendata.Books) books.Source {
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
