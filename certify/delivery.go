package certify

import (
	"context"
	"time"

	"sluice/certify/envelope"
	"sluice/certify/tap"
)

type stamp = envelope.Stamp

// retransmission keeps one acknowledgement back and cuts the connection: what was in the message must
// come again, and must count nowhere twice.
func (r *run) retransmission(ctx context.Context) {
	if r.rec.unsure == r.rec.messages {
		r.fail("retransmission", "it publishes at QoS 0, where nothing is acknowledged and what is lost is lost; "+
			"publish at QoS 1")
		return
	}
	known := r.bench.Account().Duplicates
	lost := r.withheld(ctx)
	if lost == nil {
		if r.err == nil {
			r.untried("retransmission", "no message came whose acknowledgement could be kept back")
		}
		return
	}
	missing := make(map[uint64]bool)
	for _, s := range lost.Stamps {
		missing[s.Key] = true
	}
	came, marked := false, false
	r.watching(func(e tap.Event, _ []stamp) {
		if e.What != tap.Published || e.Message.Where != tap.Readings {
			return
		}
		marked = marked || e.Message.Dup
		for _, s := range e.Message.Stamps {
			delete(missing, s.Key)
		}
		came = came || len(missing) == 0 && (lost.Known || e.Message.Dup)
	}, func() {
		r.pause(ctx, "keeping an acknowledgement back", min(time.Second, r.o.Patience))
		entries := r.rec.entries
		r.tap.Cut()
		if !r.again(ctx, entries) {
			return
		}
		r.await(ctx, "waiting for the message to come again", r.o.Patience, func() bool { return came })
	})
	if r.err == nil {
		r.resent(ctx, came, marked, known)
	}
}

// resent judges what came of a message that was not acknowledged.
func (r *run) resent(ctx context.Context, came, marked bool, known int64) {
	if !came {
		r.fail("retransmission", "a message was not acknowledged, and did not come again after the connection was "+
			"cut; keep what was not acknowledged and send it again")
		return
	}
	once := r.await(ctx, "waiting for the gateway's account", 5*time.Second, func() bool {
		a := r.bench.Account()
		return a.Duplicates > known || a.Accepted == 0
	})
	switch a := r.bench.Account(); {
	case r.err != nil:
	case a.Accepted == 0:
		r.untried("retransmission", "none of its readings counts, so none can count twice")
	case !once:
		r.fail("retransmission", "a message that came again was counted again: send seq, or at least ts, and the "+
			"same bytes with the DUP flag")
	case !marked && r.rec.unsequenced > 0:
		r.fail("retransmission", "it has no seq and sends again without the DUP flag, so that only equal times tell "+
			"a repetition; send seq, or set the flag")
	case !marked:
		r.pass("retransmission", "what was not acknowledged came again and counted once, known by its seq (without "+
			"the DUP flag, which a new session does not need)")
	default:
		r.pass("retransmission", "what was not acknowledged came again, with the DUP flag, and counted once")
	}
}

// Bounds of what a device may do when it comes back.
const (
	maxRate   = 100 // messages in a second
	intervals = 3   // of the device, that an outage lasts at least
)

// outage is what is seen of one.
type outage struct {
	from, to   time.Time // when nobody answered
	boot, high uint64    // the last reading before it
	sequenced  bool
	kept       int  // readings of its time that came
	live       bool // a reading from after it came
	second     int64
	rate, top  int // messages in this second, and in the busiest
}

// backlog has nobody answer for a while: what the device measured meanwhile must come, with its own time.
func (r *run) backlog(ctx context.Context) {
	if r.rec.unread == r.rec.messages {
		r.untried("backlog", unknownForm)
		return
	}
	interval := r.rec.interval()
	length := max(r.o.Outage, intervals*interval)
	o := outage{from: time.Now(), boot: r.rec.boot}
	if seen := r.rec.boots[o.boot]; seen != nil {
		o.high, o.sequenced = seen.high()
	}
	entries := r.rec.entries
	r.tap.Shut(true)
	r.pause(ctx, "nobody answers the device, as in an outage", length)
	r.tap.Shut(false)
	o.to = time.Now()
	back := false
	r.watching(o.see, func() {
		if back = r.again(ctx, entries); !back {
			return
		}
		r.await(ctx, "waiting for what the device kept", r.o.Patience,
			func() bool { return r.rec.untimed > 0 || o.live && o.kept > 0 && r.holes(&o) == 0 })
	})
	if r.err != nil {
		return
	}
	r.keptBack(&o, back, interval > 0 && o.to.Sub(o.from) >= 2*interval)
}

// see takes what comes after an outage.
func (o *outage) see(e tap.Event, fresh []stamp) {
	if e.What != tap.Published || e.Message.Where != tap.Readings {
		return
	}
	if now := e.Message.At.Unix(); now != o.second {
		o.second, o.rate = now, 0
	}
	o.rate++
	o.top = max(o.top, o.rate)
	for _, s := range fresh {
		switch {
		case s.Timed && s.Time.After(o.to):
			o.live = true
		case s.Timed && s.Time.After(o.from):
			o.kept++
		}
	}
}

// holes is how many readings are missing since before an outage, by their seq.
func (r *run) holes(o *outage) uint64 {
	if !o.sequenced {
		return 0
	}
	return r.rec.boots[o.boot].missing(o.high)
}

// keptBack judges what came after an outage. Due says that something must have been measured in it.
func (r *run) keptBack(o *outage, back, due bool) {
	length := o.to.Sub(o.from).Round(time.Second)
	missing := int(min(r.holes(o), 1<<30))
	switch {
	case !back:
		r.fail("backlog", "after an outage of %s it did not connect again", length)
	case r.rec.untimed > 0:
		r.fail("backlog", "its readings have no %s, so that what it kept counts when it comes; send one",
			r.says("ts", "time where the preset looks for one"))
	case o.kept == 0 && !due:
		r.untried("backlog", "nothing was due in an outage of %s; give a longer one with --outage", length)
	case o.kept == 0:
		r.fail("backlog", "nothing came of what it measured in an outage of %s; keep readings and send them later, "+
			"with the ts that they were measured at", length)
	case missing > 0:
		r.fail("backlog", "%s of the readings of an outage of %s never came, by their seq; keep more",
			about(missing), length)
	case o.top > maxRate:
		r.fail("backlog", "it sent what it kept at more than %d messages a second; send them more slowly, or many "+
			"readings in a message", maxRate)
	default:
		r.pass("backlog", "%s readings of an outage of %s came later, with their own ts, and none is missing",
			about(o.kept), length)
	}
}
