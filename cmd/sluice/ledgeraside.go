package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/reconcile"
)

func ledgerAsideCommand() *cobra.Command {
	var file string
	var send, asJSON bool
	c := &cobra.Command{
		Use:   "aside -c FILE",
		Short: "List what the store refused for good, or send it again",
		Args:  between(0, 0),
		Long: "A released number that the store refuses while it accepts others is set aside, so that the others\n" +
			"can be delivered. --send queues all of it for the store again. Can be used while the gateway runs,\n" +
			"which sends it within seconds.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := readConfig(file)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if send {
				n, err := reconcile.SendAside(cmd.Context(), cfg)
				if err != nil {
					return failed(err)
				}
				fmt.Fprintf(w, "%s sent again.\n", counted(n, "number is", "numbers are"))
				return nil
			}
			list, err := reconcile.ListAside(cmd.Context(), cfg)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return printJSON(w, map[string]any{"aside": append([]reconcile.Aside{}, list...)})
			}
			if len(list) == 0 {
				fmt.Fprintln(w, "The store has refused nothing.")
				return nil
			}
			t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "stream\tstart\tnumbers\tthe store said")
			for _, a := range list {
				fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", a.Stream, a.Start.Format(time.RFC3339), a.Rows, a.Reason)
			}
			_ = t.Flush() // to a terminal or a buffer
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "gateway.yaml", "configuration file of the gateway")
	c.Flags().BoolVar(&send, "send", false, "send all of it to the store again")
	c.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	return c
}
