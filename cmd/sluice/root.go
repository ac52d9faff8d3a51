package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"sluice/brief"
	"sluice/gateway/config"
	"sluice/internal/crash"
)

// Main runs one verb and returns its exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	// A panic may hold a reading, so only its stack is shown.
	defer crash.Catch(func(e *crash.Error) {
		fmt.Fprintf(stderr, "sluice: %v\n", e)
		code = exitBug
	})
	root := group(&cobra.Command{
		Use: "sluice", Short: "A privacy-preserving gateway for a city's sensors", Version: version(),
		SilenceUsage: true, SilenceErrors: true,
	}, upCommand(), gatewayCommand(), opendataCommand(), doctorCommand(), sensorCommand(), registerCommand(),
		policyCommand(), motionCommand(), clusterCommand(),
		ledgerCommand(), verifyCommand(), withdrawCommand(), versionCommand(), rulesCommand())
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	verb, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	var refusal *config.Refusal
	var usage *usageError
	if errors.As(err, &usage) || !started {
		text := brief.Text(err.Error()) + "; see " + verb.CommandPath() + " --help"
		fmt.Fprintf(stderr, "sluice: %s\n", translateError(args, text))
		return exitUsage
	}
	fmt.Fprintf(stderr, "sluice: %s\n", translateError(args, terminalText(err)))
	var own *exitError
	if errors.As(err, &own) {
		return own.code
	}
	if errors.As(err, &refusal) {
		return exitRefused
	}
	return exitBug
}
