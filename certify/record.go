package certify

import (
	"time"

	"sluice/certify/tap"
)

// record is what is known of the device by now. The goroutine of the run owns it.
type record struct {
	in                bool // connected
	entries, mistakes int  // connections let in; refused ones since the first of them
	refused, stranger int  // refused ones before, and those of them with another user
	elsewhere         int  // messages on topics of others

	messages    int // of readings
	readings    int
	unsure      int // messages of readings without a promise (QoS 0)
	unread      int // messages whose form is not known
	untimed     int // readings without a time that can be read
	zoned       int // readings whose time is not written as UTC
	unsequenced int
	repeats     int // readings that were sent before
	keys        map[uint64]bool

	boots map[uint64]*spans // seqs, by boot
	boot  uint64            // of the last reading with a seq
	first time.Time         // message of readings
	last  time.Time

	beats    beats
	security security
}

// Bounds of what is remembered.
const (
	maxKeys  = 1 << 20
	maxBoots = 1000
)

// security is how TLS went.
type security struct {
	lowest            uint16
	insecure          int // handshakes that failed
	trusted, distrust int // with a certificate that nobody vouches for
}

func newRecord() record {
	return record{keys: make(map[uint64]bool), boots: make(map[uint64]*spans)}
}

// see takes one event, and returns the readings in it that did not come before.
func (r *record) see(e tap.Event) (fresh []stamp) {
	switch e.What {
	case tap.Connected:
		r.in = true
		r.entries++
		r.beats.begin()
	case tap.Gone:
		r.in = false
	case tap.Refused:
		r.refuse(e.Own)
	case tap.Published:
		return r.publication(e.Message)
	case tap.Secured:
		if r.security.lowest == 0 || e.Version < r.security.lowest {
			r.security.lowest = e.Version
		}
	case tap.Insecure:
		r.security.insecure++
	case tap.Trusted:
		r.security.trusted++
	case tap.Distrusted:
		r.security.distrust++
	}
	return nil
}

func (r *record) refuse(own bool) {
	if r.entries > 0 {
		r.mistakes++
		return
	}
	r.refused++
	if !own {
		r.stranger++
	}
}

func (r *record) publication(m *tap.Message) (fresh []stamp) {
	switch m.Where {
	case tap.Elsewhere:
		r.elsewhere++
	case tap.Heartbeats:
		r.beats.add(m.At, m.Every)
	case tap.Readings:
		if r.messages++; r.first.IsZero() {
			r.first = m.At
		}
		r.last = m.At
		if m.QoS == 0 {
			r.unsure++
		}
		if !m.Known {
			r.unread++
		}
		for _, s := range m.Stamps {
			if r.reading(s) {
				fresh = append(fresh, s)
			}
		}
	}
	return fresh
}

// reading takes one reading, and reports whether it did not come before.
func (r *record) reading(s stamp) bool {
	if r.readings++; r.keys[s.Key] {
		r.repeats++
		return false
	}
	if len(r.keys) < maxKeys {
		r.keys[s.Key] = true
	}
	if !s.Timed {
		r.untimed++
	} else if !s.UTC {
		r.zoned++
	}
	if !s.Sequenced {
		r.unsequenced++
		return true
	}
	if r.boots[s.Boot] == nil && len(r.boots) < maxBoots {
		r.boots[s.Boot] = &spans{}
	}
	if seen := r.boots[s.Boot]; seen != nil {
		seen.add(s.Seq)
	}
	r.boot = s.Boot
	return true
}

// interval is how long it is from one message of readings to the next; 0 where that is not known yet.
func (r *record) interval() time.Duration {
	if r.messages < 2 {
		return 0
	}
	return r.last.Sub(r.first) / time.Duration(r.messages-1)
}

// beats are the heartbeats.
type beats struct {
	number, unread int
	longest        time.Duration // the longest period that a heartbeat has named
	inTime, late   int           // those that followed another on the same connection
	last           time.Time     // on this connection; zero for none
	every          time.Duration // as the last has named it
}

// begin turns to a new connection: nobody knows what a device should have sent before.
func (b *beats) begin() { b.last = time.Time{} }

// add adds a heartbeat with its period, 0 for one that cannot be read.
func (b *beats) add(at time.Time, every time.Duration) {
	b.number++
	if every == 0 {
		b.unread++
		return
	}
	if !b.last.IsZero() {
		if at.Sub(b.last) > b.every+b.every/2+time.Second {
			b.late++
		} else {
			b.inTime++
		}
	}
	b.longest = max(b.longest, every)
	b.last, b.every = at, every
}
