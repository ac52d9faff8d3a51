package simulate

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/firmware-sim/street"
	"sluice/policy/bundle"
	"sluice/test/raced"
)

// edited is the example policy with replacements: file, old, new. A file that is not
// there is written.
func edited(t *testing.T, edits ...[3]string) *bundle.Policy {
	t.Helper()
	files := portalba.Policy()
	for _, e := range edits {
		text := string(files[e[0]])
		if e[1] != "" && !strings.Contains(text, e[1]) {
			t.Fatalf("%s has no %q", e[0], e[1])
		}
		if e[1] == "" {
			files[e[0]] = []byte(e[2])
		} else {
			files[e[0]] = []byte(strings.Replace(text, e[1], e[2], 1))
		}
	}
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// noon is an hour of the street, from noon on.
func noon(p *bundle.Policy, d *bundle.Decision) Traffic {
	tr := City(p, d, 1, 7)
	tr.Start, tr.Minutes = tr.Start.Add(12*time.Hour), 60
	return tr
}

func looked(p *bundle.Policy, id string, tr Traffic) (*Report, error) {
	r := &Report{}
	o := Options{Draft: p, Decision: id, Traffic: tr, Progress: func(int, int) {}}
	return r, examine(context.Background(), o, []*running{{name: "draft", policy: p, decision: p.Decision(id)}}, r)
}

const (
	footfall  = "decisions/2026-14-footfall.yaml"
	boardings = "decisions/2026-15-boardings.yaml"
	noise     = "decisions/2026-16-noise.yaml"
	distinct  = `of: "distinct(unit)"}`
	unitOf    = "unit: {field: device, stands_for: device}"
	kindOf    = "{field: device, stands_for: device}"
	rssi      = "- {name: rssi,"
)

var id = map[string]string{footfall: "2026-14", boardings: "2026-15", noise: "2026-16"}

func with(file string, edits ...string) (out [][3]string) {
	for i := 0; i < len(edits); i += 2 {
		out = append(out, [3]string{file, edits[i], edits[i+1]})
	}
	return out
}

// more is a field that the kind is declared to have and the street does not send.
func more(field string) [3]string {
	return [3]string{"kinds.yaml", rssi, "- " + field + "\n      " + rssi}
}

// TestLacks: what the street has not is refused with a sentence, whatever part of a
// decision asks for it.
func TestLacks(t *testing.T) {
	raced.Skip(t)
	bike := [3]string{"kinds.yaml", "  card-reader:", "  bike-counter:\n    units: [{field: device, stands_for: " +
		"device}]\n    fields:\n      - {name: device, type: string, class: identifier}\n      - {name: rssi, type: " +
		"int, class: measurement}\n  card-reader:"}
	speed := more("{name: speed, type: float, unit: km/h, class: measurement}")
	for name, c := range map[string]struct {
		file  string
		edits [][3]string
		says  string
	}{
		"another kind": {footfall, append(with(footfall, "[wifi-counter]", "[bike-counter]"), bike),
			"no readings of the kind bike-counter; it has air-station, card-reader, noise-meter and wifi-counter"},
		"one kind of two": {footfall,
			append(with(footfall, "[wifi-counter]", "[wifi-counter, bike-counter]"), bike),
			"no readings of the kind bike-counter"},
		"homes": {footfall,
			append(with(footfall, unitOf, "unit: {sensor: home}"),
				[3]string{"kinds.yaml", kindOf, "{sensor: true, stands_for: home}"}), "no sensor stands for a home: " +
				"its units are card (card of card-reader) and device (device of wifi-counter)"},
		"another unit": {footfall,
			append(with(footfall, unitOf, "unit: {field: device, stands_for: vehicle}"),
				[3]string{"kinds.yaml", kindOf, "{field: device, stands_for: vehicle}"}),
			"does not stand for a vehicle"},
		"another field as unit": {footfall,
			append(with(footfall, unitOf, "unit: {field: tag, stands_for: device}", "[device, rssi]", "[tag, rssi]"),
				[3]string{"kinds.yaml", kindOf, "{field: tag, stands_for: device}"},
				more("{name: tag, type: string, class: identifier}")),
			"field tag of wifi-counter does not stand for a device"},
		"a sum of it": {footfall,
			append(with(footfall, distinct, `of: "sum(speed)", between: [0, 9]}`, "rssi]", "rssi, speed]"), speed),
			"wifi-counter sends no speed; it sends device and rssi"},
		"a mean of it": {footfall,
			append(with(footfall, distinct, `of: "mean(speed)", between: [0, 9]}`, "rssi]", "rssi, speed]"), speed),
			"sends no speed"},
		"a histogram of it": {footfall,
			append(with(footfall, distinct, `of: "histogram(speed)", edges: [0, 3, 9]}`, "rssi]", "rssi, speed]"),
				speed), "sends no speed"},
		"a quantile of it": {footfall,
			append(with(footfall, distinct, `of: "quantile(speed, 0.5)", between: [0, 9]}`, "rssi]", "rssi, speed]"),
				speed), "sends no speed"},
		"the same about nobody": {noise,
			append(with(noise, "[laeq]", "[laeq, lmax]", `"leq(laeq)"`, `"leq(lmax)"`),
				[3]string{"kinds.yaml", "- {name: laeq,",
					"- {name: lmax, type: float, class: measurement}\n      - {name: laeq,"}),
			"noise-meter sends no lmax"},
		"a condition on it": {footfall,
			append(with(footfall, "field: rssi,", "field: speed,", "rssi]", "rssi, speed]"), speed), "sends no speed"},
		"rounded": {footfall,
			append(with(footfall, "place: sensor", "place: sensor\ngeneralise: [{field: speed, step: 5}]", "rssi]",
				"rssi, speed]"), speed), "sends no speed"},
		"never met": {footfall, with(footfall, "value: -85", "value: 0"), "no reading has rssi >= 0"},
		"never met, a text": {boardings,
			with(boardings, "place: sensor", "where: [{field: fare, op: \"==\", value: child}]\nplace: sensor",
				"[card]", "[card, fare]"), "no reading has fare == child"},
		"a category": {boardings,
			with(boardings, "by: [zone]", "by: [zone, {field: fare, values: [adult, child]}]", "[card]",
				"[card, fare]"), "no reading has fare child; there is adult"},
		"a category's field": {footfall,
			append(with(footfall, "by: [zone]", "by: [zone, {field: vendor, values: [a, b]}]", "rssi]",
				"rssi, vendor]"), more("{name: vendor, type: string, class: quasi-identifier}")), "sends no vendor"},
		"a zone": {footfall,
			with(footfall, "[rambla, raval, port, mercat, estacio, carrer-nou]", "[carrer-nou]"),
			"no readings of wifi-counter in carrer-nou; it has them in estacio, mercat, port, rambla and raval"},
		"coordinates": {footfall,
			append(with(footfall, "place: sensor", "place: {lat: lat, lon: lon}", "rssi]", "rssi, lat, lon]"),
				more("{name: lat, type: float, class: location}\n      - {name: lon, type: float, class: location}")),
			"placed by their coordinates"},
		"a longer window": {footfall, with(footfall, "every: PT1H", "every: P1D"),
			"a window of P1D does not fit"},
		"owners": {footfall,
			with(footfall, "max_contributions: 4", "by_owner: {tram: 2}\n  max_contributions: 4"),
			"no reading of the simulated city counts for it"},
		"days after its end": {footfall, with(footfall, "until: 2027-05-31", "until: 2026-06-01"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := edited(t, c.edits...)
			_, err := looked(p, id[c.file], noon(p, p.Decision(id[c.file])))
			var lacks *Lacks
			if c.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.As(err, &lacks) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v; want %q", err, c.says)
			}
		})
	}
	p := edited(t, with(footfall, "until: 2027-05-31", "until: 2026-06-01")...)
	if _, err := looked(p, "2026-14", City(p, p.Decision("2026-14"), 2, 7)); err == nil ||
		!strings.Contains(err.Error(), "in force for 1 day only") {
		t.Error(err)
	}
}

// TestHas: what the street has is simulated, in every measure.
func TestHas(t *testing.T) {
	for _, c := range []struct {
		file  string
		edits [][3]string
		note  string
	}{
		{footfall, nil, "In carrer-nou there is nothing to simulate"},
		{footfall, with(footfall, distinct, `of: "count()", between: [0, 9]}`), "carrer-nou"},
		{footfall, with(footfall, distinct, `of: "sum(rssi)", between: [-90, 0]}`), "carrer-nou"},
		{footfall, with(footfall, distinct, `of: "mean(rssi)", between: [-90, 0]}`), "carrer-nou"},
		{footfall, with(footfall, distinct, `of: "histogram(rssi)", edges: [-90, -60, 0]}`), "carrer-nou"},
		{footfall, with(footfall, distinct, `of: "quantile(rssi, 0.5)", between: [-90, 0]}`), "carrer-nou"},
		{footfall, with(footfall, "place: sensor", "place: sensor\ngeneralise: [{field: rssi, step: 5}]"),
			"carrer-nou"},
		{footfall, with(footfall, "rssi]", "rssi, ssid]"),
			"It keeps ssid, which wifi-counter of the simulated city does not send"},
		{boardings,
			with(boardings, "by: [zone]", "by: [zone, {field: fare, values: [adult]}]", "[card]", "[card, fare]"), ""},
		{noise, nil, "carrer-nou"},
		{footfall, with(footfall, "max_contributions: 4", "by_owner: {acme: 2, tram: 1}\n  max_contributions: 4"),
			"by_owner names tram, which has no wifi-counter in the simulated city"},
	} {
		p := edited(t, c.edits...)
		r, err := looked(p, id[c.file], noon(p, p.Decision(id[c.file])))
		if err != nil || !strings.Contains(strings.Join(r.Notes, " "), c.note) || c.note == "" && len(r.Notes) > 0 {
			t.Errorf("%v: %v, %q", c.edits, err, r.Notes)
		}
		if about := c.file != noise; about != (r.Proposal != nil) {
			t.Errorf("%v: the proposal is %+v", c.edits, r.Proposal)
		}
	}
}

// TestRecordedValuesAreNotSaid: of recorded readings, no value is in a refusal.
func TestRecordedValuesAreNotSaid(t *testing.T) {
	p := edited(t,
		with(boardings, "by: [zone]", "by: [zone, {field: fare, values: [adult, child]}]", "[card]", "[card, fare]")...)
	tr := noon(p, p.Decision("2026-15"))
	tr.Name, tr.StandsFor = "the file rows.csv", nil
	begin := tr.Begin
	tr.Begin = func() func(time.Time) []street.Observation {
		minute := begin()
		return func(at time.Time) []street.Observation {
			list := minute(at)
			for _, o := range list {
				if o.Fields["fare"] != nil {
					o.Fields["fare"] = "canary"
				}
			}
			return list
		}
	}
	if _, err := looked(p, "2026-15", tr); err == nil || strings.Contains(err.Error(), "canary") ||
		!strings.Contains(err.Error(), "no reading has fare adult") {
		t.Error(err)
	}
}
