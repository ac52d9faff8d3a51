package news

import (
	"slices"
	"time"

	"sluice/books"
	"sluice/opendata/query"
)

// decided are the events of decisions.
func decided(list []books.Decision, city books.City, streams []query.Stream) (out []Event) {
	for _, x := range list {
		e := Event{Decision: x.ID, Timezone: city.Timezone}
		for _, st := range streams {
			if st.Decision != x.ID {
				continue
			}
			e.Stream, e.stream = st.ID, st
			for _, c := range st.Cells {
				if !slices.Contains(e.Zones, c.Zone) {
					e.Zones = append(e.Zones, c.Zone)
				}
			}
		}
		history := x.History
		if len(history) == 0 {
			history = before(x, query.Place(city.Timezone))
		}
		for _, h := range history {
			if e := e; e.happened(x, h) {
				out = append(out, e)
			}
		}
	}
	return out
}

// kinds are those of what happens to decisions.
var kinds = map[string]Kind{books.Decided: Decided, books.Announced: Changes, books.Amended: Changed,
	books.Suspended: Suspended, books.Lifted: Lifted, books.Ended: Ended}

// happened makes the event of a line of a decision's history. Its id is of the motion that
// brought it, which several gateways name alike, or else of when that was.
func (e *Event) happened(x books.Decision, h books.Happening) bool {
	e.Kind, e.At, e.changes = kinds[h.Kind], h.At.UTC(), h.Changes
	what := h.Motion
	if what == "" {
		what = stamp(h.At)
	}
	e.ID = string(e.Kind) + "/" + x.ID + "/" + what
	x.Title, x.From, x.Until, x.Motion, x.Next = h.Title, h.From, h.Until, h.Motion, nil
	x.State, x.Since, x.By, x.Reason = books.InForce, h.Since, h.By, h.Reason
	switch h.Kind {
	case books.Announced:
		x.Next = &books.Next{Motion: h.Motion, From: h.Begins, Changes: h.Changes}
	case books.Suspended:
		x.State = books.Suspended
	case books.Ended:
		x.State = books.Past
	}
	e.decision = x
	return e.Kind != "" && !h.At.IsZero()
}

// before is what is known of a decision in books of before, which had no history.
func before(x books.Decision, place *time.Location) (out []books.Happening) {
	midnight := func(day string) time.Time {
		t, err := time.ParseInLocation(time.DateOnly, day, place)
		if err != nil {
			return time.Time{}
		}
		return t.UTC()
	}
	add := func(kind string, at time.Time, motion string) *books.Happening {
		out = append(out, books.Happening{Kind: kind, At: at, Motion: motion, Title: x.Title, From: x.From,
			Until: x.Until})
		return &out[len(out)-1]
	}
	told := x.Published
	if told.IsZero() {
		told = midnight(x.From)
	}
	add(books.Decided, told, x.Motion)
	if n := x.Next; n != nil {
		h := add(books.Announced, n.Published, n.Motion)
		h.Begins, h.Changes = n.From, n.Changes
	}
	switch st := x.Standing(); {
	case st.State == books.Suspended:
		h := add(books.Suspended, midnight(st.Since), "")
		h.Since, h.By, h.Reason = st.Since, st.By, st.Reason
	case st.State == books.Past && st.Since != "":
		add(books.Ended, midnight(st.Since), "").Since = st.Since
	}
	return out
}
