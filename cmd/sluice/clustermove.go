package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"sluice/gateway"
)

func clusterMoveCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "move -c FILE",
		Short: "Move a town from one process into a cluster, with its books and open windows",
		Args:  between(0, 0),
		Long: "Stop the gateway; leave its machine, its dir and its keys as they are, and write the section cluster\n" +
			"into FILE, with the roles front and releaser at least. The cluster's servers run and are empty, and no\n" +
			"other gateway of it runs yet. Then this brings the books and every open window there, once: what was\n" +
			"spent stays spent, and what was counted counts. Start this machine's gateway first, then the others.\n\n" +
			"Whatever ends it in the middle, run it again: it goes on. From its first step on no gateway starts\n" +
			"from dir alone, and there is no way back from a cluster to one process.\n\n" +
			"Exit codes: 0 moved, 3 refused, and nothing that was moved is lost, 4 no majority of the servers answers.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := readConfig(file)
			if err != nil {
				return err
			}
			log, err := logger(cmd.ErrOrStderr(), cfg.Log.Level)
			if err != nil {
				return err
			}
			moved, err := gateway.Move(cmd.Context(), cfg, log)
			if errors.Is(err, gateway.ErrAway) {
				return unreachable(err)
			}
			if err == nil {
				printMoved(cmd.OutOrStdout(), moved)
			}
			return failed(err)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "gateway.yaml", "configuration file of the gateway")
	return c
}

// printMoved says what was moved, and what to do next.
func printMoved(w io.Writer, moved gateway.Moved) {
	if moved.Already {
		fmt.Fprintln(w, "This directory is a cluster's already: nothing was changed.")
		return
	}
	fmt.Fprintf(w, "The books are the cluster's, and %s and %s are in its %s.\n",
		counted(moved.Windows, "open window", "open windows"), counted(moved.Epochs, "epoch", "epochs"),
		counted(moved.Partitions, "partition", "partitions"))
	fmt.Fprintln(w, "Start this machine's gateway soon, before a reboot, and before those of others.")
}
