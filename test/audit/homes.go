package main

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// The homes: ten zones of thirty or of one more, and three zones that say nothing:
// there nobody, one of six homes by a heartbeat, and two homes are to be seen.
const (
	homeZones   = 10
	homesIn     = 30
	homeStreams = 20
	mostPower   = 10
)

var stillZones = []string{"none", "beat", "few"}

// homes sends one reading of each home in every window, all of the largest amount,
// and one home in each of the larger zones sends far more than may count.
func homes(r *report, o options) error {
	windows := o.lasts(20, 5)
	c, err := ground(o)
	defer c.close()
	if err != nil {
		return err
	}
	if err := c.settle(c.homesTown()); err != nil {
		return err
	}
	h := homesSeen{still: make(map[string]int)}
	for w := range windows {
		start := begin.Add(time.Duration(w) * time.Hour)
		if err := c.homesHour(w, start); err != nil {
			return err
		}
		for s := range homeStreams {
			list, err := c.places(fmt.Sprintf("power%02d", s), start)
			if err != nil {
				return err
			}
			for _, o := range list {
				h.note(o, s%2 == 1)
			}
		}
	}
	if err := c.taken(); err != nil {
		return err
	}
	r.row(h.others == 0 && len(h.still) == 1, "homes: nobody, a heartbeat and too few look alike", "%v", h.still)
	for _, x := range []struct {
		name string
		of   [2][]float64
		step float64
	}{{"homes", h.n, 1}, {"their sum", h.power, mostPower}} {
		var events []float64
		for d := -6.0; d <= 6; d += 2 {
			events = append(events, (homesIn+0.5+d)*x.step)
		}
		seen := leastEpsilon(x.of[0], x.of[1], append(events, math.Inf(-1), 100*homesIn*mostPower), 2)
		r.judge(seen <= epsilon, "homes: epsilon of "+x.name, "at least %.2f by %d zones of each world; declared %v",
			seen, len(x.of[0]), epsilon)
	}
	r.judge(h.shown > 0 && lower(h.missed, h.shown, alpha) <= 0.05, "homes: coverage of their sum",
		"%.2f %% of %d (%s of scale %.1f); promised are 95 %%",
		100*(1-float64(h.missed)/float64(max(1, h.shown))), h.shown, h.last.Mechanism, h.last.Scale)
	return nil
}

// homesSeen is what is shown of the homes: of the zones that say nothing, how often
// each status; of the others, numbers and sums in two worlds, of which the first has one
// home more.
type homesSeen struct {
	still                 map[string]int
	n, power              [2][]float64
	others, missed, shown int
	last                  shown // sum
}

// note takes one row, of a stream of the number alone or of both.
func (h *homesSeen) note(o shown, alone bool) {
	z := zoneNumber(o.Cell)
	if z < 0 {
		h.still[o.Status+" "+o.Reason]++
		if o.Status != "withheld" {
			h.others++
		}
		return
	}
	world, value := 1-z%2, math.Inf(-1)
	if o.Value != nil {
		value = *o.Value
	}
	switch {
	case o.Measure == "n" && alone: // the noise of the other streams is greater
		h.n[world] = append(h.n[world], value)
	case o.Measure != "n":
		h.power[world], h.last = append(h.power[world], value), o
		if truth := float64(mostPower * (homesIn + z%2)); o.Value != nil {
			h.shown++
			if *o.Low > truth || truth > *o.High {
				h.missed++
			}
		}
	}
}

func zoneNumber(zone string) int {
	z := -1
	_, _ = fmt.Sscanf(zone, "z%02d", &z) // -1 for another
	return z
}

// homesHour is one window of the homes.
func (c *city) homesHour(w int, start time.Time) error {
	stamp := start.Add(time.Minute).Format(time.RFC3339)
	say := func(zone string, home int, power float64) {
		c.link.Publish(fmt.Sprintf("city/v1/a/%s-%02d/up", zone, home),
			fmt.Appendf(nil, `{"ts":%q,"seq":%d,"fields":{"power":%v}}`, stamp, w, power), false)
	}
	for z := range homeZones {
		for h := range homesIn {
			say(fmt.Sprintf("z%02d", z), h, mostPower)
		}
		if z%2 == 1 {
			say(fmt.Sprintf("z%02d", z), homesIn, 100*homesIn*mostPower)
		}
	}
	say("few", 0, mostPower)
	say("few", 1, mostPower)
	c.beat("beat-00", start.Add(time.Minute))
	return c.tick(start.Add(time.Hour + 2*time.Minute))
}

// beat sends a heartbeat that is good for three quarters of an hour.
func (c *city) beat(sensor string, at time.Time) {
	c.link.Publish("city/v1/a/"+sensor+"/hb", fmt.Appendf(nil, `{"ts":%q,"every":"PT15M"}`, at.Format(time.RFC3339)),
		false)
}

func (c *city) homesTown() map[string]string {
	var zones []string
	sensors := ""
	add := func(zone string, homes int) {
		zones = append(zones, zone)
		for h := range homes {
			sensors += fmt.Sprintf("  - {id: %s-%02d, owner: a, kind: home-meter, zone: %s, registered: 2026-01-01}\n",
				zone, h, zone)
		}
	}
	for z := range homeZones {
		add(fmt.Sprintf("z%02d", z), homesIn+z%2)
	}
	for _, zone := range stillZones {
		add(zone, 6)
	}
	out := c.frame(zones, []string{"home-meter"})
	out["register.yaml"] = "sensors:\n" + sensors
	out["policy/kinds.yaml"] = "kinds:\n  home-meter:\n    heartbeat: PT15M\n" +
		"    units: [{sensor: true, stands_for: home}]\n    fields: [{name: power, type: float, class: measurement}]\n"
	for s := range homeStreams {
		measures := distinct // every other stream, where the noise is least
		if s%2 == 0 {
			measures += fmt.Sprintf(`, {name: power, of: "sum(power)", between: [0, %d]}`, mostPower)
		}
		out[fmt.Sprintf("policy/decisions/power%02d.yaml", s)] = simple(fmt.Sprintf("power%02d", s), "home-meter",
			zones, "{sensor: home}", "power", measures)
	}
	return out
}

// simple is a decision by zone alone, of one contribution an hour.
func simple(id, kind string, zones []string, unit, keep, measures string) string {
	list, _ := json.Marshal(zones) // of strings; it cannot fail
	return fmt.Sprintf(`decision: %q
title: {en: Audit}
stream: %s
purpose: audit
applies_to: {kinds: [%s], zones: %s}
unit: %s
keep: [%s]
publish: {every: PT1H, lateness: PT1M, by: [zone], measures: [%s]}
protect: {min_units: %d, epsilon: %v, delta: %v, max_contributions: 1}
forget_after: PT1H
from: 2026-01-01
until: 2026-12-31
`, id, id, kind, list, unit, keep, measures, minUnits, epsilon, delta)
}
