package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"sluice/brief"
	"sluice/gateway"
	"sluice/gateway/config"
	"sluice/internal/crash"
	"sluice/policy/rego"
)

// Exit codes, as docs/operations.md lists them.
const (
	exitDone = 0
	// exitFailed: a check found problems, or the request cannot be carried out.
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
	// exitUnreachable: a broker, a store or a server does not answer.
	exitUnreachable = 4
	// exitBug: a panic, or an unexpected error.
	exitBug = 70
	// exitStuck: the process did not shut down in time. As with kill -9, nothing that was
	// acknowledged is lost.
	exitStuck = 75
)

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// usageError is a misuse that is found only once the verb runs.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// failed gives an error the exit code of a failed check, unless it is a refused configuration.
func failed(err error) error {
	var refusal *config.Refusal
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return &exitError{exitFailed, err.Error()}
}

func unreachable(err error) error { return &exitError{exitUnreachable, err.Error()} }

// terminalText is an error as a terminal shows it: bounded, since files and servers write into
// errors. A bug of ours keeps all of its stack.
func terminalText(err error) string {
	var bug *crash.Error
	if errors.As(err, &bug) {
		return bug.Error()
	}
	return brief.Report(err.Error())
}

// logger logs text to stderr, from the named level on.
func logger(stderr io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if level != "" {
		if err := l.UnmarshalText([]byte(level)); err != nil {
			return nil, &config.Refusal{Err: errors.New("log: level is one of debug, info, warn, error")}
		}
	}
	return brief.NewLogger(stderr, l), nil
}

// withRules runs f with the council's rules in a child process, as gateways run them: a draft's
// rules are not trusted.
func withRules(f func(rules *rego.Child) error) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	rules := rego.NewChild(self, gateway.RulesVerb)
	defer rules.Close()
	return f(rules)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(v)
}

// quiet has the library draw a bar of unknown length only when it moves: what it draws beside that
// races with it.
var quiet = progressbar.OptionSetSpinnerChangeInterval(0)

// progress returns a progress bar; it stays silent unless w is a terminal.
func progress(w io.Writer, total int, what string) *progressbar.ProgressBar {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
				progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish(), quiet)
		}
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(io.Discard), quiet)
}

// openGateway opens the gateway of a configuration file; it logs to stderr.
func openGateway(cmd *cobra.Command, file string) (*gateway.Gateway, *slog.Logger, error) {
	cfg, err := readConfig(file)
	if err != nil {
		return nil, nil, err
	}
	log, err := logger(cmd.ErrOrStderr(), cfg.Log.Level)
	if err != nil {
		return nil, nil, err
	}
	g, err := gateway.Open(cmd.Context(), cfg, log)
	return g, log, err
}

// readConfig reads gateway.yaml.
func readConfig(file string) (config.Config, error) {
	cfg, err := config.Read(file)
	return cfg, nameConfig(file, err)
}

// nameConfig adds to the error of a missing configuration how to name one.
func nameConfig(file string, err error) error {
	if _, missing := os.Stat(file); err == nil || !errors.Is(missing, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w; name the configuration with -c FILE", err)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// counted is a number of things in English, with the words that follow one and several.
func counted(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// version is the version of the program and of Go, as they were built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "sluice, of an unknown version"
	}
	return fmt.Sprintf("sluice %s, %s", info.Main.Version, info.GoVersion)
}
