// Sluice is a privacy-preserving gateway for a city's sensors: what the council
// voted is what leaves, and nothing else.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // minimal systems have no time zones of their own

	"golang.org/x/sys/unix"

	"sluice/gateway/crash"
)

func main() {
	forgetFreed(os.Args)
	keepQuiet()
	ownModes(os.Args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends the process at once
		lastResort()
	})
	os.Exit(Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// forgetFreed starts the same binary again, in the same process, with a runtime
// that overwrites memory as it is freed: what readings were in is otherwise left as
// it is until it is used again. Nor may the runtime interrupt threads by signals: the
// kernel puts their registers, which a copy of a reading may be in, onto the stack of
// signals, where they stay. Only the runtime's own GODEBUG can ask for both. The parts
// that see readings need it; nothing else pays for it.
func forgetFreed(args []string) {
	const want = "clobberfree=1,asyncpreemptoff=1"
	if len(args) < 2 || args[1] != "gateway" && args[1] != "up" || strings.Contains(os.Getenv("GODEBUG"), want) {
		return
	}
	self, err := os.Executable()
	if err != nil {
		return // it runs on as it is
	}
	debug := strings.TrimPrefix(os.Getenv("GODEBUG")+","+want, ",")
	err = syscall.Exec(self, args, append(os.Environ(), "GODEBUG="+debug))
	_, _ = os.Stderr.WriteString("sluice: memory that is freed will not be overwritten: " + err.Error() + "\n")
}

// ownModes has the verbs that write a state directory give files the modes that
// they say, private or public (docs/operations.md), whatever umask they were started
// with. Elsewhere the umask is its owner's business.
func ownModes(args []string) {
	if len(args) > 1 && slices.Contains([]string{"gateway", "up", "ledger", "withdraw"}, args[1]) {
		syscall.Umask(0o022)
	}
}

// keepQuiet sees to it that no memory is shown when the process dies: no core
// file, no values in a trace of the runtime's own, and SIGQUIT says where every
// goroutine is and nothing else.
func keepQuiet() {
	log.SetOutput(io.Discard)                            // libraries write to it what peers have said
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // it is 0 already where this is refused
	debug.SetTraceback("none")
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT, syscall.SIGABRT)
	go func() {
		<-quit
		_, _ = os.Stderr.WriteString(crash.Stacks())
		os.Exit(exitBug)
	}()
}
