package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"sluice/gateway"
)

func gatewayCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "gateway -c FILE",
		Short: "Run the gateway: take readings in, release aggregates",
		Args:  between(0, 0),
		Long: "Runs until SIGINT or SIGTERM. It reloads the register, the passwords and the listener's certificates\n" +
			"some seconds after they were saved, and at once on SIGHUP; if one of them is broken, it keeps what it\n" +
			"has and logs the problem.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			putOffCollection(closeCollection)
			hangups := make(chan os.Signal, 1)
			signal.Notify(hangups, syscall.SIGHUP) // one that comes before it runs does not end it
			var g *gateway.Gateway
			var log *slog.Logger
			going, err := interruptible(cmd.Context(), func() (err error) {
				g, log, err = openGateway(cmd, file)
				return err
			})
			debug.SetGCPercent(closeCollection)
			switch {
			case !going:
				return nil // it was asked to end before it was there
			case err != nil:
				return err
			}
			stop := onHangup(cmd.Context(), hangups, g)
			running := []any{"mqtt", g.MQTT(), "admin", g.Admin()}
			if web := g.WebSocket(); web != "" {
				running = append(running, "websocket", web)
			}
			log.Info("the gateway runs", running...)
			err = g.Run(cmd.Context())
			stop()
			return errors.Join(err, g.Close())
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "gateway.yaml", "configuration file")
	return c
}

// closeCollection is by how many percent the heap of a gateway may grow between two collections, once it is
// open. Windows are large and long-lived and garbage is scarce: collecting earlier costs next to nothing and
// bounds the peak while a map grows.
const closeCollection = 50

// onHangup reloads a gateway's files when they are saved, and at each SIGHUP, until the returned function is called.
func onHangup(ctx context.Context, hangups <-chan os.Signal, g *gateway.Gateway) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { g.Reloads(ctx, hangups) })
	return func() { cancel(); all.Wait() }
}
