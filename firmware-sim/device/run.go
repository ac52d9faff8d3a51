package device

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"sluice/firmware-sim/replay"
	"sluice/firmware-sim/street"
)

// Credentials are a broker's user and the file whose first line is the password; none if User is
// empty. All sensors of a fleet share them.
type Credentials struct{ User, PasswordFile string }

func (c Credentials) connect(broker, clientID string) (*Link, error) {
	password, err := c.password()
	if err != nil {
		return nil, err
	}
	return ConnectAs(broker, clientID, c.User, password)
}

// password is the first line of the file, empty where there is no user.
func (c Credentials) password() (string, error) {
	if c.User == "" {
		return "", nil
	}
	raw, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("--password-file: %w", err)
	}
	password, _, _ := strings.Cut(string(raw), "\n")
	return password, nil
}

// RunOptions of a simulated street.
type RunOptions struct {
	Broker      string
	Credentials Credentials
	Seed        uint64
	Sensors     []street.Sensor
	Rate, Crowd int
	Beat        time.Duration // between heartbeats, with Rate; 0 for none
	Batch       int
	Duration    time.Duration
	PerHour     float64
	Rotate      time.Duration
	Start       string
	Accelerate  float64
	Clock       string
	Faults      Faults
	Location    *time.Location
}

// Run runs a street until its duration is over or ctx ends.
func Run(ctx context.Context, o RunOptions) (*street.Street, error) {
	start := time.Now().UTC()
	if o.Start != "" {
		var err error
		if start, err = time.Parse(time.RFC3339, o.Start); err != nil {
			return nil, fmt.Errorf("--start: %w", err)
		}
	}
	link, fleet, err := Launch(o.Broker, fmt.Sprintf("firmware-sim-%d", o.Seed), o.Credentials, o.Sensors, o.Faults,
		o.Seed, uint64(time.Now().Unix()), o.Location, start)
	if err != nil {
		return nil, err
	}
	defer link.Close()
	s := street.New(street.Config{Seed: o.Seed, Sensors: o.Sensors, PerHour: o.PerHour, Rotate: o.Rotate,
		Location: o.Location})
	bar := newBar(int64(o.Duration/time.Second), "street seconds")
	defer bar.Finish() //nolint:errcheck // a bar that cannot be drawn is no loss
	if o.Rate > 0 {
		return s, load(ctx, o, s, fleet, link, bar)
	}
	return s, minutes(ctx, o, s, fleet, link, start, bar)
}

func minutes(
	ctx context.Context, o RunOptions, s *street.Street, fleet *Fleet, link *Link, start time.Time,
	bar *progressbar.ProgressBar,
) error {
	begun := time.Now()
	first := start.Truncate(time.Minute)
	for t := first; t.Before(first.Add(o.Duration)) && ctx.Err() == nil; t = t.Add(time.Minute) {
		if o.Clock != "" {
			if err := link.Tick(o.Clock, t); err != nil {
				return err
			}
		}
		if err := Minute(s, fleet, t); err != nil {
			return err
		}
		_ = bar.Add(60)
		pace(ctx, begun, t.Add(time.Minute).Sub(first), o.Accelerate)
	}
	if o.Clock != "" {
		return link.Tick(o.Clock, first.Add(o.Duration))
	}
	return link.Flush()
}

// Minute sends what a street's sensors see in one minute, and every fifth
// minute their heartbeats.
func Minute(s *street.Street, fleet *Fleet, t time.Time) error {
	if t.Unix()%300 == 0 {
		fleet.Beat(t, "PT5M")
	}
	return fleet.Send(s.Minute(t))
}

// load publishes at a rate, in slices of a hundredth of a second.
func load(
	ctx context.Context, o RunOptions, s *street.Street, fleet *Fleet, link *Link, bar *progressbar.ProgressBar,
) error {
	begun := time.Now()
	sent, beats := 0, 0
	var counters []int
	for i, x := range o.Sensors {
		if x.Kind == street.WiFi {
			counters = append(counters, i)
		}
	}
	if len(counters) == 0 {
		return fmt.Errorf("--rate needs at least one WiFi counter; raise --sensors")
	}
	for ctx.Err() == nil {
		passed := min(time.Since(begun), o.Duration)
		if o.Beat > 0 && passed >= time.Duration(beats)*o.Beat {
			beats++
			fleet.Beat(time.Now().UTC(), fmt.Sprintf("PT%dS", max(1, int(o.Beat.Seconds()))))
		}
		var list []street.Observation
		for want := int(passed.Seconds() * float64(o.Rate)); sent < want; {
			i := counters[sent/max(1, o.Batch)%len(counters)]
			list = append(list, s.Glance(i, time.Now().UTC(), o.Crowd))
			sent++
			if len(list) >= max(1, o.Batch) {
				if err := fleet.Send(list); err != nil {
					return err
				}
				list = list[:0]
			}
		}
		if err := fleet.Send(list); err != nil {
			return err
		}
		_ = bar.Set64(int64(passed / time.Second))
		if passed == o.Duration {
			break
		}
		pace(ctx, begun, passed+10*time.Millisecond, 1)
	}
	return link.Flush()
}

// pace waits until this much street time has passed.
func pace(ctx context.Context, begun time.Time, passed time.Duration, accelerate float64) {
	if accelerate <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(begun.Add(time.Duration(float64(passed) / accelerate)))):
	}
}

// newBar is a progress bar on a terminal, and silent elsewhere.
func newBar(total int64, what string) *progressbar.ProgressBar {
	var w io.Writer = os.Stderr
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		w = io.Discard
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish())
}

// ReplayOptions of recorded readings.
type ReplayOptions struct {
	Credentials                                       Credentials
	File, Broker, Map, Layout, Timezone, Owner, Clock string
	Accelerate                                        float64
	Settle, Step                                      time.Duration
}

// Replay sends recorded readings in order, step by step. The clock moves to the start of a step
// once the readings of earlier steps are acknowledged, and before those of this one are sent; so a
// step must not exceed the gateway's windows.future. It reports whether an error is a misuse.
func Replay(ctx context.Context, o ReplayOptions) (usage bool, err error) {
	mapping, err := replay.ParseMapping(o.Map, o.Layout, o.Timezone)
	if err != nil {
		return true, err
	}
	rows, bad, err := replay.Read(o.File, mapping)
	if err != nil {
		return true, fmt.Errorf("%s: %w", o.File, err)
	}
	if len(rows) == 0 {
		return true, fmt.Errorf("%s: no row has time, sensor and a field; check --map and --layout", o.File)
	}
	sensors, index := sensorsOf(rows, o.Owner)
	link, err := o.Credentials.connect(o.Broker, "firmware-sim-replay")
	if err != nil {
		return false, err
	}
	defer link.Close()
	fleet := NewFleet(link, sensors, Faults{}, 1, uint64(time.Now().Unix()))
	bar := newBar(int64(len(rows)), "readings")
	begun := time.Now()
	for at := 0; at < len(rows) && ctx.Err() == nil; {
		step := rows[at].Time.Truncate(o.Step)
		if o.Clock != "" {
			if err := link.Tick(o.Clock, step); err != nil {
				return false, err
			}
		}
		var list []street.Observation
		for ; at < len(rows) && rows[at].Time.Before(step.Add(o.Step)); at++ {
			list = append(list,
				street.Observation{Sensor: index[rows[at].Owner+"/"+rows[at].Sensor], Time: rows[at].Time,
					Fields: rows[at].Fields})
		}
		if err := fleet.Send(list); err != nil {
			return false, err
		}
		_ = bar.Set(at)
		pace(ctx, begun, step.Sub(rows[0].Time), o.Accelerate)
	}
	err = link.Flush()
	if err == nil && o.Clock != "" && ctx.Err() == nil {
		err = link.Tick(o.Clock, rows[len(rows)-1].Time.Add(o.Settle))
	}
	_ = bar.Finish()
	fmt.Fprintf(os.Stderr, "%d readings of %d sensors sent, %d rows left out\n", len(rows), len(sensors), bad)
	return false, err
}

func sensorsOf(rows []replay.Row, owner string) ([]street.Sensor, map[string]int) {
	index := make(map[string]int)
	var sensors []street.Sensor
	for _, r := range rows {
		key := r.Owner + "/" + r.Sensor
		if _, known := index[key]; known {
			continue
		}
		index[key] = len(sensors)
		s := street.Sensor{ID: r.Sensor, Owner: r.Owner}
		if s.Owner == "" {
			s.Owner = owner
		}
		sensors = append(sensors, s)
	}
	return sensors, index
}
