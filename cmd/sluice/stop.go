package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"sluice/internal/crash"
)

// shutdownTimeout is how long a shutdown may take after SIGINT or SIGTERM.
const shutdownTimeout = 5 * time.Second

// exitWhenStuck ends a process that has not shut down in time, and prints its stacks.
func exitWhenStuck() {
	time.Sleep(shutdownTimeout)
	_, _ = os.Stderr.WriteString("sluice: shutdown timed out; exiting now, as after kill -9. Please report these " +
		"stacks:\n" + crash.Stacks())
	os.Exit(exitStuck)
}

// endAtHangup makes a SIGTERM of each SIGHUP, for what reads nothing anew then: when its terminal closes, what it has
// made for itself goes with it. Under nohup(1) it stays. The function that is returned undoes it.
func endAtHangup() (undo func()) {
	if signal.Ignored(syscall.SIGHUP) {
		return func() {}
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			_ = syscall.Kill(os.Getpid(), syscall.SIGTERM) // to itself it is always allowed
		}
	}()
	return func() { signal.Stop(hangups); close(hangups) }
}

// interruptible runs f, but stops waiting for it, and returns false, once ctx has ended. A start
// can be abandoned: it reads and writes as if it could be killed at any time.
func interruptible(ctx context.Context, f func() error) (bool, error) {
	ended := make(chan error, 1)
	go func() { ended <- crash.Guard(f) }()
	select {
	case err := <-ended:
		if err != nil && ctx.Err() != nil {
			return false, nil // it was called off
		}
		return true, err
	case <-ctx.Done():
		return false, nil
	}
}
