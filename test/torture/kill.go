package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// worlds runs hours in worlds of their own until time is over, and one at least. Each
// hour may do harm while it is played; prepare makes a world, and nil ends the phase.
func (t *trial) worlds(prepare func(seed uint64) (*world, error), hour func(w *world) error) {
	for n := uint64(0); t.goesOn(n, t.row.Trials); n++ {
		w, err := prepare(t.seed*100 + n)
		if err != nil {
			t.row.wrong("a world cannot begin: %v", err)
			t.say("%v", err)
			if w != nil {
				t.add(w)
			}
			return
		}
		for w.hour < epoch && t.goesOn(n, t.row.Trials+w.Trials) {
			w.Trials++
			err := hour(w)
			t.count.saw(w.verdicts)
			if err != nil {
				w.wrong("%v", err)
				break
			}
			if w.hour%4 == 0 {
				w.copies()
			}
		}
		w.copies()
		if w.Wrong+w.Lost == 0 {
			w.verify()
		}
		t.add(w)
	}
}

// listening makes a world whose gateway is the broker.
func (t *trial) listening(seed uint64) (*world, error) {
	w, err := found(t.h, seed, "", "")
	if err != nil {
		return w, err
	}
	return w, w.open()
}

// play is an hour: readings, small ticks and devices; some of the devices have
// been seen before in the epoch. Between is called some times in it.
func (w *world) play(between func(part int) error) error {
	const parts = 4
	for part := range parts {
		if err := w.settled(); err != nil {
			return err
		}
		w.tick(start(w.hour).Add(time.Duration(part+1) * 15 * time.Minute)) // nothing is ahead of the clock
		w.publish(40, float64(part)/parts, float64(part+1)/parts)
		switch part {
		case 0:
			w.devices(w.hour*40, w.hour*40+40, false)
		case 1:
			// Nobody was in an hour that the clock leapt over; what came before a suspension has
			// counted, and after it has not.
			if w.units[w.hour-1].fresh > 0 && !w.hush[w.hour-1] {
				w.devices((w.hour-1)*40, (w.hour-1)*40+30, true)
			}
		}
		if err := between(part); err != nil {
			return err
		}
	}
	return w.closeHour()
}

// crash kills the gateway and starts it again, a third of the time to kill it
// once more while it starts.
func (w *world) crash() error {
	w.kill()
	w.watch()
	if err := w.spawn(); err != nil {
		return err
	}
	if w.rnd.IntN(3) == 0 {
		time.Sleep(time.Duration(w.rnd.IntN(600)) * time.Millisecond)
		return w.crash()
	}
	return nil
}

// kills kills at random instants, start-up included.
func kills(t *trial) {
	t.worlds(t.listening, (*world).amidKills)
}

// amidKills is an hour with a kill at some random instants.
func (w *world) amidKills() error {
	return w.play(func(int) error {
		time.Sleep(time.Duration(w.rnd.IntN(60)) * time.Millisecond)
		if w.rnd.IntN(3) > 0 {
			return nil
		}
		w.Trials++
		return w.crash()
	})
}

// singles fires each failpoint once, in an order that the seed gives.
func singles(t *trial) {
	points := kinds(t.h.points)
	next := 0
	w, err := t.listening(t.seed)
	if err != nil {
		t.row.wrong("%v", err)
		return
	}
	w.rnd.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	t.add(w)
	t.worlds(t.listening, func(w *world) error {
		if next == len(points) {
			next = 0
		}
		point := points[next]
		next++
		return w.under(fmt.Sprintf("%s|%d", point, 1+w.rnd.IntN(2)))
	})
}

// pairs fires two at a time.
func pairs(t *trial) {
	points := kinds(t.h.points)
	t.worlds(t.listening, func(w *world) error {
		pick := func() string { return fmt.Sprintf("%s|%d", points[w.rnd.IntN(len(points))], 1+w.rnd.IntN(4)) }
		return w.under(pick(), pick())
	})
}

// kinds gives each point all that can happen there. After a step that gives a
// value there is no error.
func kinds(points []string) (out []string) {
	for _, p := range points {
		out = append(out, p+"|kill")
		if strings.HasSuffix(p, ":before") {
			out = append(out, p+"|eio", p+"|enospc")
		}
	}
	for i, p := range points {
		if i%4 == 0 {
			out = append(out, p+"|stall")
		}
	}
	slices.Sort(out)
	return out
}

// under plays an hour with faults armed from the gateway's next start on; a
// gateway that a fault has ended is started again without.
func (w *world) under(faults ...string) error {
	w.kill()
	w.watch()
	if err := w.spawn(faults...); err != nil {
		return err
	}
	w.up(w.patience)
	if err := w.play(func(int) error { return nil }); err != nil {
		return fmt.Errorf("under %s: %w", strings.Join(faults, " and "), err)
	}
	if len(w.notes) > 0 && !strings.HasPrefix(w.notes[len(w.notes)-1], "under ") {
		w.note("under %s", strings.Join(faults, " and "))
	}
	return nil
}
