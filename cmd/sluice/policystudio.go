package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/policy/explain"
	"sluice/policy/rego"
	"sluice/simulate"
	"sluice/studio"
)

func policyStudio() *cobra.Command {
	var language, addr string
	var inboxes []string
	c := &cobra.Command{
		Use:   "studio [DIR]",
		Short: "Draft decisions in a browser, on a page of this computer",
		Args:  between(0, 1),
		Long: "Prints the address of a page in which the decisions of DIR are written, checked, read as residents\n" +
			"will read them, and voted. It works on the files of DIR and on no others but --inbox, and only this\n" +
			"computer can open it. The address has a secret, another at each start. Runs until SIGINT or SIGTERM.\n\n" +
			"If DIR is empty, or not there, the page founds a town in it: charter, council and ground.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			return withRules(func(rules *rego.Child) error {
				s, err := studio.Open(studio.Options{Dir: dirArg(args), Addr: addr, Lang: v.Lang, Rules: rules,
					Now: time.Now, Inboxes: inboxes, Kinds: exampleFile(v, "kinds.yaml"),
					Speech: func(l explain.Lang) simulate.Speech { return newLocale(l) }})
				if err != nil {
					return &config.Refusal{Err: err}
				}
				if err := inboxesThere(v, inboxes, s.Founding()); err != nil {
					return errors.Join(err, s.Close())
				}
				fmt.Fprintln(cmd.OutOrStdout(), s.Address())
				switch {
				case s.Made():
					fmt.Fprintln(cmd.ErrOrStderr(), v.Say(
						"%s was not there, and is made; the page founds a town in it.", dirArg(args)))
				case s.Founding():
					fmt.Fprintln(cmd.ErrOrStderr(), v.Say("%s is empty; the page founds a town in it.", dirArg(args)))
				}
				fmt.Fprintln(cmd.ErrOrStderr(), v.Say(
					"Open this address in a browser of this computer; end with Ctrl-C."))
				return s.Run(cmd.Context())
			})
		},
	}
	langFlag(c, &language)
	c.Flags().StringSliceVar(&inboxes, "inbox", nil,
		"directory that gateways watch, for a copy of what is enacted on the page; may be repeated")
	c.Flags().StringVar(&addr, "http", "127.0.0.1:0", "where to listen, on this computer only: 127.0.0.1:PORT")
	return c
}

// inboxesThere refuses an inbox that is no directory, since gateways watch no other. A town that is
// founded has no gateway yet, and gets its inbox made.
func inboxesThere(v locale, inboxes []string, founding bool) error {
	for _, inbox := range inboxes {
		if founding {
			if err := os.MkdirAll(inbox, 0o755); err != nil {
				return &config.Refusal{Err: err}
			}
		}
		if is, err := os.Stat(inbox); err != nil || !is.IsDir() {
			return &config.Refusal{Err: errors.New(v.Say("--inbox: there is no directory %s; give the one "+
				"that policy.inbox of the gateways' gateway.yaml says", inbox))}
		}
	}
	return nil
}
