package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/window"
	"sluice/policy/plan"
)

// account is what became of all readings. Received is the sum of the others and
// of those in open windows.
type account struct {
	Received  int64            `json:"received"`
	Counted   int64            `json:"counted"`
	Duplicate int64            `json:"duplicate"`
	Late      int64            `json:"late"`
	Bounded   int64            `json:"bounded"`
	Refused   map[string]int64 `json:"refused"`
	Open      int64            `json:"open,omitempty"` // where it is shown
}

// state is what every commit says anew: clock, account, closes.
type state struct {
	Now time.Time `json:"now"`
	account
	// Shown is the account as of the last full hour, for gateways that count people.
	Shown account              `json:"shown"`
	Next  map[string]time.Time `json:"next"`
	// Closes are closed but perhaps not yet released.
	Closes []closing `json:"closes"`
	// Lost are the names of windows and epochs whose keys are gone too soon.
	Lost []string `json:"lost"`
	// Session says that the gateway has had a session at the broker.
	Session bool `json:"session,omitempty"`
	// Holes are times of which some may be lost.
	Holes []hole `json:"holes,omitempty"`
	// Heard are the sensors that have ever sent a heartbeat.
	Heard []uint64 `json:"heard"`
}

// closing is one closed window.
type closing struct {
	Stream string    `json:"stream"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Policy string    `json:"policy"`
	Down   bool      `json:"down"` // nothing could reach it
	Gap    string    `json:"gap,omitempty"`
	// Readings are those that the window keeps the account of. They are here, too,
	// because the window's key may be shredded before the account is durable.
	Readings int64 `json:"readings"`
}

func newState() state {
	return state{account: account{Refused: make(map[string]int64)}, Next: make(map[string]time.Time)}
}

// commit makes everything so far durable and acknowledges it. It tries until it
// succeeds: until then nothing is acknowledged and intake stands still.
func (i *Ingest) commit(ctx context.Context) error {
	if !i.dirty {
		return nil
	}
	records, err := i.records()
	if err != nil {
		return err
	}
	pause, begun := 50*time.Millisecond, time.Now()
	i.pulse.beat(writing)
	for {
		what, err := i.durable(records)
		if err == nil {
			break
		}
		i.fail(what, err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, 5*time.Second)
		}
	}
	if i.failing.Swap(nil) != nil {
		i.cfg.Log.Info("the checkpoint is written again, and intake goes on")
	}
	i.commits++
	i.commitTime += time.Since(begun)
	i.settle()
	i.publishReport(false) // first, so that who was acknowledged finds it counted
	i.pulse.beat(acknowledging)
	for _, w := range i.ways {
		w.Ack(i.pending)
	}
	i.queue.Done(i.pending)
	i.pending, i.readings, i.dirty = i.pending[:0], 0, false
	i.message = nil
	i.pulse.beat(compacting)
	if err := i.log.Compact(); err != nil {
		i.cfg.Log.Warn("the checkpoint cannot be compacted; it goes on growing", "error", err)
	}
	return nil
}

func (i *Ingest) fail(what string, err error) {
	if was := i.failing.Swap(&what); was == nil || *was != what {
		i.cfg.Log.Error(what, "error", err)
	}
}

func (i *Ingest) records() ([]checkpoint.Record, error) {
	var records []checkpoint.Record
	for _, s := range i.streams {
		for _, w := range s.windows {
			if len(w.pending) > 0 {
				records = append(records, checkpoint.Record{Kind: checkpoint.Window, Name: w.name, Body: w.pending})
			}
		}
		for _, e := range s.epochs {
			if len(e.pending) > 0 {
				records = append(records, checkpoint.Record{Kind: checkpoint.Epoch, Name: e.name, Body: e.pending})
			}
		}
		if !s.next.IsZero() {
			i.state.Next[s.id] = s.next
		}
	}
	body, err := json.Marshal(&i.state)
	if err != nil {
		return nil, err
	}
	return append(records, checkpoint.Record{Kind: checkpoint.State, Name: "state", Body: body}), nil
}

// settle forgets what the log has now.
func (i *Ingest) settle() {
	for _, s := range i.streams {
		for _, w := range s.windows {
			w.pending = w.pending[:0]
		}
		for _, e := range s.epochs {
			e.pending = e.pending[:0]
		}
	}
}

// recover reads the log back through the same Apply and Use that readings take.
func (i *Ingest) recover() error {
	var err error
	if i.keys, err = checkpoint.OpenKeys(i.cfg.Keys); err != nil {
		return err
	}
	var lost []string
	i.log, err = checkpoint.Open(i.cfg.Dir, i.keys, func(r checkpoint.Record) error {
		switch {
		case r.Kind == checkpoint.State:
			i.state = newState()
			return json.Unmarshal(r.Body, &i.state)
		case r.Lost:
			if !slices.Contains(lost, r.Name) {
				lost = append(lost, r.Name)
			}
			return nil
		}
		return i.replay(r)
	})
	if errors.Is(err, checkpoint.ErrUnreadable) {
		i.cfg.Log.Warn("the checkpoint cannot be read, as after a reboot: open windows are lost and become gaps")
		i.lostAll = true
	} else if err != nil {
		return fmt.Errorf("recovering open windows: %w", err)
	}
	for id, next := range i.state.Next {
		if s := i.streams[id]; s != nil && next.After(s.next) {
			s.next = next
		}
	}
	for _, n := range i.state.Heard {
		i.heard[n] = true
	}
	i.feelPulses()
	if i.cfg.Clock != "" {
		i.since = i.state.Now // simulated time stood still while the gateway was down
	}
	i.link.last = i.state.Now
	if err := i.mourn(lost); err != nil {
		return err
	}
	i.balance()
	return nil
}

func (i *Ingest) replay(r checkpoint.Record) error {
	what, rest, _ := strings.Cut(r.Name, "-")
	unix, id, _ := strings.Cut(rest, "-")
	seconds, err := strconv.ParseInt(unix, 10, 64)
	s := i.streams[id]
	if err != nil || s == nil {
		return nil // of a stream that no version knows any more
	}
	start := time.Unix(seconds, 0).UTC()
	n, spec := i.specAt(id, start)
	if spec == nil {
		return nil
	}
	if what == "e" {
		e, err := i.epochAt(s, spec, start)
		if err != nil {
			return err
		}
		for tags := r.Body; len(tags) >= 16; tags = tags[16:] {
			e.Use([16]byte(tags))
		}
		return nil
	}
	_, end := spec.Window(start)
	w, err := i.open(s, spec, i.versions[n].Digest, start, end)
	if err != nil {
		return err
	}
	var bad error
	err = checkpoint.Entries(r.Body, func(e *window.Entry) {
		if int(e.Cell) >= len(spec.Cells) {
			bad = errors.New("an entry names a cell that the stream has not")
			return
		}
		w.Apply(e)
	})
	return errors.Join(err, bad)
}

// specAt finds the version and stream under which a window starting at t runs.
func (i *Ingest) specAt(id string, t time.Time) (int, *plan.Stream) {
	for n := len(i.versions) - 1; n >= 0; n-- {
		if !i.inForce(n, t) {
			continue
		}
		for _, spec := range i.versions[n].Streams {
			if spec.ID == id && spec.InForce(t) {
				return n, spec
			}
		}
	}
	return 0, nil
}

// mourn records the windows and epochs that cannot be read back although they
// should: they become gaps, and an epoch without its bounds admits nobody.
func (i *Ingest) mourn(lost []string) error {
	for _, name := range lost {
		what, rest, _ := strings.Cut(name, "-")
		unix, id, _ := strings.Cut(rest, "-")
		seconds, err := strconv.ParseInt(unix, 10, 64)
		s := i.streams[id]
		if err != nil || s == nil {
			continue
		}
		start := time.Unix(seconds, 0).UTC()
		if what == "w" && start.Before(s.next) && !i.isClosing(id, start) {
			continue // released and shredded, as it should be
		}
		if what == "e" {
			if _, spec := i.specAt(id, start); spec == nil || epochOver(spec, start, s.next) {
				continue
			}
		}
		i.lose(name)
	}
	for _, s := range i.streams {
		for _, e := range s.epochs {
			e.lost = slices.Contains(i.state.Lost, e.name)
		}
		for _, w := range s.windows {
			w.Lost = slices.Contains(i.state.Lost, w.name) || w.epoch != nil && w.epoch.lost
		}
	}
	return i.shredDead()
}

// balance books readings that went with lost windows, so that the sum holds.
func (i *Ingest) balance() {
	s := &i.state
	missing := s.Received - s.Counted - s.Duplicate - s.Late - s.Bounded
	for _, n := range s.Refused {
		missing -= n
	}
	missing -= i.openReadings()
	if missing > 0 {
		s.Refused[fault.Gap.String()] += missing
		i.dirty = true
	}
}

// openReadings counts what is in windows that are not released.
func (i *Ingest) openReadings() (n int64) {
	for _, s := range i.streams {
		for _, w := range s.windows {
			if len(i.state.Closes) == 0 || !i.isClosing(s.id, w.Start) {
				n += w.Readings
			}
		}
	}
	for _, c := range i.state.Closes {
		n += c.Readings
	}
	return n
}

func epochOver(spec *plan.Stream, start, next time.Time) bool {
	_, end := spec.Epoch(start)
	return !end.After(next)
}

func (i *Ingest) lose(name string) {
	if !slices.Contains(i.state.Lost, name) {
		i.state.Lost = append(i.state.Lost, name)
	}
	i.dirty = true
}

func (i *Ingest) isClosing(id string, start time.Time) bool {
	return slices.ContainsFunc(i.state.Closes, func(c closing) bool { return c.Stream == id && c.Start.Equal(start) })
}

// shredDead removes keys past their life: of windows released before a crash,
// and of epochs that ended.
func (i *Ingest) shredDead() error {
	live := make(map[string]bool)
	for _, s := range i.streams {
		for at, w := range s.windows {
			if w.Start.Before(s.next) && !i.isClosing(s.id, w.Start) {
				delete(s.windows, at)
				continue
			}
			live[w.name] = true
		}
		for at, e := range s.epochs {
			if !e.end.After(s.next) && !i.epochClosing(s.id, e) {
				delete(s.epochs, at)
				continue
			}
			live[e.name] = true
		}
	}
	for _, name := range i.keys.Names() {
		if !live[name] && !strings.HasPrefix(name, "log-") {
			if err := i.keys.Shred(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (i *Ingest) epochClosing(id string, e *openEpoch) bool {
	return slices.ContainsFunc(i.state.Closes, func(c closing) bool {
		return c.Stream == id && !c.Start.Before(e.start) && c.Start.Before(e.end)
	})
}
