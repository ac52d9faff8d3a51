// Package months enters in the public books what each calendar month of a stream has, once
// it is final: a line of archive.jsonl with the SHA-256 of the month's text, so that a file
// of the archive can be checked with two ordinary commands.
//
// A month is final when a window of a later one has been released, or when it has been over
// for Settle: a stream may have ended. Everything that the journal has of it must have
// reached the store by then, and every window in the store must be what was released: its
// digest is that of its line in releases.jsonl, or, where something was withdrawn, exactly
// that is. A month of which a number was removed because its time was over gets no line.
//
// A line holds until something of the month is withdrawn, comes late, or is lost by the
// store; then there is another line, which replaces it.
package months

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/store"
)

// Settle is how long after its end a month is taken for final although no later window of
// its stream has come.
const Settle = 7 * 24 * time.Hour

// Every is how often months are looked for where a gateway's time is that of its machine.
const Every = time.Minute

// When it is looked first, and the rest between two windows that are read, so that nobody else
// waits for the store: a month of windows of five minutes takes some seconds more.
const (
	lookAfter = 2 * time.Second
	rest      = 2 * time.Millisecond
)

// Reader is what of the store is read.
type Reader interface {
	Observations(ctx context.Context, q store.Query) ([]store.Observation, error)
}

// Closer enters the months of one gateway. It is one goroutine's.
type Closer struct {
	ledger  *ledger.Ledger
	store   Reader
	trusted func() bool      // this state directory is the latest
	now     func() time.Time // the gateway's time; zero while it is not known
	changed func()           // the books have something new
	log     *slog.Logger
	said    map[string]string // what was logged of a stream and month, until it is mended

	// holds has the months whose lines hold, by stream and beginning, up to what the books had at
	// mark: a month of years ago is not looked at again until something comes that is about it.
	holds map[string]map[time.Time]time.Time
	mark  ledger.Mark
}

// New makes a Closer.
func New(l *ledger.Ledger, s Reader, trusted func() bool, now func() time.Time, changed func(),
	log *slog.Logger) *Closer {
	return &Closer{ledger: l, store: s, trusted: trusted, now: now, changed: changed, log: log,
		said: make(map[string]string), holds: make(map[string]map[time.Time]time.Time)}
}

// Run looks for months that are final, at such intervals, until ctx ends.
func (c *Closer) Run(ctx context.Context, every time.Duration) error {
	for wait := lookAfter; ; wait = every {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		if !c.trusted() {
			continue
		}
		if err := c.Look(ctx); err != nil && ctx.Err() == nil {
			c.say("", "", fmt.Sprintf("months cannot be entered in the books now; it is tried again (%v)", err))
		} else {
			c.mended("", "")
		}
	}
}

// Look enters every month that is final and has no line yet, or has changed since its line.
func (c *Closer) Look(ctx context.Context) error {
	if err := c.news(ctx); err != nil {
		return err
	}
	through, err := c.ledger.Journal.Resume(ctx)
	if err != nil {
		return err
	}
	zones, err := c.zones(ctx)
	if err != nil {
		return err
	}
	gone, err := c.ledger.Removals.Gone(ctx)
	if err != nil {
		return err
	}
	for _, stream := range slices.Sorted(maps.Keys(through)) {
		loc, known := zones[stream]
		if !known {
			continue // not described yet
		}
		if err := c.stream(ctx, stream, loc, through[stream], gone[stream]); err != nil {
			return err
		}
	}
	return nil
}

// news forgets which months hold of which something has come since the last look.
func (c *Closer) news(ctx context.Context) error {
	mark, err := c.ledger.Months.Mark(ctx)
	if err == nil && len(c.holds) > 0 {
		err = c.ledger.Months.Behind(ctx, c.mark, func(stream string, from, to time.Time) {
			maps.DeleteFunc(c.holds[stream], func(month, end time.Time) bool {
				return from.Before(end) && to.After(month)
			})
		})
	}
	if err == nil {
		c.mark = mark
	}
	return err
}

// zones are the time zones of the streams that the books describe.
func (c *Closer) zones(ctx context.Context) (map[string]*time.Location, error) {
	raw, err := c.ledger.Files.Get(ctx, "streams.json")
	if err != nil || raw == nil {
		return nil, err
	}
	var list []books.Stream
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	out := make(map[string]*time.Location)
	for _, s := range list {
		if loc, err := time.LoadLocation(s.Timezone); err == nil && s.Timezone != "" {
			out[s.ID] = loc
		}
	}
	return out, nil
}

// stream looks at one stream, month by month from its first window on. Numbers of windows
// that ended at or before gone were removed.
func (c *Closer) stream(ctx context.Context, stream string, loc *time.Location, through, gone time.Time) error {
	for at := time.Unix(0, 0); ; {
		first, err := c.ledger.Months.First(ctx, stream, at)
		if err != nil || first.IsZero() {
			return err
		}
		month, from, to := books.MonthOf(first, loc)
		if through.Before(to) && (c.now().IsZero() || c.now().Before(to.Add(Settle))) {
			return nil
		}
		at = to
		if gone.After(from) {
			continue // what is left of it goes in its time, and no file has it
		}
		if _, holds := c.holds[stream][from.UTC()]; holds {
			continue
		}
		a := books.Archived{Stream: stream, Month: month, Timezone: loc.String(), From: from, To: to}
		var wrong *unlike
		switch err := c.month(ctx, a, loc); {
		case errors.As(err, &wrong):
			c.say(stream, month, wrong.Error())
		case err != nil:
			return err
		default:
			c.mended(stream, month)
		}
	}
}

// unlike means that the store has not what was released.
type unlike struct {
	start time.Time
	what  string
}

func (u *unlike) Error() string {
	return fmt.Sprintf("the month gets no line in the books, and no file in the archive: of the window that starts at "+
		"%s the store %s; see sluice verify and docs/operations.md", u.start.UTC().Format(time.RFC3339), u.what)
}

// month enters one month, unless the line that it has holds or something is still on its way.
func (c *Closer) month(ctx context.Context, a books.Archived, loc *time.Location) error {
	s, err := c.ledger.Months.Span(ctx, a.Stream, a.From, a.To)
	if err != nil || s.Waiting > 0 {
		return err
	}
	old, err := c.ledger.Months.Of(ctx, a.Stream, a.From)
	if err != nil {
		return err
	}
	if old.N > 0 && old.Windows == s.Windows && old.Lost == s.Lost {
		later, _, err := c.ledger.Months.Withdrawn(ctx, a.Stream, a.From, a.To, old.Withdrawals)
		if err == nil && len(later) == 0 {
			c.keep(a)
		}
		if err != nil || len(later) == 0 {
			return err
		}
	}
	hidden, lines, err := c.ledger.Months.Withdrawn(ctx, a.Stream, a.From, a.To, 0)
	if err != nil {
		return err
	}
	a.Windows, a.Lost, a.Withdrawals = s.Windows, s.Lost, lines
	if err := c.read(ctx, &a, hidden, loc); err != nil {
		return err
	}
	// What came while it was read is seen at the next look.
	if a.At = c.now().UTC().Truncate(time.Second); a.At.Before(a.To) {
		a.At = a.To // a gateway whose clock is not known yet has released what came after
	}
	if err := c.ledger.Months.Enter(ctx, a); err != nil {
		return err
	}
	c.log.Info("a month is final, and its digest is in the books", "stream", a.Stream, "month", a.Month, "rows",
		a.Rows, "again", old.N > 0)
	c.keep(a)
	c.changed()
	return nil
}

// keep notes that a month's line holds.
func (c *Closer) keep(a books.Archived) {
	if c.holds[a.Stream] == nil {
		c.holds[a.Stream] = make(map[time.Time]time.Time)
	}
	c.holds[a.Stream][a.From.UTC()] = a.To
}

// say logs what is wrong with a month, once.
func (c *Closer) say(stream, month, text string) {
	if key := stream + " " + month; c.said[key] != text {
		c.said[key] = text
		c.log.Error("a month of the archive", "stream", stream, "month", month, "problem", text)
	}
}

// mended forgets what was said, so that it is said when it comes again.
func (c *Closer) mended(stream, month string) { delete(c.said, stream+" "+month) }
