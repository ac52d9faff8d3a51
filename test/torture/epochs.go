package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"time"
)

// hoursOfEpoch is how long devices are told apart, from an hour on that it divides: the
// first one begins an epoch.
const hoursOfEpoch = 6

// firstOfEpoch reports whether nobody has been seen before in an hour's epoch.
func firstOfEpoch(hour int) bool { return hour%hoursOfEpoch == 0 }

// epochOf are an epoch's numbers as the interface shows them, by the hour that it ends
// with; nil where it shows none.
func (w *world) epochOf(hour int) (units, bounded *item, err error) {
	raw, err := fetch(fmt.Sprintf("%s/api/v1/streams/devices/observations?from=%s&to=%s", w.pages,
		url.QueryEscape(start(hour).Format(time.RFC3339)), url.QueryEscape(start(hour+1).Format(time.RFC3339))))
	if err != nil {
		return nil, nil, err
	}
	var page struct {
		Epochs []struct {
			End            time.Time
			Units, Bounded item
		}
	}
	err = json.Unmarshal(raw, &page)
	for i := range page.Epochs {
		if e := &page.Epochs[i]; e.End.Equal(start(hour + 1)) {
			return &e.Units, &e.Bounded, err
		}
	}
	return nil, nil, err
}

// beyondEpochs is how far noise does not take an epoch's number. Each of the two has a
// fiftieth of an epsilon of 100 and is 1 for each unit at most, so its discrete Laplace
// noise has the scale 1/2: a number is more than ten away in one of 2,000,000,000
// (2 e^-22 / (1 + e^-2) = 4.9e-10), and a run of an hour sees some hundreds.
const beyondEpochs = 10

// ended holds the numbers of an epoch that ends with an hour against the truth.
func (w *world) ended(hour int) {
	if w.homes || !firstOfEpoch(hour+1) {
		return
	}
	var units, bounded *item
	_ = w.until(15*time.Second, "an epoch's numbers", func() bool {
		u, b, err := w.epochOf(hour)
		if err == nil && u != nil {
			units, bounded = u, b
		}
		return units != nil
	})
	missing := w.keysGone(hour + 1)
	for h := hour + 1 - hoursOfEpoch; h <= hour; h++ {
		missing = missing || w.hush[h]
	}
	w.epoch(hour, units, bounded, missing)
}

// epoch compares: who was there, and who came again when nobody of them counted any
// more, in all hours of the epoch, before and after those that the clock leapt over.
// Less is there only where something is missing: a gap, or a suspension, is said.
func (w *world) epoch(hour int, units, bounded *item, missing bool) {
	if units == nil {
		if !missing {
			w.lost("the epoch that ends with hour %d has no numbers", hour)
		}
		return
	}
	var fresh, old float64
	for h := hour + 1 - hoursOfEpoch; h <= hour; h++ {
		fresh, old = fresh+float64(w.units[h].fresh), old+float64(w.units[h].old)
	}
	for _, x := range []struct {
		*item
		want float64
	}{{units, fresh}, {bounded, old}} {
		w.remember("the interface", "devices", *x.item)
		switch {
		case x.Value == nil && missing:
		case x.Value == nil:
			w.lost("%s of the epoch that ends with hour %d is %s without a gap", x.Measure, hour, x.word())
		case math.Abs(*x.Value-x.want) <= beyondEpochs:
		case *x.Value > x.want:
			w.doubled("%s of the epoch that ends with hour %d is %v; there were %v", x.Measure, hour, *x.Value, x.want)
		case !missing:
			w.lost("%s of the epoch that ends with hour %d is %v without a gap; there were %v", x.Measure, hour,
				*x.Value, x.want)
		}
	}
}
