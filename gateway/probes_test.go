package gateway

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/gateway/forward"
	"sluice/gateway/ledger"
	"sluice/gateway/reconcile"
	"sluice/store"
)

// TestAReleaseThatHangs is said, also where it fails with nothing.
func TestAReleaseThatHangs(t *testing.T) {
	r := new(releaser)
	r.closes(time.Now())
	if said := r.problem(); said != "" {
		t.Errorf("at once it says %q", said)
	}
	r.closes(time.Now().Add(-slowRelease - time.Second))
	if said := r.problem(); !strings.Contains(said, "has taken 31s") {
		t.Errorf("after half a minute it says %q", said)
	}
	r.closes(time.Time{})
	if said := r.problem(); said != "" {
		t.Errorf("it is over, and it says %q", said)
	}
}

// TestADeliveryThatHangs is said, and is over when it is.
func TestADeliveryThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slowStoreOf(make(chan struct{}))
		g := &Gateway{speaker: &speaker{compare: new(reconcile.Reconciler),
			forward: forward.New(oneParcel{}, s, slog.New(slog.DiscardHandler))}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = g.forward.Run(ctx) }()
		time.Sleep(slowStore + time.Second)
		if said := g.storeCheck(); !strings.Contains(said, "the store has not answered for 31s") {
			t.Errorf("it says %q", said)
		}
		close(s)
		synctest.Wait()
		if said := g.storeCheck(); strings.Contains(said, "not answered") {
			t.Errorf("it answers, and it says %q", said)
		}
		cancel()
		<-ended
	})
}

type slowStoreOf chan struct{}

func (s slowStoreOf) Write(context.Context, []store.Observation) error {
	<-s
	return errors.ErrUnsupported
}

type oneParcel struct{}

func (oneParcel) Next(context.Context, int) ([]ledger.Parcel, error) {
	return []ledger.Parcel{{Seq: 1}}, nil
}
func (oneParcel) Delivered(context.Context, int64) error { return nil }
func (oneParcel) SetAside(context.Context, int64, [][]store.Observation, string) error {
	return nil
}
func (oneParcel) Changed() <-chan struct{} { return nil }
