// Sluice is a privacy-preserving gateway for a city's sensors: what the council
// voted is what leaves, and nothing else.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // minimal systems have no time zones of their own

	"golang.org/x/sys/unix"

	"sluice/gateway/crash"
)

func main() {
	keepQuiet()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// keepQuiet sees to it that no memory is shown when the process dies: no core
// file, no values in a trace of the runtime's own, and SIGQUIT says where every
// goroutine is and nothing else.
func keepQuiet() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // it is 0 already where this is refused
	debug.SetTraceback("none")
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT, syscall.SIGABRT)
	go func() {
		<-quit
		_, _ = os.Stderr.WriteString(crash.Stacks())
		os.Exit(exitOurs)
	}()
}
