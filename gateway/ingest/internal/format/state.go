package format

import (
	"math"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
)

// difference is how much a counter has grown since the device's last reading. Where it has
// fallen, it was reset and counts from 0; or, within a tenth of its range of either end, it
// went round.
func (d *Decoder) difference(i int, src *source, now float64) (float64, bool) {
	if math.IsNaN(now) || math.IsInf(now, 0) || now < 0 {
		d.fail(fault.At(fault.NotANumber, i))
		return 0, false
	}
	if src.wrap > 0 && now > src.wrap { // no such counter can show it
		d.fail(fault.At(fault.OutOfRange, i))
		return 0, false
	}
	before, ok := d.last(i, now)
	switch {
	case !ok:
		return 0, false
	case now >= before:
		return now - before, true
	case src.wrap > 0 && before > 0.9*src.wrap && now < 0.1*src.wrap && before <= src.wrap:
		return now + src.wrap - before, true
	}
	return now, true
}

// takeChange takes whether a state differs from the device's last.
func (d *Decoder) takeChange(i int, text []byte) {
	if d.shape.fields[i].kind != "bool" {
		d.fail(fault.At(fault.WrongType, i))
		return
	}
	if text == nil || len(text) > MaxText {
		d.fail(fault.At(fault.WrongType, i))
		return
	}
	now := float64(fnv(text) >> 12) // exact in a float64
	if before, ok := d.last(i, now); ok {
		d.unique(i, d.r.SetBool(i, now != before))
	}
}

// last exchanges a field's last value; false where there is none to compare with.
func (d *Decoder) last(i int, now float64) (float64, bool) {
	if d.wrap.Memory == nil || d.bad.Code != fault.None {
		return 0, false
	}
	before, known, late := d.wrap.Memory.Last(i, d.stamp)
	if d.late = d.late || late; !late {
		d.kept.add(i, now)
	}
	d.first = d.first || !known && !late
	return before, known && !late
}

// kept are the values of the reading at hand that are to be the last.
type kept struct {
	fields uint32 // as bits
	values [reading.MaxFields]float64
}

func (k *kept) add(field int, value float64) {
	k.fields |= 1 << field
	k.values[field] = value
}

// settleStates ends a reading: its values are the last, unless it is refused.
func (d *Decoder) settleStates() {
	for i := range d.kept.values {
		if d.kept.fields&(1<<i) != 0 && d.bad.Code == fault.None {
			d.wrap.Memory.Keep(i, d.kept.values[i], d.stamp)
		}
	}
	d.kept.fields = 0
}
