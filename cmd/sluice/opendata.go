package main

import (
	"errors"

	"github.com/spf13/cobra"

	"sluice/books"
	"sluice/gateway"
	"sluice/opendata"
	"sluice/store/sqlite"
)

func opendataCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "opendata -c FILE", Short: "Serve what was released to residents", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := opendata.ReadConfig(file)
			if err != nil {
				return &gateway.Refusal{Err: err}
			}
			log, err := logger(cmd.ErrOrStderr(), cfg.Log.Level)
			if err != nil {
				return err
			}
			reader, err := sqlite.OpenReader(cfg.Store.SQLite.Path)
			if err != nil {
				return &gateway.Refusal{Err: err}
			}
			s, err := opendata.Open(cfg, reader, books.Dir(cfg.Books), log)
			if err != nil {
				return errors.Join(&gateway.Refusal{Err: err}, reader.Close())
			}
			log.Info("open data is served", "http", "http://"+s.Addr())
			return errors.Join(s.Run(cmd.Context()), reader.Close())
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "opendata.yaml", "configuration file")
	return c
}
