package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"

	"github.com/spf13/cobra"

	"sluice/brief"
	"sluice/gateway"
	"sluice/gateway/crash"
	"sluice/policy/rego"
)

// Exit codes; those of verbs that check something are in doctor.go.
const (
	exitDone    = 0
	exitUsage   = 2
	exitRefused = 3
	exitOurs    = 70
)

// Main runs one verb and returns its exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	// A panic may hold a reading, so only its place is shown.
	defer crash.Catch(func(e *crash.Error) {
		fmt.Fprintf(stderr, "sluice: %v\n", e)
		code = exitOurs
	})
	root := &cobra.Command{
		Use: "sluice", Short: "A privacy-preserving gateway for a city's sensors",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.AddCommand(upCommand(), gatewayCommand(), opendataCommand(), doctorCommand(), sensorCommand(), registerCommand(), policyCommand(), motionCommand(), ledgerCommand(), verifyCommand(), withdrawCommand(), versionCommand(), rulesCommand())
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var refusal *gateway.Refusal
	var usage *usageError
	if errors.As(err, &usage) || !started {
		fmt.Fprintf(stderr, "sluice: %s\n", retell(args, brief.Text(err.Error())+"; see sluice --help"))
		return exitUsage
	}
	fmt.Fprintf(stderr, "sluice: %s\n", retell(args, told(err)))
	var own *exit
	if errors.As(err, &own) {
		return own.code
	}
	if errors.As(err, &refusal) {
		return exitRefused
	}
	return exitOurs
}

// told is an error for a terminal: bounded, whatever a file or a server has put into
// it, and a bug of ours with all of its places.
func told(err error) string {
	var bug *crash.Error
	if errors.As(err, &bug) {
		return bug.Error()
	}
	return brief.Report(err.Error())
}

// usageError is a wrong use that only shows once a verb runs.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// logger writes text to stderr at a level by name.
func logger(stderr io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if level != "" {
		if err := l.UnmarshalText([]byte(level)); err != nil {
			return nil, &gateway.Refusal{Err: errors.New("log: level is one of debug, info, warn, error")}
		}
	}
	return brief.NewLogger(stderr, l), nil
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which version this is", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return errors.New("this binary does not know its version")
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "sluice %s, %s\n", info.Main.Version, info.GoVersion)
			return err
		},
	}
}

// rulesCommand evaluates the council's rules for a gateway that has started it.
func rulesCommand() *cobra.Command {
	return &cobra.Command{
		Use: gateway.RulesVerb, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return rego.Serve(cmd.InOrStdin(), cmd.OutOrStdout()) },
	}
}
