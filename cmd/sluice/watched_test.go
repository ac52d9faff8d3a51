package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sluice/firmware-sim/device"
	"sluice/gateway"
	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/test/ports"
)

// watched is a gateway in this process, to which a turnstile, a counter of devices, a meter and a
// turnstile of no kind send, until the story ends.
func watched(ts *testscript.TestScript, _ bool, _ []string) {
	for name, text := range gates {
		switch name {
		case "policy/kinds.yaml":
			text += "  counter:\n    units: [{field: device, stands_for: device}]\n    fields: [{name: device, type: " +
				"string, class: identifier}]\n  meter:\n    units: [{sensor: true, stands_for: home}]\n    fields: " +
				"[{name: kwh, type: float, class: measurement}]\n"
		case "register.yaml":
			for _, one := range []string{"counter-1, kind: counter", "meter-1, kind: meter", "meter-2, kind: meter",
				"gate-2, kind: gatte"} {
				text += "  - {id: " + one + ", owner: acme, zone: square, registered: 2026-01-01}\n"
			}
		case "gateway.yaml":
			for _, port := range []string{"listen: {mqtt: 127.0.0.1:1883}", "admin: 127.0.0.1:0"} {
				addr, err := ports.Addr()
				ts.Check(err)
				text = strings.Replace(text, port, strings.NewReplacer("127.0.0.1:1883", addr, "127.0.0.1:0",
					addr).Replace(port), 1)
			}
		}
		ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(name)), 0o755))
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
	cfg, err := config.Read(ts.MkAbs("gateway.yaml"))
	ts.Check(err)
	cfg.Feedback = time.Second
	g, err := gateway.Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
	ts.Check(err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- errors.Join(g.Run(ctx), g.Close()) }()
	ts.Defer(func() {
		stop()
		ts.Check(<-done)
	})
	link, err := device.Connect("tcp://"+cfg.Listen.MQTT, "story")
	ts.Check(err)
	ts.Defer(link.Close)
	ts.Check(link.Tick("clock", time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)))
	go sendOdds(ctx, link)
	ts.Check(untilSeen(ctx, cfg.Admin))
}

// sendOdds sends what is right and what is wrong, with canaries in it, until ctx ends.
func sendOdds(ctx context.Context, link *device.Link) {
	for range 3 {
		link.Publish("city/v1/acme/gate-1/up", []byte(`{"fields":{"passed":"1234BCD"}}`), false)
	}
	for n := 0; ctx.Err() == nil; n++ {
		at := fmt.Sprintf(`"ts":"2026-03-02T10:00:00Z","seq":%d,`, n)
		for topic, text := range map[string]string{
			"acme/gate-1/up":                 `{` + at + `"fields":{"passed":7}}`,
			"acme/counter-1/up":              `{` + at + `"fields":{"device":3141592653}}`,
			"acme/meter-1/up":                `{` + at + `"fields":{"kwh":"3141592653"}}`,
			"acme/gate-2/up":                 `{` + at + `"fields":{"passed":3141592653}}`,
			"elsewhere/02-00-5e-10-00-01/up": `{"battery":3141592653,"rssi":-1,"02005e100001":[{"t":"1234BCD"}]}`,
		} {
			link.Publish("city/v1/"+topic, []byte(text), false)
		}
		if link.Flush() != nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// untilSeen waits until something was told of each.
func untilSeen(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	a, err := newAdminClient(addr)
	if err != nil {
		return err
	}
	for ; ; time.Sleep(20 * time.Millisecond) {
		var seen admin.Sensors
		if raw, err := a.get(ctx, "/debug/sensors"); err == nil && json.Unmarshal(raw, &seen) == nil {
			codes := make(map[string]int)
			for _, s := range seen.Sensors {
				codes[s.ID] = len(s.Codes)
			}
			if codes["gate-1"] > 0 && codes["counter-1"] > 0 {
				return nil
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// TestWatchPrinter: a terminal is written anew in place, what needs somebody first, as far as it
// fits; elsewhere only lines that have changed are printed.
func TestWatchPrinter(t *testing.T) {
	seven, none, yes, no := int64(7), 0.0, true, false
	now := time.Date(2026, 3, 2, 10, 0, 9, 0, time.UTC)
	seen := &admin.Sensors{Since: now}
	for n := range 30 {
		seen.Sensors = append(seen.Sensors, admin.Sensor{ID: fmt.Sprintf("s-%02d", n), Kind: "k", Zone: "z",
			Alive: &yes, Heard: now.Add(-3 * time.Second), Readings: &seven, PerMinute: &none})
	}
	seen.Sensors[20].Alive = &no
	seen.Sensors[25].Codes = []admin.Code{{Code: "E101", Pointer: "/x", Count: 3, Fix: "send a number"}}
	var out bytes.Buffer
	show := printer(false, true)
	for range 2 {
		out.Reset()
		if err := show(&out, seen, now); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out.String(), "\n")
		if !strings.HasPrefix(lines[0], home) || !strings.HasPrefix(lines[2], "s-25") ||
			!strings.Contains(lines[3], "E101 /x") ||
			!strings.HasPrefix(lines[4], "s-20") || !strings.Contains(lines[5], "3s ago") || len(lines) > 24 ||
			!strings.Contains(out.String(), "and 13 sensors more; name some to see them") ||
			!strings.HasSuffix(out.String(), eraseRest) {
			t.Errorf("the terminal shows\n%s", out.String())
		}
	}
	out.Reset()
	show = printer(false, false)
	for n, want := range []int{2 + 30 + 1, 0, 1} {
		out.Reset()
		if n == 2 {
			seen.Sensors[4].Heard = now
		}
		if err := show(&out, seen, now.Add(time.Duration(n)*time.Second)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "\n"); got != want || strings.Contains(out.String(), "\x1b") {
			t.Errorf("look %d prints %d lines; want %d:\n%s", n, got, want, out.String())
		}
	}
}
