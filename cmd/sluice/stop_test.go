package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"sluice/internal/crash"
)

// TestInterruptible: a start that does not come to an end is left; what it comes to
// otherwise is kept.
func TestInterruptible(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	wrong := errors.New("wrong")
	if going, err := interruptible(ctx, func() error { return wrong }); !going || !errors.Is(err, wrong) {
		t.Errorf("an error comes back as %v, %v", going, err)
	}
	var bug *crash.Error
	if going, err := interruptible(ctx, func() error { panic("x") }); !going || !errors.As(err, &bug) {
		t.Errorf("a panic comes back as %v, %v", going, err)
	}
	time.AfterFunc(10*time.Millisecond, cancel)
	if going, err := interruptible(ctx, func() error { select {} }); going || err != nil {
		t.Errorf("a start that hangs comes back as %v, %v", going, err)
	}
	if going, err := interruptible(ctx, func() error { return ctx.Err() }); going || err != nil {
		t.Errorf("a start that was called off comes back as %v, %v", going, err)
	}
}
