package query

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"sluice/books"
	"sluice/store"
)

// Band is what was released for one cell and measure in a stretch of several windows. It is
// made of released values only, so it reveals no more than they do.
type Band struct {
	Cell       string
	Start, End time.Time
	// Windows is how many there were, and of these how many have each status; Stopped are
	// those of the withheld that a suspension withheld.
	Windows, Published, Withheld, Stopped, NoData, Withdrawn int
	// Low and High are the lowest and the highest released value; nil where there is none.
	Low, High *float64
	// Mean is that of the released values; nil where it would mislead: something was withheld
	// or withdrawn, more than a quarter is missing, or the measure has no such mean.
	Mean *float64
	sum  float64
}

// Widths of bands, by the city's calendar.
const (
	Hourly = "hour"
	Daily  = "day"
)

// maxBanded bounds the observations that a page reads to make bands of: four places of a
// year of quarters of an hour.
const maxBanded = 150_000

// Suspended reports whether there is no number because the decision was suspended.
func Suspended(o *store.Observation) bool {
	return o != nil && o.Status == store.Withheld &&
		(o.Reason == suspended || strings.HasPrefix(o.Reason, suspended+": "))
}

// suspended is the beginning of the public reason of rows that a suspension withheld.
const suspended = "suspended"

// Bands returns what was released of some cells and one measure over a span of time, in
// hours or days, in order of time and then of cells. It reads a part after the other and
// holds the bands alone.
func (s *Source) Bands(
	ctx context.Context, st Stream, cells []string, m books.Measure, from, to time.Time, width string,
) ([]*Band, error) {
	if int(to.Sub(from)/Length(st.Every))*len(cells) > maxBanded {
		return nil, &Invalid{"span", TooLong}
	}
	q := store.Query{Stream: st.ID, From: from, To: to, Cells: cells, Measures: []string{m.Name}}
	place, energy, averages := Place(st.Timezone), strings.HasPrefix(m.Of, "leq("), averages(m)
	var out []*Band
	open := map[string]*Band{}
	for part, err := range s.Parts(ctx, st, q) {
		if err != nil {
			return nil, err
		}
		for i := range part {
			o := &part[i]
			b := open[o.Cell]
			if b == nil || !o.Start.Before(b.End) {
				b = &Band{Cell: o.Cell}
				b.Start, b.End = stretch(o.Start, place, width)
				open[o.Cell], out = b, append(out, b)
			}
			b.add(o, energy)
		}
	}
	for _, b := range out {
		b.finish(energy, averages)
	}
	return out, nil
}

// stretch is the local hour or day that an instant is in.
func stretch(t time.Time, place *time.Location, width string) (start, end time.Time) {
	l := t.In(place)
	if width == Hourly {
		start = l.Add(-time.Duration(l.Minute())*time.Minute - time.Duration(l.Second())*time.Second -
			time.Duration(l.Nanosecond()))
		return start.UTC(), start.Add(time.Hour).UTC()
	}
	y, m, d := l.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, place).UTC(), time.Date(y, m, d+1, 0, 0, 0, 0, place).UTC()
}

// averages reports whether the mean of windows says something of all of them: a quantile's
// does not, nor one of levels of a day.
func averages(m books.Measure) bool {
	name, _, _ := strings.Cut(m.Of, "(")
	return slices.Contains([]string{"count", "distinct", "sum", "mean", "share", "leq", "histogram"}, name)
}

func (b *Band) add(o *store.Observation, energy bool) {
	b.Windows++
	switch o.Status {
	case store.Withheld:
		b.Withheld++
		if Suspended(o) {
			b.Stopped++
		}
	case store.NoData:
		b.NoData++
	case store.Withdrawn:
		b.Withdrawn++
	}
	if o.Status != store.Published || o.Value == nil {
		return
	}
	b.Published++
	v := *o.Value
	if b.Low == nil {
		b.Low, b.High = new(v), new(v)
	}
	*b.Low, *b.High = min(*b.Low, v), max(*b.High, v)
	if energy {
		v = math.Pow(10, v/10)
	}
	b.sum += v
}

func (b *Band) finish(energy, averages bool) {
	if !averages || b.Published == 0 || b.Withheld+b.Withdrawn > 0 || 4*b.NoData > b.Windows {
		return
	}
	mean := b.sum / float64(b.Published)
	if energy {
		mean = 10 * math.Log10(mean)
	}
	b.Mean = &mean
}
