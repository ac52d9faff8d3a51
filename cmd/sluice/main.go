// Sluice is a privacy-preserving gateway for a city's sensors: it releases what the council voted,
// and nothing else.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // minimal systems have no time zones of their own

	"golang.org/x/sys/unix"

	"sluice/gateway"
	"sluice/internal/crash"
)

func main() {
	enableClobberFree(os.Args)
	disableDumps()
	resetUmask(os.Args)
	putOffFirst(os.Args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends the process at once
		exitWhenStuck()
	})
	os.Exit(Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// enableClobberFree executes the same binary again, in this process, with a runtime that
// overwrites memory as it frees it; otherwise readings would stay there until the memory is
// used again. It also turns off preemption by signals: the kernel saves a thread's registers,
// which may hold a copy of a reading, on the signal stack, where they stay. Only GODEBUG can
// ask for both. The verbs that see readings need it; the others do not pay for it.
func enableClobberFree(args []string) {
	if !seesReadings(args) || strings.Contains(os.Getenv("GODEBUG"), clobberFree) {
		return
	}
	self, err := os.Executable()
	if err != nil {
		return // run without it
	}
	err = syscall.Exec(self, args, withClobberFree(os.Environ()))
	_, _ = os.Stderr.WriteString("sluice: memory that is freed will not be overwritten: " + err.Error() + "\n")
}

const clobberFree = "clobberfree=1,asyncpreemptoff=1"

// withClobberFree is an environment with that, beside what GODEBUG held. It holds GODEBUG once: of two,
// a program sees the first, and would execute itself again for ever.
func withClobberFree(environ []string) []string {
	setting := clobberFree
	environ = slices.DeleteFunc(environ, func(v string) bool {
		old, is := strings.CutPrefix(v, "GODEBUG=")
		if is && old != "" {
			setting = old + "," + setting
		}
		return is
	})
	return append(environ, "GODEBUG="+setting)
}

// seesReadings reports whether a command line is of a verb through which readings pass.
func seesReadings(args []string) bool {
	return len(args) > 1 && (args[1] == "gateway" || args[1] == "up") ||
		len(args) > 2 && args[1] == "sensor" && args[2] == "certify"
}

// resetUmask makes the verbs that write a state directory create files with exactly the modes
// they ask for, private or public (docs/operations.md), whatever umask they were started with.
// The other verbs respect the umask.
func resetUmask(args []string) {
	if len(args) > 1 && slices.Contains([]string{"gateway", "up", "ledger", "withdraw"}, args[1]) {
		syscall.Umask(0o022)
	}
}

// putOffFirst puts the first collection off in verbs that end: most do before it comes, and a quarter of
// their time went into collecting what little they had. Those that run on keep to little memory from the
// beginning, those that see readings free them early, and whoever sets GOGC is obeyed.
func putOffFirst(args []string) {
	if !runsOn(args) && !seesReadings(args) && os.Getenv("GOGC") == "" {
		putOffCollection(100)
	}
}

// putOffCollection has garbage be collected for the first time when the heap has 32 MB, where Go begins
// with 4, and from then on when it has grown by some percent.
func putOffCollection(then int) {
	debug.SetGCPercent(800)
	marker := new([64]byte) // garbage from here on, which the first collection finds
	runtime.AddCleanup(marker, func(percent int) { debug.SetGCPercent(percent) }, then)
}

// runsOn reports whether a command line is of a verb that serves others until it is stopped.
func runsOn(args []string) bool {
	servers := []string{"gateway", "opendata", "up", gateway.RulesVerb}
	return len(args) > 1 && slices.Contains(servers, args[1]) ||
		len(args) > 2 && args[1] == "policy" && args[2] == "studio"
}

// disableDumps keeps memory from being shown when the process dies: no core file, no values in
// the runtime's traces, and at SIGQUIT only the functions and lines of every goroutine.
func disableDumps() {
	log.SetOutput(io.Discard)                            // libraries log what peers send
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
