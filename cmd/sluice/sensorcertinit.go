package main

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/register/ca"
)

func certInit() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a certificate authority",
		Args:  between(1, 1),
		Long: "Makes DIR with an authority for ten years: ca.crt, for client_ca of gateway.yaml and cafile of\n" +
			"mosquitto; ca.key, which is secret; and crl.pem, the certificates that hold no more, for crl of\n" +
			"gateway.yaml and crlfile of mosquitto. Keep a copy of DIR where nobody else reads it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			err := ca.Init(args[0], name, time.Now())
			if errors.Is(err, fs.ErrExist) {
				return config.Refuse("an authority is in %s already; issue certificates with sluice sensor cert "+
					"issue, or name another directory", args[0])
			}
			if err != nil {
				return &config.Refusal{Err: err}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s/ca.crt is for client_ca, %[1]s/crl.pem for crl; keep "+
				"%[1]s/ca.key secret\n", args[0])
			return err
		},
	}
	c.Flags().StringVar(&name, "name", "Sensors", "name of the authority, in its certificate")
	return c
}
