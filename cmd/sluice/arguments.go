package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// group is a verb that only has others under it: alone it prints its help.
func group(c *cobra.Command, verbs ...*cobra.Command) *cobra.Command {
	c.Args, c.RunE = knownCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	c.SuggestionsMinimumDistance = 2 // letters that may be wrong
	c.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		// A misspelt verb is said before the flags that it would have.
		return firstError(knownCommand(cmd, cmd.Flags().Args()), err)
	})
	c.AddCommand(verbs...)
	return c
}

// knownCommand refuses what is none of a group's verbs, and names the one that is meant.
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

// between refuses fewer arguments than least, and more than most where most is not
// negative, and shows how the verb is used.
func between(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		usage := strings.TrimSuffix(cmd.UseLine(), " [flags]")
		switch {
		case len(args) < least:
			return fmt.Errorf("too few arguments: %s", usage)
		case most >= 0 && len(args) > most:
			return fmt.Errorf("too many arguments: %s", usage)
		}
		return nil
	}
}
