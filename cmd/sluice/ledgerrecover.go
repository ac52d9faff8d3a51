package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/rollback"
)

func ledgerRecoverCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "recover -c FILE",
		Short: "Recover a state directory restored from a backup",
		Args:  between(0, 0),
		Long: "A gateway releases nothing if its state directory is older than its last release, or if its ledger\n" +
			"is gone. Stop the gateway and run this: it takes over what copies of the public books (public/,\n" +
			"witness) still have, and closes every stream until the first midnight after now and after its last\n" +
			"release. Nothing is released twice.\n\n" +
			"On several machines: where the books that they share have come back shorter, run it on the releaser\n" +
			"that has come furthest. It puts back what they lack, and the other gateways go on by themselves.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			g, _, err := openGateway(cmd, file)
			if err != nil {
				return err
			}
			found, err := g.Recover(cmd.Context())
			if err = errors.Join(err, g.Close()); err != nil {
				return failed(err)
			}
			printRecovered(cmd.OutOrStdout(), found)
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "gateway.yaml", "configuration file of the gateway")
	return c
}

// printRecovered prints what a recovery found, took over and closed.
func printRecovered(w io.Writer, found rollback.Recovered) {
	if found.Gone > 0 {
		fmt.Fprintf(w, "%s not in the store any more; the public gaps say so (store_lost).\n",
			counted(found.Gone, "window that was released is", "windows that were released are"))
	}
	if found.Behind == "" && found.Gone > 0 {
		return
	}
	if found.Behind == "" {
		fmt.Fprintln(w, "This state directory is the latest that the key directory, the store and the "+
			"copies of the books know. Nothing was changed.")
		return
	}
	fmt.Fprintf(w, "Found: %s\n", found.Behind)
	if found.Back > 0 {
		fmt.Fprintf(w, "%s put back into the books that machines share, out of this ledger.\n",
			counted(found.Back, "row was", "rows were"))
	}
	if found.Lines > 0 || found.Back == 0 {
		fmt.Fprintf(w, "%s taken over from copies of the books.\n", counted(found.Lines, "line was", "lines were"))
	}
	for _, broken := range found.Broken {
		fmt.Fprintf(w, "A copy of the books is damaged; it was taken over up to the damage: %v\n", broken)
	}
	if found.Lost > 0 {
		fmt.Fprintf(w, "%s in no copy. Either set witness: to a mirror's copy of the "+
			"public books and start again from the backup, or continue; mirrors will then see that the book "+
			"has changed.\n", counted(int(found.Lost), "earlier line is", "earlier lines are"))
	}
	for _, id := range sortedKeys(found.Until) {
		fmt.Fprintf(w, "%s is silent until %s.\n", id, found.Until[id].Format(time.RFC3339))
	}
	fmt.Fprintln(w, "Start the gateway again.")
}
