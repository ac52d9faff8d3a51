package main

import (
	"errors"

	"github.com/spf13/cobra"

	"sluice/gateway"
)

func gatewayCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "gateway -c FILE", Short: "Run the edge: sensors in, releases out", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := gateway.ReadConfig(file)
			if err != nil {
				return err
			}
			log, err := logger(cmd.ErrOrStderr(), cfg.Log.Level)
			if err != nil {
				return err
			}
			g, err := gateway.Open(cmd.Context(), cfg, log)
			if err != nil {
				return err
			}
			log.Info("the gateway runs", "mqtt", g.MQTT(), "admin", g.Admin())
			return errors.Join(g.Run(cmd.Context()), g.Close())
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "gateway.yaml", "configuration file")
	return c
}
