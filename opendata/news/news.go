// Package news lists what has happened in a city, the newest first, for whoever comes back:
// what the council has decided, changed, suspended and let end, sensors that are new, numbers
// that were taken back, and limits that were passed.
//
// It is made from the public books and from released numbers, so everybody can make it, and
// it tells nothing that they do not. An event that has happened stays as it is: its ID and
// words do not depend on when it is asked for.
package news

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"sluice/books"
	"sluice/opendata/query"
	"sluice/store"
)

// Kind is what sort of event it is.
type Kind string

// The kinds.
const (
	Decided   Kind = "decided"
	Changes   Kind = "changes" // a change has been voted and is not in force yet
	Changed   Kind = "changed"
	Suspended Kind = "suspended"
	Lifted    Kind = "lifted" // it is suspended no more
	Ended     Kind = "ended"
	Sensors   Kind = "sensors"
	Withdrawn Kind = "withdrawn"
	Limit     Kind = "limit"
)

// Event is something that has happened.
type Event struct {
	// ID is the event's for ever: its kind and what it is about.
	ID   string
	Kind Kind
	At   time.Time
	// Zone is time's zone here: the city's, or the stream's.
	Timezone string
	// Decision, Stream and Zones are what it is about; empty for none.
	Decision, Stream string
	Zones            []string

	decision books.Decision // as it was then
	changes  map[string][]string
	sensors  []books.Sensor // of one kind and zone
	stream   query.Stream
	number   store.Observation
	passed   *passed
	reason   string
}

// Bounds of a list.
const (
	maxEvents = 100
	// sensorDays is for how long a sensor is new.
	sensorDays = 90
)

// Desk collects events from one source.
type Desk struct {
	source *query.Source

	mu     sync.Mutex
	passed map[string]passes // by stream; guarded by mu
}

// New returns a desk.
func New(source *query.Source) *Desk { return &Desk{source: source, passed: make(map[string]passes)} }

// Events lists the newest hundred, those that happened last first.
func (d *Desk) Events(ctx context.Context) ([]Event, error) {
	return d.About(ctx, func(*Event) bool { return true })
}

// About lists the newest hundred events that are wanted.
func (d *Desk) About(ctx context.Context, wanted func(*Event) bool) ([]Event, error) {
	all, now, err := d.all(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e Event) bool { return e.At.After(now) || !wanted(&e) })
	slices.SortFunc(all, func(a, b Event) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID)) })
	return all[:min(len(all), maxEvents)], nil
}

// all returns the events, and the gateway's time as far as the public can know it: nothing
// later has happened.
func (d *Desk) all(ctx context.Context) ([]Event, time.Time, error) {
	city, err := d.source.Books.City()
	if err != nil {
		return nil, time.Time{}, err
	}
	streams, err := d.source.Streams(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	decisions, err := d.source.Books.Decisions()
	if err != nil {
		return nil, time.Time{}, err
	}
	register, err := d.source.Books.Register()
	if err != nil {
		return nil, time.Time{}, err
	}
	taken, err := d.source.Books.Withdrawals()
	if err != nil {
		return nil, time.Time{}, err
	}
	now, err := d.source.Latest(ctx)
	if err != nil {
		return nil, now, err
	}
	for _, x := range decisions {
		for _, h := range append(x.History, books.Happening{At: x.Published}) {
			if h.At.After(now) {
				now = h.At
			}
		}
	}
	out := decided(decisions, city, streams)
	out = append(out, registered(register.Sensors, city, now)...)
	out = append(out, withdrawn(taken, streams)...)
	for _, st := range streams {
		list, err := d.limits(ctx, st)
		if err != nil {
			return nil, now, err
		}
		out = append(out, list...)
	}
	return out, now, nil
}

// registered are the sensors that are new: those of one kind that one day came into one
// zone are one event.
func registered(list []books.Sensor, city books.City, now time.Time) (out []Event) {
	place := query.Place(city.Timezone)
	first := now.In(place).AddDate(0, 0, -sensorDays).Format(time.DateOnly)
	at := make(map[[3]string]int)
	for _, s := range list {
		day, err := time.ParseInLocation(time.DateOnly, s.Registered, place)
		if err != nil || s.Registered < first {
			continue
		}
		key := [3]string{s.Registered, s.Zone, s.Kind}
		n, known := at[key]
		if !known {
			n, at[key] = len(out), len(out)
			out = append(out, Event{Kind: Sensors, At: day.UTC(), Timezone: city.Timezone, Zones: []string{s.Zone},
				ID: string(Sensors) + "/" + strings.Join(key[:], "/")})
		}
		out[n].sensors = append(out[n].sensors, s)
	}
	return out
}

// withdrawn are the numbers that were taken back.
func withdrawn(list []books.Withdrawal, streams []query.Stream) (out []Event) {
	for _, x := range list[max(0, len(list)-maxEvents):] {
		at := slices.IndexFunc(streams, func(st query.Stream) bool { return st.ID == x.Stream })
		if at < 0 {
			continue
		}
		st := streams[at]
		e := Event{Kind: Withdrawn, At: x.At.UTC(), Timezone: st.Timezone, Stream: st.ID, Decision: st.Decision,
			ID:     string(Withdrawn) + "/" + st.ID + "/" + strconv.FormatInt(x.N, 10) + "/" + stamp(x.At),
			stream: st, reason: x.Reason,
			number: store.Observation{Start: x.Start, End: x.Start.Add(query.Length(st.Every)), Cell: x.Cell,
				Measure: x.Measure},
		}
		for _, c := range st.Cells {
			if (x.Cell == "" || c.ID == x.Cell) && !slices.Contains(e.Zones, c.Zone) {
				e.Zones = append(e.Zones, c.Zone)
			}
		}
		out = append(out, e)
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }
