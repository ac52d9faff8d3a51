package main

import (
	"errors"
	"runtime/debug"

	"github.com/spf13/cobra"

	"sluice/gateway"
)

func gatewayCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "gateway -c FILE", Short: "Run the edge: sensors in, releases out", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Windows are large and live long, garbage is little: collecting sooner costs
			// next to nothing and keeps the peak while a map grows in bounds.
			debug.SetGCPercent(50)
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
