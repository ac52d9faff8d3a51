package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/cluster/setup"
	"sluice/gateway/config"
)

func clusterNatsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "nats DIR HOST HOST HOST",
		Short: "Write what three nats-servers are set up with, and what lets gateways in",
		Args:  between(4, 4),
		Long: "HOST are the names or addresses by which gateways, and the servers among themselves, reach the three\n" +
			"machines. Writes DIR/HOST for each, with nats.conf, a certificate and its key, for /etc/nats there;\n" +
			"and DIR/member, with three seeds and the authority's certificate, for the credentials of each\n" +
			"gateway's machine. All of it is secret. Nothing can be added later: a machine that takes another's\n" +
			"place gets that one's directory.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := setup.Servers(args[0], args[1:], time.Now()); err != nil {
				return &config.Refusal{Err: err}
			}
			out := cmd.OutOrStdout()
			for _, host := range args[1:] {
				fmt.Fprintf(out, "%s/%s is for /etc/nats of %[2]s\n", args[0], host)
			}
			_, err := fmt.Fprintf(out, "%s/member is for the credentials of each gateway's machine\n", args[0])
			return err
		},
	}
}
