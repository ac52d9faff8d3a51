package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// group makes a verb that only has subcommands; alone it prints its help.
func group(c *cobra.Command, verbs ...*cobra.Command) *cobra.Command {
	c.Args, c.RunE = knownCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	c.SuggestionsMinimumDistance = 2 // letters that may be wrong
	c.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		// Report a misspelt verb before the flags that it would have.
		return firstError(knownCommand(cmd, cmd.Flags().Args()), err)
	})
	c.AddCommand(verbs...)
	return c
}

// knownCommand refuses an unknown subcommand and suggests similar ones.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 || !cmd.HasSubCommands() {
		return nil
	}
	text := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += fmt.Sprintf("; did you mean %s?", strings.Join(near, ", "))
	}
	return errors.New(text)
}

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// between refuses fewer than low arguments, and more than high unless high is negative. The error
// shows how the verb is used.
func between(low, high int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		usage := strings.TrimSuffix(cmd.UseLine(), " [flags]")
		switch {
		case len(args) < low:
			return fmt.Errorf("too few arguments: %s", usage)
		case high >= 0 && len(args) > high:
			return fmt.Errorf("too many arguments: %s", usage)
		}
		return nil
	}
}
