package main

import (
	"fmt"
	"time"
)

// clockJumps has the clock jump: back by up to two days, ahead to the last second before
// the hour's windows close, and over some hours in which nobody was. A third of the time
// the gateway is killed on it.
func clockJumps(t *trial) {
	t.worlds(t.listening, func(w *world) error {
		when := w.rnd.IntN(4)
		err := w.play(func(part int) error {
			if part != when {
				return nil
			}
			if err := w.settled(); err != nil {
				return err
			}
			to := start(w.hour + 1).Add(2*time.Minute - time.Second)
			if w.rnd.IntN(2) == 0 {
				to = start(w.hour).Add(-time.Duration(w.rnd.IntN(48*60)) * time.Minute)
			}
			w.tick(to)
			if w.rnd.IntN(3) > 0 {
				return nil
			}
			w.Trials++
			return w.crash()
		})
		if err != nil || w.rnd.IntN(2) == 0 {
			return err
		}
		return w.leap(min(w.rnd.IntN(4), epoch-w.hour))
	})
}

// leap moves the clock over some hours at once. Nobody was in them, and no more is said.
func (w *world) leap(hours int) error {
	if hours == 0 {
		return nil
	}
	w.Trials++
	first := w.hour
	w.hour += hours - 1
	if err := w.closeHour(); err != nil {
		return fmt.Errorf("after a leap of %d hours: %w", hours, err)
	}
	for h := first; h < w.hour-1; h++ {
		w.check(h)
	}
	return nil
}
