package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/gateway/ingest/internal/cbor"
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/structure"
)

// MaxLook is how long a look at structures takes at most.
const MaxLook = time.Minute

// Bounds of what one look looks at.
const (
	maxForms   = 50
	maxAlike   = 100     // messages of one sensor, or of unknown topics of as many levels
	maxLooking = 8 << 20 // bytes of all
)

// Structures are how messages were built that came during a look and fit no sensor, or were refused
// for their shape (decision 43): types, pointers whose keys look like names of fields, and how many
// levels a topic has. Nothing says when or how often.
type Structures struct {
	Forms []Form
	// More says that there was more than was looked at.
	More bool
}

// Form is how some messages were built. Sensor is a registered one; empty where they fit none.
type Form struct {
	Sensor, Code string
	Levels       int    // of the topic
	Format       string // json, cbor, or other for what is neither
	Values       []FormValue
	More         bool // it has more values
}

// FormValue is a pointer, and the type of JSON that is there.
type FormValue struct{ Pointer, Type string }

// ErrLooking says that somebody looks already.
var ErrLooking = errors.New("somebody looks at structures already")

// Structures looks for a span, of MaxLook at most, or until ctx ends. What it finds is in memory
// only, and gone when it returns. One caller at a time.
func (i *Ingest) Structures(ctx context.Context, span time.Duration) (*Structures, error) {
	if !i.shapes.turn.TryLock() {
		return nil, ErrLooking
	}
	defer i.shapes.turn.Unlock()
	l := &look{forms: make(map[string]Form), alike: make(map[string]int), until: time.Now().Add(2 * MaxLook)}
	if err := i.shapes.set(ctx, l); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
	case <-time.After(min(span, MaxLook)):
	}
	// Nobody has it any more after this, or, where ingest stands still, after its time.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := i.shapes.set(ending, nil); err != nil {
		return nil, err
	}
	out := &Structures{More: l.more}
	for _, key := range slices.Sorted(maps.Keys(l.forms)) {
		out.Forms = append(out.Forms, l.forms[key])
	}
	return out, ctx.Err()
}

// shapes looks at how messages are built while somebody has asked for it.
type shapes struct {
	turn  sync.Mutex // held by who looks
	takes chan *look
	now   *look // nil while nobody looks
}

// look is what is found while somebody looks; of ingest's goroutine until it has given it away.
type look struct {
	forms map[string]Form
	alike map[string]int
	bytes int
	more  bool
	until time.Time // by when it ends even if nobody ends it
	// The message that was looked at last: it may hold many readings, each of which is refused.
	last *intake.Message
	at   time.Time
}

// set begins a look, or ends it.
func (s *shapes) set(ctx context.Context, l *look) error {
	select {
	case s.takes <- l:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// expire ends a look that nobody has ended.
func (s *shapes) expire() {
	if s.now != nil && time.Now().After(s.now.until) {
		s.now = nil
	}
}

// unfit looks at a message that fits no sensor, or was refused for its shape. Of homes nothing is
// looked at.
func (s *shapes) unfit(m *intake.Message, of *sensor, f fault.Fault) {
	if s.now == nil || m == nil {
		return
	}
	l, code := s.now, f.Code.String()
	if of == nil && f.Code != fault.UnknownTopic && f.Code != fault.NoDevice ||
		of != nil && (of.home || !strings.HasPrefix(code, "E1")) || l.last == m && l.at.Equal(m.Received) {
		return
	}
	l.last, l.at = m, m.Received
	form := Form{Code: code, Levels: strings.Count(m.Topic, "/") + 1}
	if of != nil {
		form.Sensor = of.entry.ID
	}
	key := fmt.Sprintf("%q %d %s", form.Sensor, form.Levels, form.Code)
	l.alike[key]++
	if l.bytes += len(m.Payload); l.bytes > maxLooking || l.alike[key] > maxAlike {
		l.more = true
		return
	}
	form.describe(m.Payload)
	key += fmt.Sprintf(" %s %q", form.Format, form.Values)
	if _, known := l.forms[key]; !known && len(l.forms) >= maxForms {
		l.more = true
		return
	}
	l.forms[key] = form
}

// describe says how a message is built.
func (f *Form) describe(payload []byte) {
	f.Format = "json"
	values, more, ok := structure.Of(payload)
	if !ok && len(payload) <= structure.MaxBytes {
		if tree, fault := cbor.New().Decode(payload, false); fault.Code == 0 {
			text := tree.MarshalTo(nil)
			values, more, ok = structure.Of(text)
			clear(text)
			f.Format = "cbor"
		}
	}
	if !ok {
		f.Format = "other"
		return
	}
	f.More = more
	for _, v := range values {
		f.Values = append(f.Values, FormValue(v))
	}
}
