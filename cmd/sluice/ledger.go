package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sluice/books"
	"sluice/brief"
	"sluice/proof"
)

func ledgerCommand() *cobra.Command {
	c := &cobra.Command{Use: "ledger", Short: "The privacy budget: what was spent, and whether the books are right"}
	c.AddCommand(ledgerShowCommand(), ledgerVerifyCommand(), ledgerRecoverCommand(), ledgerAsideCommand())
	return c
}

// openBooks finds public books: a state directory, its public/ directory, a copy
// of that, or the URL of an open-data server or of a copy.
func openBooks(where string) (books.Reader, error) {
	if strings.Contains(where, "://") {
		u, err := url.Parse(where)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return books.Reader{}, &usageError{"the books are a directory, or a URL such as https://data.example"}
		}
		return books.Reader{Source: books.NewMirror(booksBase(where))}, nil
	}
	if info, err := os.Stat(filepath.Join(where, "public")); err == nil && info.IsDir() {
		where = filepath.Join(where, "public")
	}
	r := books.Reader{Source: books.Dir(where)}
	if _, err := r.Source.Get("city.json"); err != nil {
		return r, &exit{exitWrong, fmt.Sprintf("there are no public books in %s: %v; name a gateway's state directory, its public/ directory, or a URL", where, err)}
	}
	return r, nil
}

func ledgerShowCommand() *cobra.Command {
	var svg string
	var asJSON bool
	var ahead int
	c := &cobra.Command{
		Use: "show BOOKS...", Short: "Show the budget of each day: spent, left, and what is coming", Args: cobra.MinimumNArgs(1),
		Long: "BOOKS is a gateway's state directory, its public/ directory, a copy of that, or the URL of an open-data server.\n" +
			"Where a city has several gateways, name each one's, or the server that has all.",
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := openAll(args)
			if err != nil {
				return err
			}
			days, err := proof.Days(joint(all), ahead)
			if err != nil {
				return away(err)
			}
			if svg != "" {
				if err := os.WriteFile(svg, []byte(proof.Chart(days)), 0o644); err != nil {
					return wrong(err)
				}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]any{"days": days})
			}
			showDays(cmd.OutOrStdout(), days, svg)
			return nil
		},
	}
	c.Flags().StringVar(&svg, "svg", "", "file for a chart")
	c.Flags().IntVar(&ahead, "ahead", 7, "days to look ahead")
	c.Flags().BoolVar(&asJSON, "json", false, "print the days as JSON")
	return c
}

func showDays(w io.Writer, days []proof.Day, svg string) {
	if len(days) == 0 {
		fmt.Fprintln(w, "Nothing has been spent: no stream about anybody has released a window yet.")
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
		fmt.Fprintf(w, "Drawn: %s\n", svg)
	}
}

func ledgerVerifyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "verify BOOKS...", Short: "Compute everything in the public books again", Args: cobra.MinimumNArgs(1),
		Long: "BOOKS are as for show. Both chains are followed, every day is added up, every plan's cost and noise is\n" +
			"computed again. docs/release.md has the formats. Exit code 1 when something is wrong.",
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := openAll(args)
			if err != nil {
				return err
			}
			report, err := proof.CheckBooks(all)
			if err != nil {
				return away(err)
			}
			return showReport(cmd.OutOrStdout(), report, asJSON, false)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}

func verifyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "verify URL", Short: "Check everything that an open-data server shows against its public books", Args: cobra.ExactArgs(1),
		Long: "Like ledger verify, and every number that is shown is compared with the digest that its window was\n" +
			"released under and with the noise that its plan asks for. Where a city has several gateways, the books of\n" +
			"all that the server names are checked. Exit codes: 0 right, 1 wrong, 4 out of reach.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !strings.Contains(args[0], "://") {
				return &usageError{"verify needs a URL such as https://data.example; for files there is sluice ledger verify"}
			}
			if _, err := openBooks(args[0]); err != nil {
				return err
			}
			server, _, _ := strings.Cut(args[0], gatewaysPath) // what it shows is all gateways'
			all, err := openServer(server)
			if err != nil {
				return err
			}
			windows := 0
			for _, r := range all {
				releases, err := r.Releases()
				if err != nil {
					return away(err)
				}
				windows += len(releases)
			}
			bar := progress(cmd.ErrOrStderr(), windows, "comparing windows")
			report, err := proof.CheckAll(cmd.Context(), all, newRemote(server), func(n, _ int) { _ = bar.Set(n) })
			_ = bar.Finish()
			if err != nil {
				return away(err)
			}
			return showReport(cmd.OutOrStdout(), report, asJSON, true)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}

func away(err error) error { return &exit{exitAway, err.Error()} }

func showReport(w io.Writer, r *proof.Report, asJSON, shown bool) error {
	if asJSON {
		if r.Problems == nil {
			r.Problems = []string{} // a list, for programs
		}
		if err := printJSON(w, r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(w, "%d lines of budget, %d released windows, %d plans\n", r.Lines, r.Releases, r.Plans)
		if shown {
			fmt.Fprintf(w, "%d numbers compared with what was released; %d windows withdrawn in part or whole\n", r.Observations, r.Withdrawn)
		}
		if r.Gateways > 0 {
			fmt.Fprintf(w, "%d gateways, each with books of its own\n", r.Gateways)
		}
		if len(r.Elsewhere) > 0 {
			fmt.Fprintf(w, "zones.geojson gives zones to %s as well, whose books are not here: nothing is said about their numbers\n", brief.Text(strings.Join(r.Elsewhere, ", ")))
		}
		if len(r.Charters) > 0 {
			fmt.Fprintf(w, "the gateways' charters differ (%s): one has not taken the last motion yet, or it was not for all\n", brief.Text(strings.Join(r.Charters, ", ")))
		}
		if r.Lost > 0 {
			fmt.Fprintf(w, "%d released windows are not shown: the store has lost them, as gaps.jsonl says\n", r.Lost)
		}
		if r.Removed > 0 {
			fmt.Fprintf(w, "%d released windows are not shown: they were removed as their decision says, and removals.jsonl has it\n", r.Removed)
		}
		if r.Unchecked > 0 {
			fmt.Fprintf(w, "%d removals were under earlier words of a decision, which these books do not have\n", r.Unchecked)
		}
		for _, p := range r.Problems {
			fmt.Fprintln(w, "WRONG:", brief.Text(p)) // books are anybody's
		}
	}
	if len(r.Problems) > 0 {
		return &exit{exitWrong, fmt.Sprintf("%d things are wrong", len(r.Problems))}
	}
	switch {
	case asJSON:
	case r.Lines+r.Releases+r.Observations == 0:
		fmt.Fprintln(w, "Nothing has been released yet, so there is nothing to compare.")
	default:
		fmt.Fprintln(w, "Everything adds up.")
	}
	return nil
}

func ledgerRecoverCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "recover -c FILE", Short: "Make a state directory fit to go on that was put back from a backup", Args: cobra.NoArgs,
		Long: "A gateway whose state directory is older than what was released already, or whose ledger is gone, releases\n" +
			"nothing. With the gateway stopped, this takes over what copies of the books (public/, witness) still have, and closes every stream\n" +
			"until the first midnight after now and after its last release. Nothing is released twice.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			g, _, err := openGateway(cmd, file)
			if err != nil {
				return err
			}
			found, err := g.Recover(cmd.Context())
			if err = errors.Join(err, g.Close()); err != nil {
				return wrong(err)
			}
			w := cmd.OutOrStdout()
			if found.Gone > 0 {
				fmt.Fprintf(w, "%d windows that were released are not in the store any more; the public gaps say so (store_lost).\n", found.Gone)
			}
			if found.Behind == "" && found.Gone > 0 {
				return nil
			}
			if found.Behind == "" {
				fmt.Fprintln(w, "This state directory is the latest, as far as the keys' directory, the store and the copies of the books know. Nothing was changed.")
				return nil
			}
			fmt.Fprintf(w, "Found: %s\n%d lines were taken over from copies of the books.\n", found.Behind, found.Lines)
			for _, broken := range found.Broken {
				fmt.Fprintf(w, "A copy of the books is damaged, and was taken over up to there: %v\n", broken)
			}
			if found.Lost > 0 {
				fmt.Fprintf(w, "%d lines that were written before are in no copy. Put a mirror's copy of the public books at witness: and begin again from the backup, or go on: mirrors will see another book from there on.\n", found.Lost)
			}
			ids := make([]string, 0, len(found.Until))
			for id := range found.Until {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			for _, id := range ids {
				fmt.Fprintf(w, "%s is silent until %s.\n", id, found.Until[id].Format(time.RFC3339))
			}
			fmt.Fprintln(w, "Start the gateway again.")
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "gateway.yaml", "configuration file of the gateway")
	return c
}
