package main

import (
	"errors"
	"log/slog"
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
			var g *gateway.Gateway
			var log *slog.Logger
			going, err := interruptible(cmd.Context(), func() (err error) {
				g, log, err = openGateway(cmd, file)
				return err
			})
			switch {
			case !going:
				return nil // it was asked to end before it was there
			case err != nil:
				return err
			}
			log.Info("the gateway runs", "mqtt", g.MQTT(), "admin", g.Admin())
			return errors.Join(g.Run(cmd.Context()), g.Close())
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "gateway.yaml", "configuration file")
	return c
}

// openGateway opens the gateway of a configuration file, and says on stderr what it
// has to say.
func openGateway(cmd *cobra.Command, file string) (*gateway.Gateway, *slog.Logger, error) {
	cfg, err := gateway.ReadConfig(file)
	if err != nil {
		return nil, nil, err
	}
	log, err := logger(cmd.ErrOrStderr(), cfg.Log.Level)
	if err != nil {
		return nil, nil, err
	}
	g, err := gateway.Open(cmd.Context(), cfg, log)
	return g, log, err
}
