package listener

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// reason is why somebody was cut off or refused.
type reason int

const (
	hungUp reason = iota // it went by itself, and is not counted
	closing
	crowdedOut
	tooLate
	tooLarge
	noConnect
	badIdentity
	tooOften
	noSeat
	oneTooMany
	readsNothing
	slowPacket
	malformed
	turnedOut
	tooMany
	noWebSocket
	reasons
)

// names are what the log calls reasons, all of them constants: neither addresses nor
// names of sensors are written.
var names = [reasons]string{
	crowdedOut: "crowded_out", tooLate: "no_connect_in_time", tooLarge: "packet_too_large", noConnect: "not_a_connect",
	badIdentity: "wrong_identity", tooOften: "connects_too_often", noSeat: "too_many_connections",
	oneTooMany:   "too_many_of_one_sensor",
	readsNothing: "does_not_read", slowPacket: "packet_unfinished", malformed: "malformed_packet",
	turnedOut: "not_admitted_any_more", tooMany: "too_many_unacknowledged",
	noWebSocket: "not_a_websocket",
}

const (
	sayEvery = time.Minute
	tidyWait = 5 * time.Second
	perConn  = 32 << 10 // bytes that a connection leaves behind, about
	tidyWhen = 32 << 20
)

// tally counts who was cut off, and what memory they have left behind.
type tally struct {
	counts  [reasons]atomic.Uint64
	garbage atomic.Int64
}

func (t *tally) add(why reason) {
	t.counts[why].Add(1)
	t.addGarbage(perConn)
}

func (t *tally) addGarbage(bytes int) { t.garbage.Add(int64(bytes)) }

// watch says once a minute how many were cut off, and gives memory back to the system
// when many have gone: Go's own way would keep it for minutes.
func (t *tally) watch(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(tidyWait)
	defer tick.Stop()
	said := time.Now()
	var before [reasons]uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if t.garbage.Load() > tidyWhen {
			t.garbage.Store(0)
			debug.FreeOSMemory()
		}
		if time.Since(said) < sayEvery {
			continue
		}
		said = time.Now()
		t.say(log, &before)
	}
}

// say writes what was counted since before.
func (t *tally) say(log *slog.Logger, before *[reasons]uint64) {
	var attrs []any
	for why := range names {
		n := t.counts[why].Load()
		if names[why] != "" && n > before[why] {
			attrs = append(attrs, names[why], n-before[why])
		}
		before[why] = n
	}
	if len(attrs) > 0 {
		log.Warn("the listener has refused connections or cut them off", attrs...)
	}
}
