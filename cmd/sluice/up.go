package main

import (
	"os"

	"github.com/spf13/cobra"

	"sluice/town"
)

func upCommand() *cobra.Command {
	var o town.Options
	var demo bool
	c := &cobra.Command{
		Use: "up --demo", Short: "A whole small town in one process", Args: cobra.NoArgs,
		Long: "A whole small town in one process: broker, gateway, store, open data and a simulated city,\n" +
			"on loopback, with a simulated clock. Yesterday is replayed first; then an hour passes in ten seconds.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !demo {
				return &usageError{"up needs --demo in this version: without it, a town needs a policy that its council has signed, and signatures are not verified yet"}
			}
			o.Out, o.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if o.Dir == "" {
				dir, err := os.MkdirTemp("", "sluice-demo-")
				if err != nil {
					return err
				}
				defer os.RemoveAll(dir)
				o.Dir, o.Passing = dir, true
			}
			t, err := town.Open(cmd.Context(), o)
			if err != nil {
				return err
			}
			return t.Run(cmd.Context())
		},
	}
	f := c.Flags()
	f.BoolVar(&demo, "demo", false, "add a simulated city with a simulated clock")
	f.StringVar(&o.Dir, "dir", "", "state directory, kept; by default a temporary one, removed at the end")
	f.StringVar(&o.HTTP, "http", "127.0.0.1:8080", "address of the open data")
	f.StringVar(&o.MQTT, "mqtt", "127.0.0.1:1883", "address where sensors connect")
	f.StringVar(&o.Admin, "admin", "127.0.0.1:9090", "address of health and metrics")
	f.BoolVar(&o.JSON, "json", false, "print addresses and progress as JSON lines")
	return c
}
