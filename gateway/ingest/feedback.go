package ingest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
)

// tally is what feedback has to say since it was last sent.
type tally map[*sensor]map[fault.Fault]times

// times is how often something happened, and the seq of the first reading that had one.
type times struct {
	count int64
	seq   uint64
	known bool
}

// add notes a fault of what the sensor itself has sent. The stamp is of the reading at
// hand; nil where there is none.
func (t tally) add(s *sensor, f fault.Fault, of *reading.Stamp) {
	if s == nil {
		return // an unknown topic has no owner to tell
	}
	if s.home {
		return // what went wrong in one home, and when, is nobody's business
	}
	if t[s] == nil {
		t[s] = make(map[fault.Fault]times)
	}
	n := t[s][f]
	n.count++
	if of != nil && of.Sequenced && !n.known {
		n.seq, n.known = of.Seq, true
	}
	t[s][f] = n
}

// forget drops what is of single readings. A seq counts them, but nobody sees to it that a
// sensor's does, and that it names nobody.
func (t tally) forget() {
	for _, faults := range t {
		for f, n := range faults {
			faults[f] = times{count: n.count}
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

// letter is feedback for one sensor, not yet written.
type letter struct {
	topic, kind string
	pointers    []string // of each field
	valid       [][]float64
	faults      map[fault.Fault]times
	since       time.Time
	until       time.Time
}

// untilFeedback is the time to the next fixed instant, e.g. each full 5 minutes.
func (i *Ingest) untilFeedback() time.Duration {
	now := i.cfg.Now()
	return now.Truncate(i.cfg.Feedback).Add(i.cfg.Feedback).Sub(now)
}

// interval is what feedback is about, by the gateway's clock: from one fixed instant to the
// next, or, where the clock is simulated, since it was last told.
func (i *Ingest) interval() (since, until time.Time) {
	if i.cfg.Clock == "" || i.state.Now.IsZero() {
		until = i.cfg.Now().UTC().Truncate(i.cfg.Feedback)
		return until.Add(-i.cfg.Feedback), until
	}
	since, until = i.told, i.state.Now.UTC()
	if since.Before(i.since) || since.After(until) { // the first, or of another clock
		since = i.since
	}
	return since.UTC(), until
}

// sendFeedback hands over what was dropped since the last time. It is written and sent
// beside the readings' path, which must not wait for either.
func (i *Ingest) sendFeedback() {
	since, until := i.interval()
	post := make([]letter, 0, len(i.feedback))
	for s, faults := range i.feedback {
		post = append(post, letter{s.entry.FeedbackTopic(), s.entry.Kind, s.pointers, s.valid, faults, since, until})
	}
	if len(post) == 0 {
		i.told = until
		return
	}
	select {
	case i.mail <- post:
		clear(i.feedback)
		i.told = until
	default: // the last post is still on its way; this goes with the next
	}
}

// deliver sends feedback.
func (i *Ingest) deliver() {
	for post := range i.mail {
		if len(i.tells) == 0 {
			continue
		}
		lost := 0
		for n := range post {
			body, err := post[n].body()
			sent := false
			for _, w := range i.tells {
				sent = err == nil && w.Publish(post[n].topic, body) == nil || sent
			}
			if !sent {
				lost++
			}
		}
		if lost > 0 {
			i.cfg.Log.Warn("feedback could not be sent", "sensors", lost)
		}
	}
}

// body says what was dropped: codes, names that the sensor's kind knows, and orders of
// magnitude, in the order of the codes.
func (l *letter) body() ([]byte, error) {
	body := struct {
		Since time.Time `json:"since"`
		Until time.Time `json:"until"`
		Codes []note    `json:"codes"`
	}{Since: l.since, Until: l.until}
	for _, f := range slices.SortedFunc(maps.Keys(l.faults), func(a, b fault.Fault) int {
		return cmp.Or(cmp.Compare(a.Code.String(), b.Code.String()), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Code, b.Code))
	}) {
		if int(f.Field) < len(l.pointers) {
			body.Codes = append(body.Codes, l.note(f))
		}
	}
	return json.Marshal(body)
}

func (l *letter) note(f fault.Fault) note {
	out := note{Code: f.Code.String(), Pointer: "/*", Rule: f.Rule(), Fix: f.Fix()}
	switch key := f.Key(); {
	case f.Field >= 0:
		out.Pointer = l.pointers[f.Field]
	case key != "":
		out.Pointer = "/" + key
	}
	if f.Code == fault.OutOfRange && f.Field >= 0 && len(l.valid[f.Field]) == 2 {
		out.Fix = fmt.Sprintf("send values from %v to %v; look after the sensor", l.valid[f.Field][0], l.valid[f.Field][1])
	}
	if out.Rule == "kind" {
		out.Rule = fmt.Sprintf("kind %s", l.kind)
	}
	n := l.faults[f]
	out.Count = int64(math.Pow(10, math.Floor(math.Log10(float64(n.count)))))
	if n.known {
		out.Seq = &n.seq
	}
	return out
}

// rank orders what several decisions say of one reading that none counts: the
// further it came, the more it says.
func rank(c fault.Code) int {
	switch c {
	case fault.NoDecision:
		return 0
	case fault.Late:
		return 2
	case fault.Scattered, fault.Crowded:
		return 3
	case fault.Duplicate:
		return 4
	}
	return 1
}
