package main

import (
	"context"
	"os"
	"time"

	"sluice/gateway/crash"
)

// patience is how long a process may take to end after SIGINT or SIGTERM.
const patience = 5 * time.Second

// lastResort ends a process that does not, and says where it stands.
func lastResort() {
	time.Sleep(patience)
	_, _ = os.Stderr.WriteString("sluice: shutdown timed out; exiting now, as after kill -9. Please report these " +
		"stacks:\n" + crash.Stacks())
	os.Exit(exitStuck)
}

// interruptible does not wait for f once ctx has ended: a start reads and writes as if
// it could be killed at any time, so it can be left. It returns false then.
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
