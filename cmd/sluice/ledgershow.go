package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sluice/verify"
)

func ledgerShowCommand() *cobra.Command {
	var svg string
	var asJSON bool
	var ahead int
	c := &cobra.Command{
		Use:   "show BOOKS...",
		Short: "Show the budget of each day: spent, left, and planned",
		Args:  between(1, -1),
		Long: "BOOKS is a gateway's state directory, its public/ directory, a copy of that, or the URL of an open-\n" +
			"data server. If a city has several gateways, name the books of each, or the server that has them\n" +
			"all.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if ahead < 0 || ahead > maxAhead {
				return &usageError{fmt.Sprintf("--ahead is between 0 and %d days", maxAhead)}
			}
			all, err := openAll(args)
			if err != nil {
				return err
			}
			days, err := verify.Days(mergeBooks(all).Parts(), ahead)
			if err != nil {
				return unreachable(err)
			}
			if svg != "" {
				if err := os.WriteFile(svg, []byte(verify.Chart(days)), 0o644); err != nil {
					return failed(err)
				}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]any{"days": days})
			}
			showDays(cmd.OutOrStdout(), days, svg)
			return nil
		},
	}
	c.Flags().StringVar(&svg, "svg", "", "write a chart to this file (SVG)")
	c.Flags().IntVar(&ahead, "ahead", 7, "days to look ahead")
	c.Flags().BoolVar(&asJSON, "json", false, "print the days as JSON")
	return c
}

// maxAhead is how many days ahead can be shown.
const maxAhead = 366

func showDays(w io.Writer, days []verify.Day, svg string) {
	if len(days) == 0 {
		fmt.Fprintln(w, "Nothing has been spent: no stream that needs a budget has released a window yet.")
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "day\tunit\tspent\tcoming\tleft\tcharter\tdecisions")
	for _, d := range days {
		note := strings.Join(d.Decisions, ", ")
		if d.Refused > 0 {
			note += fmt.Sprintf(" (%d refused)", d.Refused)
		}
		fmt.Fprintf(t, "%s\t%s\t%.4g\t%.4g\t%.4g\t%.4g\t%s\n", d.Day, d.Unit, d.Spent, d.Coming, d.Left, d.Cap, note)
	}
	_ = t.Flush() // to a terminal or a buffer
	fmt.Fprintln(w, "\nEpsilon per unit and day. Days add up: over a week one unit has lost up to the sum of seven.")
	if svg != "" {
		fmt.Fprintf(w, "Chart: %s\n", svg)
	}
}
