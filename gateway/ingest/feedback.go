package ingest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
)

// feedback is what sensors are told: what was dropped of what they sent. It is gathered on
// ingest's goroutine, and written and sent beside it.
type feedback struct {
	cfg   *Config
	clock *eventClock
	tally tally
	told  time.Time // until when it was sent last, by the gateway's clock
	last  told
	// shapes sees what is refused for its shape.
	shapes *shapes
	out    chan []message
}

func newFeedback(cfg *Config, clock *eventClock) feedback {
	return feedback{cfg: cfg, clock: clock, tally: make(tally), out: make(chan []message, 1)}
}

// tally is what there is to say since feedback was last sent.
type tally map[*sensor]map[fault.Fault]times

// told is what sensors about people were told last, as far as somebody can do something about it:
// what no decision wants, what is there already and what the gateway lost says only that people
// were there.
type told struct {
	since, until time.Time
	of           map[*sensor]map[fault.Fault]int64
}

// remember keeps what is told now.
func (t *told) remember(what tally, since, until time.Time) {
	*t = told{since, until, make(map[*sensor]map[fault.Fault]int64)}
	for s, faults := range what {
		if s.heard.nobody {
			continue
		}
		for f, n := range faults {
			if f.Code == fault.Where || f.Code == fault.Duplicate || f.Code == fault.Gap {
				continue
			}
			if t.of[s] == nil {
				t.of[s] = make(map[fault.Fault]int64)
			}
			t.of[s][f] = n.count
		}
	}
}

// times is how often something happened, and the seq of the first reading that had one.
type times struct {
	count int64
	seq   uint64
	known bool
}

// add notes a fault of what the sensor itself has sent. The stamp is of the reading at
// hand; nil where there is none.
func (f *feedback) add(s *sensor, what fault.Fault, of *reading.Stamp) {
	if s == nil {
		return // an unknown topic has no owner to tell
	}
	s.heard.fault(what)
	if s.home {
		return // what went wrong in one home, and when, is nobody's business
	}
	if f.tally[s] == nil {
		f.tally[s] = make(map[fault.Fault]times)
	}
	n := f.tally[s][what]
	n.count++
	if of != nil && of.Sequenced && !n.known {
		n.seq, n.known = of.Seq, true
	}
	f.tally[s][what] = n
}

// dropHomes drops what was to be told to sensors that may stand for somebody.
func (f *feedback) dropHomes() {
	maps.DeleteFunc(f.tally, func(s *sensor, _ map[fault.Fault]times) bool { return s.home })
	maps.DeleteFunc(f.last.of, func(s *sensor, _ map[fault.Fault]int64) bool { return s.home })
}

// follow turns to the sensors of another roster. Fields are told by their number in the
// kind, so who has another kind is told nothing of before.
func (f *feedback) follow(r *roster) {
	f.tally, f.last.of = following(r, f.tally), following(r, f.last.of)
}

// following is what there is to say of the sensors of a roster.
func following[T any](r *roster, old map[*sensor]T) map[*sensor]T {
	now := make(map[*sensor]T)
	for o, faults := range old {
		if s := r.byID[o.entry.ID]; s != nil && s.entry.Kind == o.entry.Kind && !s.home {
			now[s] = faults
		}
	}
	return now
}

// dropSeqs drops what is of single readings. A seq counts them, but nobody sees to it that a
// sensor's does, and that it names nobody.
func (f *feedback) dropSeqs() {
	for _, faults := range f.tally {
		for what, n := range faults {
			faults[what] = times{count: n.count}
		}
	}
}

// wait is the time to the next fixed instant, e.g. each full 5 minutes.
func (f *feedback) wait() time.Duration {
	now := f.cfg.Now()
	return now.Truncate(f.cfg.Feedback).Add(f.cfg.Feedback).Sub(now)
}

// interval is what feedback is about, by the gateway's clock: from one fixed instant to the
// next, or, where the clock is simulated, since it was last told.
func (f *feedback) interval() (since, until time.Time) {
	c := f.clock
	if !c.simulated() || c.now.IsZero() {
		until = f.cfg.Now().UTC().Truncate(f.cfg.Feedback)
		return until.Add(-f.cfg.Feedback), until
	}
	since, until = f.told, c.now.UTC()
	if since.Before(c.since) || since.After(until) { // the first, or of another clock
		since = c.since
	}
	return since.UTC(), until
}

// send hands over what was dropped since the last time. It is written and sent beside the
// readings' path, which must not wait for either.
func (f *feedback) send() {
	since, until := f.interval()
	f.last.remember(f.tally, since, until)
	post := make([]message, 0, len(f.tally))
	for s, faults := range f.tally {
		post = append(post,
			message{s.entry.FeedbackTopic(), s.entry.Kind, &s.words, faults, since, until, nil})
	}
	if len(post) == 0 {
		f.told = until
		return
	}
	select {
	case f.out <- post:
		clear(f.tally)
		f.told = until
	default: // the last post is still on its way; this goes with the next
	}
}

// command hands over what a device is to do. Where much is on its way it is dropped: who wants it
// done asks again.
func (f *feedback) command(topic string, payload []byte) {
	select {
	case f.out <- []message{{topic: topic, command: payload}}:
	default:
	}
}

// deliver sends what is handed over to all of to, and commands to all, until there is no more.
func (f *feedback) deliver(to, all []source) {
	for post := range f.out {
		if post[0].command != nil {
			for _, s := range all {
				_ = s.Publish(post[0].topic, post[0].command) // or it is asked for again
			}
			continue
		}
		if len(to) == 0 {
			continue
		}
		lost := 0
		for n := range post {
			body, err := post[n].body()
			sent := false
			for _, s := range to {
				sent = err == nil && s.Publish(post[n].topic, body) == nil || sent
			}
			if !sent {
				lost++
			}
		}
		if lost > 0 {
			f.cfg.Log.Warn("feedback could not be sent", "sensors", lost)
		}
	}
}

// note is one line of feedback.
type note struct {
	Code    string `json:"code"`
	Pointer string `json:"pointer"`
	Rule    string `json:"rule"`
	Count   int64  `json:"count"`
	Fix     string `json:"fix"`
	// Seq is of the first such reading; absent where none had one.
	Seq *uint64 `json:"seq,omitempty"`
}

// message is feedback for one sensor, not yet written.
type message struct {
	topic, kind string
	words       *words
	faults      map[fault.Fault]times
	since       time.Time
	until       time.Time
	command     []byte // for a device, in place of all but the topic
}

// body says what was dropped: codes, names that the sensor's kind knows, and orders of
// magnitude, in the order of the codes.
func (m *message) body() ([]byte, error) {
	body := struct {
		Since time.Time `json:"since"`
		Until time.Time `json:"until"`
		Codes []note    `json:"codes"`
	}{Since: m.since, Until: m.until}
	for _, f := range slices.SortedFunc(maps.Keys(m.faults), byCode) {
		if int(f.Field) < len(m.words.pointers) {
			body.Codes = append(body.Codes, m.note(f))
		}
	}
	return json.Marshal(body)
}

func (m *message) note(f fault.Fault) note {
	out := note{Code: f.Code.String()}
	out.Pointer, out.Rule, out.Fix = m.words.of(f)
	if out.Rule == "kind" {
		out.Rule = fmt.Sprintf("kind %s", m.kind)
	}
	n := m.faults[f]
	out.Count = magnitude(n.count)
	if n.known {
		out.Seq = &n.seq
	}
	return out
}
