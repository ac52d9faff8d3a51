package town

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"

	"sluice/firmware-sim/device"
	"sluice/firmware-sim/street"
	"sluice/register"
)

// The demo's pace: an hour takes ten seconds, in steps of half a second.
const (
	step       = 3 * time.Minute
	stepTime   = 500 * time.Millisecond
	peopleHour = 900
)

// live connects the simulated city, replays yesterday, and runs its clock until ctx ends.
func (t *Town) live(ctx context.Context) error {
	loc, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		return err
	}
	begun := t.gateway.EventTime()
	start := begun
	if begun.IsZero() {
		start = yesterday(time.Now(), loc)
	}
	sensors, err := t.o.sensors()
	if err != nil {
		return err
	}
	seed := rand.Uint64()
	link, fleet, err := device.Launch("tcp://"+t.gateway.MQTT(), "demo-city", device.Credentials{}, sensors,
		device.Faults{}, seed, uint64(time.Now().UnixNano()), loc, start)
	if err != nil {
		return err
	}
	defer link.Close()
	s := street.New(street.Config{Seed: seed, Sensors: sensors, PerHour: peopleHour, Location: loc})
	c := &city{town: t, link: link, street: s, fleet: fleet, now: start}
	if begun.IsZero() {
		if err := c.yesterday(ctx, loc); err != nil {
			return c.ended(ctx, err)
		}
	}
	c.now = c.now.Truncate(time.Minute)
	t.summary(ctx)
	return c.ended(ctx, c.days(ctx))
}

// sensors are the example city's, speaking what the town's register says that they speak.
func (o *Options) sensors() ([]street.Sensor, error) {
	const file = "register.yaml"
	raw, err := os.ReadFile(filepath.Join(o.Dir, file))
	if err != nil {
		return nil, err
	}
	reg, err := register.Parse(file, raw)
	if err != nil {
		return nil, err
	}
	list := street.Portalba()
	for _, entry := range reg.Sensors {
		for i := range list {
			if list[i].ID == entry.ID {
				list[i].As, list[i].Device = entry.Preset, entry.Device
			}
		}
	}
	return list, nil
}

// city is a street with its firmware and clock.
type city struct {
	town   *Town
	link   *device.Link
	street *street.Street
	fleet  *device.Fleet
	now    time.Time
}

// The example city's decisions are in force between these days. A demo on any
// other day simulates one in the middle of them.
var (
	inForceFrom  = time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC)
	inForceUntil = time.Date(2027, 5, 24, 12, 0, 0, 0, time.UTC)
)

// yesterday is the local midnight that began yesterday.
func yesterday(now time.Time, loc *time.Location) time.Time {
	if now.Before(inForceFrom) || now.After(inForceUntil) {
		now = inForceFrom.AddDate(0, 5, 0)
	}
	y, m, d := now.In(loc).Date()
	return time.Date(y, m, d-1, 0, 0, 0, 0, loc)
}

// yesterday replays a whole day as fast as the machine can.
func (c *city) yesterday(ctx context.Context, loc *time.Location) error {
	end := yesterday(c.now.AddDate(0, 0, 2), loc)
	total := int64(end.Sub(c.now) / time.Minute)
	var bar *progressbar.ProgressBar
	if terminal(c.town.o.Err) && !c.town.o.JSON {
		bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(c.town.o.Err),
			progressbar.OptionSetDescription("replaying yesterday, minute by minute"),
			progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionShowCount(),
			progressbar.OptionClearOnFinish())
	}
	for c.now.Before(end) {
		if err := c.minute(ctx); err != nil {
			return err
		}
		if bar != nil {
			_ = bar.Add(1)
		}
	}
	// Go on a little, until the lateness of the last windows has passed.
	for range 3 {
		if err := c.minute(ctx); err != nil {
			return err
		}
	}
	if bar != nil {
		_ = bar.Finish()
	}
	return nil
}

// terminal reports whether w is a terminal; a progress bar in a file is noise.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// minute advances the clock by a minute, then sends what the sensors see.
func (c *city) minute(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := c.link.Tick(clockTopic, c.now); err != nil {
		return err
	}
	if err := device.Minute(c.street, c.fleet, c.now); err != nil {
		return err
	}
	if c.now.Minute()%5 == 0 {
		// The spare counter is alive even when nothing publishes through it.
		c.link.Publish("city/v1/demo/yours-counter/hb",
			fmt.Appendf(nil, `{"ts":%q,"every":"PT5M"}`, c.now.UTC().Format(time.RFC3339)), false)
	}
	c.now = c.now.Add(time.Minute)
	return nil
}

// days runs the clock after the replay, an hour in ten seconds.
func (c *city) days(ctx context.Context) error {
	tick := time.NewTicker(stepTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		for range int(step / time.Minute) {
			if err := c.minute(ctx); err != nil {
				return err
			}
		}
		c.town.reportProblem()
		if c.now.Minute() == 6 {
			c.town.hour(ctx, c.now)
			c.street.Truth().Forget(c.now)
		}
	}
}

// ended returns nil for a stop that was asked for, and otherwise the failure.
func (c *city) ended(ctx context.Context, err error) error {
	flushed := make(chan error, 1)
	go func() { flushed <- c.link.Flush() }()
	select {
	case <-flushed:
	case <-time.After(time.Second):
	}
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("the simulated city: %w", err)
}
