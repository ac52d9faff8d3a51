package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/books"
	"sluice/gateway"
)

func withdrawCommand() *cobra.Command {
	var file, at, reason string
	w := books.Withdrawal{}
	c := &cobra.Command{
		Use:   "withdraw STREAM --start T --reason TEXT",
		Short: "Withdraw a released window, for a public reason",
		Args:  between(1, 1),
		Long: "A withdrawn window is shown as withdrawn, with the reason, and never gets another number. Copies\n" +
			"that others have made remain. Can be used while the gateway runs, which passes the withdrawal on\n" +
			"within seconds. On several machines, use it on one that releases; the others follow.",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := readConfig(file)
			if err != nil {
				return err
			}
			if w.Start, err = time.Parse(time.RFC3339, at); err != nil {
				return &usageError{"--start is the start of a window, such as 2026-11-23T10:00:00Z"}
			}
			if len(reason) < 3 || len(reason) > 300 {
				return &usageError{"--reason must have 3 to 300 letters, for residents to read"}
			}
			w.Stream, w.Reason, w.At = args[0], reason, time.Now().UTC().Truncate(time.Second)
			n, err := gateway.Withdraw(cmd.Context(), cfg, w)
			if err != nil {
				return failed(err)
			}
			if n == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "The store has none of these numbers. They are withdrawn; those set "+
					"aside are hidden when they are sent again.")
				return nil
			}
			at := w.Stream + " at " + w.Start.UTC().Format(time.RFC3339)
			fmt.Fprintf(cmd.OutOrStdout(), "%s withdrawn.\n",
				counted(n, "number of "+at+" is", "numbers of "+at+" are"))
			return nil
		},
	}
	f := c.Flags()
	f.StringVarP(&file, "config", "c", "gateway.yaml", "configuration file of the gateway")
	f.StringVar(&at, "start", "", "start of the window, e.g. 2026-11-23T10:00:00Z")
	f.StringVar(&w.Cell, "cell", "", "withdraw this cell only")
	f.StringVar(&w.Measure, "measure", "", "withdraw this measure only")
	f.StringVar(&reason, "reason", "", "why, for residents; 3 to 300 letters")
	return c
}
