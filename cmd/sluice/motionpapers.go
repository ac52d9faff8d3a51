package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/policy/explain"
	"sluice/policy/papers"
	"sluice/policy/workspace"
)

// paper is a verb that writes one of a motion's papers.
type paper struct {
	use, short, long string
	write            func(p *papers.Papers, l explain.Lang) ([]byte, error)
	page             bool // HTML, which can be printed
}

// command is the verb, which prints the paper or writes it to a file.
func (k paper) command(dir *string) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   k.use + " ID",
		Short: k.short,
		Args:  between(1, 1),
		Long:  k.long + "\nPrints it, or writes it to --out FILE.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			p, err := papers.Open(workspace.Dir(*dir), args[0], time.Now())
			if err != nil {
				return failed(err)
			}
			raw, err := k.write(p, v.Lang)
			if err != nil {
				return failed(err)
			}
			if out == "" {
				_, err = cmd.OutOrStdout().Write(raw)
				return err
			}
			if k.page && strings.EqualFold(filepath.Ext(out), ".pdf") {
				if raw, err = printed(cmd.Context(), v, raw); err != nil {
					return failed(err)
				}
			}
			if err := os.WriteFile(out, raw, 0o644); err != nil {
				return failed(err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), v.Say("Written: %s", out))
			return nil
		},
	}
	what := "file to write (default: print it)"
	if k.page {
		what = "file to write (default: print it); FILE.pdf has chromium or Google Chrome make a PDF"
	}
	c.Flags().StringVar(&out, "out", "", what)
	return c
}

// motionPapers are the verbs for what goes with a motion.
func motionPapers(dir *string) []*cobra.Command {
	var session string
	minutes := paper{"minutes", "Write the minutes of the vote on a motion",
		"An HTML file for the record: the quorum, who was for it, against it and abstained, with which keys and\n" +
			"why, what it changes, and what has become of it, as of now.",
		func(p *papers.Papers, l explain.Lang) ([]byte, error) { return p.Minutes(l, session) }, true,
	}.command(dir)
	minutes.Flags().StringVar(&session, "session", "",
		"how the council names its session, e.g. \"Plenary 2026/12, item 4\"")
	return []*cobra.Command{minutes,
		paper{"page", "Write a motion as one page of summary, with the text behind it",
			"An HTML file that needs no other and prints on A4, for members and for the notice board: what is\n" +
				"decided, how the vote stands, and the text that members sign.",
			(*papers.Papers).Page, true}.command(dir),
		paper{"mail", "Write the letter that asks members to vote on a motion",
			"Text: a subject, who has not voted yet, the summary, and the exact lines to sign. Send motion.txt with\n" +
				"it.",
			func(p *papers.Papers, l explain.Lang) ([]byte, error) { return p.Mail(l), nil }, false}.command(dir),
		paper{"calendar", "Write the days that follow from a motion as a calendar file",
			"iCalendar (RFC 5545): the end of the notice, the last day to enact, and of each decision the review\n" +
				"and the last day, with reminders. The same day has the same identifier each time.",
			func(p *papers.Papers, l explain.Lang) ([]byte, error) { return p.Calendar(l), nil }, false}.command(dir),
	}
}
