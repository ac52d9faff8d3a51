package main

import (
	"fmt"
	"time"
)

// silent has six zones: in two of them the sensor sends no heartbeat, in two it
// does, and in two one of two sensors does. Of each two, one has devices to tell of.
// Whether there is anything to tell must not be seen.
func silent(r *report, o options) error {
	c, err := ground(o)
	defer c.close()
	if err != nil {
		return err
	}
	if err := c.settle(c.silentTown()); err != nil {
		return err
	}
	windows, seen := o.lasts(24, 4), make(map[string]map[string]int)
	for w := range windows {
		start := begin.Add(time.Duration(w) * time.Hour)
		for _, zone := range []string{"beating", "partly"} {
			c.beat(zone+"-empty-0", start.Add(time.Minute))
			c.beat(zone+"-seen-0", start.Add(time.Minute))
		}
		for _, zone := range []string{"mute", "beating", "partly"} {
			for n := range 2 {
				for sensor := range 2 {
					c.link.Publish(fmt.Sprintf("city/v1/a/%s-seen-%d/up", zone, sensor),
						fmt.Appendf(nil, `{"ts":%q,"seq":%d,"fields":{"device":"d%d"}}`,
							start.Add(time.Minute).Format(time.RFC3339), 2*w+n, n), false)
				}
			}
		}
		if err := c.tick(start.Add(time.Hour + 2*time.Minute)); err != nil {
			return err
		}
		list, err := c.places("devices", start)
		if err != nil {
			return err
		}
		for _, s := range list {
			if seen[s.Cell] == nil {
				seen[s.Cell] = make(map[string]int)
			}
			seen[s.Cell][s.Status+" "+s.Reason]++
		}
	}
	if err := c.taken(); err != nil {
		return err
	}
	for zone, want := range map[string]string{"mute": "no_data ", "beating": "withheld few", "partly": "withheld few"} {
		empty, full := seen[zone+"-empty"], seen[zone+"-seen"]
		r.row(empty[want] == windows && full[want] == windows, "silent: with nobody and with two devices, "+zone,
			"%v and %v", empty, full)
	}
	return nil
}

func (c *city) silentTown() map[string]string {
	var zones []string
	sensors := ""
	for _, how := range []string{"mute", "beating", "partly"} {
		for _, what := range []string{"empty", "seen"} {
			zone := how + "-" + what
			zones = append(zones, zone)
			for s := range 2 {
				sensors += fmt.Sprintf("  - {id: %s-%d, owner: a, kind: wifi, zone: %s, registered: 2026-01-01}\n",
					zone, s, zone)
			}
		}
	}
	out := c.frame(zones, []string{"wifi"})
	out["register.yaml"] = "sensors:\n" + sensors
	out["policy/kinds.yaml"] = "kinds:\n  wifi:\n    heartbeat: PT15M\n" +
		"    units: [{field: device, stands_for: device}]\n" +
		"    fields: [{name: device, type: string, class: identifier}]\n"
	out["policy/decisions/devices.yaml"] = simple("devices", "wifi", zones, "{field: device, stands_for: device}",
		"device", distinct)
	return out
}
