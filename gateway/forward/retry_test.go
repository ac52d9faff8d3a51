package forward

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/gateway/ledger"
	"sluice/store"
)

// moody is a store that fails for reasons, each for some attempts, and works then.
type moody struct {
	reasons []string
	at      []time.Duration // of the attempts, since the first
	begun   time.Time
	last    func() // called when all reasons are used up
	took    func() // called when it takes something
}

func (m *moody) Write(context.Context, []store.Observation) error {
	if m.begun.IsZero() {
		m.begun = time.Now()
	}
	m.at = append(m.at, time.Since(m.begun))
	if n := len(m.at); n <= len(m.reasons) {
		if n == len(m.reasons) && m.last != nil {
			m.last()
		}
		return errors.New(m.reasons[n-1])
	}
	if m.took != nil {
		m.took()
	}
	return nil
}

// late is an outbox that is empty once, and gets another parcel then.
type late struct {
	*box
	empty int // times that it was looked into and was
}

func (l *late) Next(ctx context.Context, n int) ([]ledger.Parcel, error) {
	if len(l.parcels) == 0 {
		if l.empty++; l.empty == 2 {
			l.parcels = filled(2, 1).parcels[1:]
		}
	}
	return l.box.Next(ctx, n)
}

// TestStoreIsTriedAgain: a store that fails is tried again after pauses that double up to
// half a minute; each reason is logged once while it lasts, and once that it is over. The
// pauses of the next failure begin anew.
func TestStoreIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s, logged := &moody{reasons: []string{"away", "away", "full", "full", "away", "away", "away", "away", "away",
			"away", "away"}}, new(bytes.Buffer)
		b := &late{box: filled(1, 1)}
		var spells [][]time.Duration
		s.took = func() {
			spells = append(spells, s.at)
			s.reasons, s.at, s.begun = []string{"away", "away"}, nil, time.Time{}
		}
		done := make(chan error, 1)
		go func() { done <- New(b, s, slog.New(slog.NewTextHandler(logged, nil))).Run(ctx) }()
		time.Sleep(10 * time.Minute)
		cancel()
		if err := <-done; err != nil || len(b.parcels) > 0 || len(spells) != 2 || len(spells[0]) != 12 ||
			len(spells[1]) != 3 {
			t.Fatalf("%v; %d parcels wait; tried at %v", err, len(b.parcels), spells)
		}
		for _, spell := range spells {
			pause, want := 100*time.Millisecond, time.Duration(0)
			for i, at := range spell {
				if at != want {
					t.Errorf("attempt %d is %v after the first; want %v", i+1, at, want)
				}
				want, pause = want+pause, min(2*pause, 30*time.Second)
			}
		}
		if n := strings.Count(logged.String(), "does not take releases"); n != 4 {
			t.Errorf("it is logged %d times that the store fails; it begins to four times\n%s", n, logged)
		}
		if n := strings.Count(logged.String(), "takes releases again"); n != 2 {
			t.Errorf("it is logged %d times that the store works again", n)
		}
	})
}

// TestStopWhileStoreFails: a gateway that stops while its store fails does not log that the
// store works again.
func TestStopWhileStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s, logged := &moody{reasons: []string{"away", "away", "away", "away"}, last: cancel}, new(bytes.Buffer)
		if err := New(filled(1, 1), s, slog.New(slog.NewTextHandler(logged, nil))).Run(ctx); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(logged.String(), "again\"\n") {
			t.Errorf("it is logged that the store works again:\n%s", logged)
		}
	})
}
