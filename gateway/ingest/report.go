package ingest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/policy/plan"
)

// Report is what may be known of ingest: instants, counts, closed codes and ids
// of registered sensors. Nothing in it comes from a message.
type Report struct {
	// Now is the gateway's clock; zero before its first tick. Every window that
	// was due at Through has been released.
	Now, Through time.Time
	// Received = Counted + Duplicate + Late + Refused + Bounded + Open readings.
	Received, Counted, Duplicate, Late, Bounded, Open int64
	Refused                                           map[string]int64
	Windows                                           int
	// Commits counts group commits since the start, CommitTime what they took.
	Commits    uint64
	CommitTime time.Duration
	// Lives says of the sensors whether they live; the same value as before when
	// nothing has changed.
	Lives *Lives
	// Problem is why intake stands still, or what else is wrong with disk and keys; empty
	// for nothing.
	Problem string
}

// Report returns the latest report.
func (i *Ingest) Report() Report {
	r := *i.report.Load()
	if p := i.failing.Load(); p != nil {
		r.Problem = *p
	} else if i.lingers.Load() {
		r.Problem = lingering
	}
	return r
}

// publishReport shows the account as it is now; lives judges liveness anew too.
func (i *Ingest) publishReport(lives bool) {
	s := &i.state
	a, commits, commitTime := s.account, i.commits, i.commitTime
	a.Open = i.openReadings()
	if !i.cfg.Exact {
		// When and how many readings came tells of people; an hour blurs it.
		a, commits, commitTime = s.Shown, i.shownCommits, i.shownTime
	}
	r := &Report{
		Now: s.Now, Received: a.Received, Counted: a.Counted, Duplicate: a.Duplicate, Late: a.Late, Bounded: a.Bounded,
		Refused: maps.Clone(a.Refused), Open: a.Open, Commits: commits, CommitTime: commitTime,
	}
	old := i.report.Load()
	if len(s.Closes) == 0 && !i.overdue {
		r.Through = s.Now
	} else if old != nil {
		r.Through = old.Through
	}
	for _, st := range i.streams {
		r.Windows += len(st.windows)
	}
	if old != nil {
		r.Lives = old.Lives
	}
	if lives {
		r.Lives = i.judge(r.Lives)
	}
	i.report.Store(r)
}

// show lets the account be seen as it is now.
func (i *Ingest) show() {
	i.compare()
	i.state.Shown = i.state.account
	i.state.Shown.Refused = maps.Clone(i.state.Refused)
	i.state.Shown.Open = i.openReadings()
	i.shownCommits, i.shownTime = i.commits, i.commitTime
	i.dirty = true
}

// heartbeat is {"ts": T, "every": "PT60S", "seq": n}: the sensor lives from ts
// for three times every.
func (i *Ingest) heartbeat(payload []byte) {
	var hb struct {
		TS    *time.Time  `json:"ts"`
		Every plan.Period `json:"every"`
		Seq   *uint64     `json:"seq"`
	}
	if len(payload) > 1024 || json.Unmarshal(payload, &hb) != nil {
		i.feedback.add(i.at, fault.New(fault.NotJSON))
		return
	}
	every := min(hb.Every.Nominal(), time.Hour)
	if every <= 0 {
		every = time.Minute
	}
	at := time.Unix(0, i.clock(i.message.Received)).UTC()
	if hb.TS == nil && i.message.Retained {
		return // nobody knows when it was
	}
	if hb.TS != nil {
		if i.knowsTime() && hb.TS.After(at.Add(i.cfg.Future)) {
			i.feedback.add(i.at, fault.New(fault.Future))
			return
		}
		at = hb.TS.UTC()
	}
	i.noteHeard(i.at.number)
	i.at.pulse.Store(true)
	until := at.Add(3 * every)
	i.at.silentAfter = max(i.at.silentAfter, until.UnixNano())
	for n := range i.at.routes {
		i.markAlive(&i.at.routes[n], at, until)
	}
}

// markAlive notes the sensor in every window of the stream from at to until.
func (i *Ingest) markAlive(p *route, at, until time.Time) {
	if p.spec.Unit.None() {
		return // what is about nobody lives by its readings
	}
	w, code := i.windowAt(p, at.UnixNano())
	if code == fault.None {
		w.markAlive(i.at.number)
	}
	// What lies ahead is only noted: no heartbeat opens a window before its time.
	for _, t := p.spec.Window(at); !t.After(until); _, t = p.spec.Window(t) {
		start := t.UnixNano()
		if next := p.stream.windows[start]; next != nil {
			next.markAlive(i.at.number)
		} else if !t.Before(p.stream.next) {
			if p.stream.ahead[start] == nil {
				p.stream.ahead[start] = make(map[uint64]bool)
			}
			p.stream.ahead[start][i.at.number] = true
		}
	}
}

// tally is what feedback has to say since it was last sent.
type tally map[*sensor]map[fault.Fault]int64

func (t tally) add(s *sensor, f fault.Fault) {
	if s == nil {
		return // an unknown topic has no owner to tell
	}
	if s.home {
		return // what went wrong in one home, and when, is nobody's business
	}
	if t[s] == nil {
		t[s] = make(map[fault.Fault]int64)
	}
	t[s][f]++
}

// note is one line of feedback.
type note struct {
	Code    string `json:"code"`
	Pointer string `json:"pointer"`
	Rule    string `json:"rule"`
	Count   int64  `json:"count"`
	Fix     string `json:"fix"`
}

// letter is feedback for one sensor.
type letter struct {
	topic string
	body  []byte
}

// untilFeedback is the time to the next fixed instant, e.g. each full 5 minutes.
func (i *Ingest) untilFeedback() time.Duration {
	now := i.cfg.Now()
	return now.Truncate(i.cfg.Feedback).Add(i.cfg.Feedback).Sub(now)
}

// sendFeedback tells each sensor what was dropped since the last time: codes,
// names that its kind knows, and orders of magnitude.
func (i *Ingest) sendFeedback() {
	until := i.cfg.Now().UTC().Truncate(i.cfg.Feedback)
	since := until.Add(-i.cfg.Feedback)
	var post []letter
	for s, faults := range i.feedback {
		body := struct {
			Since time.Time `json:"since"`
			Until time.Time `json:"until"`
			Codes []note    `json:"codes"`
		}{Since: since, Until: until}
		for code := range fault.Codes {
			for field := fault.NoField; int(field) < len(s.fields); field++ {
				f := fault.Fault{Code: fault.Code(code), Field: field}
				if n := faults[f]; n > 0 {
					body.Codes = append(body.Codes, s.note(f, n))
				}
			}
		}
		raw, err := json.Marshal(body)
		if err != nil {
			i.cfg.Log.Warn("feedback cannot be written", "error", err)
			continue
		}
		post = append(post, letter{s.entry.FeedbackTopic(), raw})
	}
	if len(post) == 0 {
		return
	}
	select {
	case i.mail <- post:
		clear(i.feedback)
	default: // the last post is still on its way; this goes with the next
	}
}

// deliver sends feedback beside the readings' path, which must not wait for it.
func (i *Ingest) deliver() {
	for post := range i.mail {
		lost := 0
		for _, l := range post {
			sent := false
			for _, w := range i.ways {
				sent = w.Publish(l.topic, l.body) == nil || sent
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

func (s *sensor) note(f fault.Fault, n int64) note {
	out := note{Code: f.Code.String(), Pointer: "/*", Rule: f.Code.Rule(), Fix: f.Code.Fix()}
	if f.Field >= 0 {
		out.Pointer = "/fields/" + s.fields[f.Field]
	}
	if out.Rule == "kind" {
		out.Rule = fmt.Sprintf("kind %s", s.entry.Kind)
	}
	out.Count = int64(math.Pow(10, math.Floor(math.Log10(float64(n)))))
	return out
}
