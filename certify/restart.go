package certify

import (
	"context"
	"time"

	"sluice/certify/tap"
)

// restarted is what is seen after the device has lost its power.
type restarted struct {
	before map[uint64]uint64 // the highest seq of each boot
	boot   uint64            // of the last reading
	anew   int               // readings with another boot
	on     int               // readings whose seq goes on
	wrong  int               // readings whose seq began again while boot stayed
	bare   int               // readings without seq
}

// reset has the device restart: its boot must change or its seq go on, so that nothing new is taken for
// a repetition.
func (r *run) reset(ctx context.Context) {
	if r.rec.unread == r.rec.messages {
		r.untried("reset", unknownForm)
		return
	}
	s := restarted{before: make(map[uint64]uint64), boot: r.rec.boot}
	for boot, seen := range r.rec.boots {
		s.before[boot], _ = seen.high()
	}
	entries := r.rec.entries
	if err := r.o.Hand.Restart(ctx); err != nil {
		r.err = err
		return
	}
	back := false
	r.watching(func(e tap.Event, fresh []stamp) {
		if r.rec.entries > entries && e.What == tap.Published {
			s.see(fresh)
		}
	}, func() {
		back = r.await(ctx, "switch the device off and on again", r.o.Patience,
			func() bool { return r.rec.entries > entries })
		if !back {
			return
		}
		r.await(ctx, "waiting for readings after the restart", r.o.Patience,
			func() bool { return s.anew+s.wrong+s.bare >= enough || s.on >= enough })
	})
	if r.err != nil {
		return
	}
	r.settle(ctx)
	duplicates := r.bench.Account().Duplicates
	r.pause(ctx, "counting repetitions", 100*time.Millisecond) // those that made them have passed the tap
	mistaken := int(duplicates) - r.rec.repeats
	switch {
	case r.err != nil:
	case !back:
		r.untried("reset", "it was not switched off and on, or did not connect again")
	case s.anew+s.on+s.wrong+s.bare == 0:
		r.fail("reset", "%s", r.nothingNew())
	case s.wrong > 0:
		r.fail("reset", "after the restart seq began again, and boot stayed as it was; change boot, or let seq go on")
	case mistaken > 0:
		r.fail("reset", "%s new readings were taken for repetitions; change boot, or let seq go on", about(mistaken))
	case s.bare > 0 && r.rec.untimed > 0:
		r.fail("reset", "its readings have neither seq nor ts, so that nothing tells them apart; send both")
	case s.bare > 0:
		r.pass("reset", "after the restart nothing was taken for a repetition (it has no seq: its readings are told "+
			"apart by ts and content)")
	case s.anew > 0:
		r.pass("reset", "after the restart boot changed, and nothing was taken for a repetition")
	default:
		r.pass("reset", "after the restart seq went on, and nothing was taken for a repetition")
	}
}

// nothingNew is why no new reading came after a restart.
func (r *run) nothingNew() string {
	if r.rec.unsequenced > 0 && r.rec.untimed > 0 && r.rec.repeats > 0 {
		return "its readings have neither seq nor ts, so that equal ones cannot be told from repetitions; send both"
	}
	return "after the restart it sent no new reading"
}

// see takes readings that did not come before.
func (s *restarted) see(fresh []stamp) {
	for _, x := range fresh {
		high, known := s.before[x.Boot]
		switch {
		case !x.Sequenced:
			s.bare++
		case !known:
			s.anew++
		case x.Seq > high:
			s.on++
		default:
			s.wrong++
		}
	}
}
