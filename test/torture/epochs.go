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

// ended holds the numbers of an epoch that ends with an hour against the truth: who was
// there, and who came again when nobody of them counted any more. Noise is of a scale of
// 0.5: ten is beyond chance. Less is there only where a gap, or a suspension, is said.
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
	var fresh, old float64
	for h := max(w.dawn, hour+1-hoursOfEpoch); h <= hour; h++ {
		fresh, old = fresh+float64(w.units[h].fresh), old+float64(w.units[h].old)
		missing = missing || w.hush[h] || w.gap("devices", h) != ""
	}
	if units == nil {
		if !missing {
			w.lost("the epoch that ends with hour %d has no numbers", hour)
		}
		return
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
		case math.Abs(*x.Value-x.want) <= 10:
		case *x.Value > x.want:
			w.doubled("%s of the epoch that ends with hour %d is %v; there were %v", x.Measure, hour, *x.Value, x.want)
		case !missing:
			w.lost("%s of the epoch that ends with hour %d is %v without a gap; there were %v", x.Measure, hour, *x.Value, x.want)
		}
	}
}
