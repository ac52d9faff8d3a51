// Firmware-sim plays sensors: a seeded street, or real readings from a file.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"sluice/firmware-sim/device"
	"sluice/firmware-sim/device/dialect"
	"sluice/firmware-sim/street"
)

// Exit codes are those of sluice.
const (
	exitUsage       = 2
	exitUnreachable = 4
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx)
	stop()
	os.Exit(code)
}

func run(ctx context.Context) int {
	code := 0
	root := &cobra.Command{
		Use: "firmware-sim", Short: "Play sensors: a seeded street, or real readings from a file",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(runCommand(&code), replayCommand(&code))
	if err := root.ExecuteContext(ctx); err != nil {
		hint := ""
		if code == 0 {
			code, hint = exitUsage, "; see firmware-sim --help"
		}
		fmt.Fprintf(os.Stderr, "firmware-sim: %v%s\n", err, hint)
	}
	return code
}

// runWords are the flags of run that are read here.
type runWords struct {
	device.RunOptions
	faults, truth, register, timezone, as, owner string
	sensors                                      int
	printed                                      bool
}

func runCommand(code *int) *cobra.Command {
	var o runWords
	c := &cobra.Command{
		Use: "run", Short: "Simulate a street and publish what its sensors see", Args: cobra.NoArgs,
		Example: "  firmware-sim run --broker tcp://127.0.0.1:1883 --rate 1000 --duration 10s --truth truth.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries, err := o.read()
			switch {
			case err != nil:
				return err
			case o.printed:
				_, err := fmt.Fprint(cmd.OutOrStdout(), entries)
				return err
			case o.register != "":
				if err := os.WriteFile(o.register, []byte(entries), 0o644); err != nil {
					return err
				}
			}
			s, err := device.Run(cmd.Context(), o.RunOptions)
			if s != nil && o.truth != "" {
				err = joinTruth(err, o.truth, s)
			}
			if err != nil {
				*code = exitUnreachable
			}
			return err
		},
	}
	o.flags(c)
	return c
}

// read reads what is more than a word, and returns the sensors' register entries.
func (o *runWords) read() (entries string, err error) {
	if o.Faults, err = device.ParseFaults(o.faults); err != nil {
		return "", err
	}
	if o.Location, err = time.LoadLocation(o.timezone); err != nil {
		return "", fmt.Errorf("--timezone: %w", err)
	}
	if o.Sensors, err = device.Speaking(o.as, o.owner, o.sensors); err != nil {
		return "", err
	}
	return device.Entries(o.Sensors, o.Seed), nil
}

func (o *runWords) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.Broker, "broker", "tcp://127.0.0.1:1883", "where to publish")
	f.StringVar(&o.Credentials.User, "user", "", "user name at the broker; one that may write for all sensors")
	f.StringVar(&o.Credentials.PasswordFile, "password-file", "",
		"with --user: a file whose first line is the password")
	f.Uint64Var(&o.Seed, "seed", 1, "the same seed gives the same street and the same devices")
	f.StringVar(&o.as, "as", "", "what the sensors speak: native or a preset ("+
		strings.Join(dialect.Presets(), ", ")+"); by default each what the example city's register says")
	f.StringVar(&o.owner, "owner", "acme", "with --as: who owns the sensors")
	f.IntVar(&o.sensors, "sensors", 11, "how many sensors, the example city's first")
	f.IntVar(&o.Rate, "rate", 0, "readings a second from WiFi counters; 0 lets the street decide")
	f.DurationVar(&o.Beat, "beat", 0, "with --rate: time between heartbeats, in whole seconds; 0 for none")
	f.IntVar(&o.Crowd, "crowd", 1000, "with --rate: how many devices there are")
	f.IntVar(&o.Batch, "batch", 1, "with --rate: readings in a message")
	f.DurationVar(&o.Duration, "duration", time.Minute, "how long, in the street's time")
	f.Float64Var(&o.PerHour, "people", 900, "people who come in the busiest hour")
	f.DurationVar(&o.Rotate, "rotate", 0, "how long a device keeps its address; 0 keeps it for a visit")
	f.StringVar(&o.Start, "start", "", "where the street's time starts, RFC 3339; now by default")
	f.Float64Var(&o.Accelerate, "accelerate", 1, "street seconds in a second; 0 is as fast as possible")
	f.StringVar(&o.Clock, "clock", "", "drive the gateway's simulated clock on this topic")
	f.StringVar(&o.faults, "faults", "none",
		"duplicates,out-of-order,clocks,reboots,garbage,unknown-fields,silence or all")
	f.StringVar(&o.truth, "truth", "", "write what really happened to this file, as JSON lines")
	f.StringVar(&o.register, "register", "", "write the sensors' register entries to this file")
	f.BoolVar(&o.printed, "print-register", false, "print the sensors' register entries, and publish nothing")
	f.StringVar(&o.timezone, "timezone", "Europe/Madrid", "of the street's hours, and of devices that write local time")
}

func joinTruth(err error, path string, s *street.Street) error {
	f, openErr := os.Create(path)
	if openErr != nil {
		return openErr
	}
	if writeErr := s.Truth().Write(f); err == nil {
		err = writeErr
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

func replayCommand(code *int) *cobra.Command {
	var o device.ReplayOptions
	c := &cobra.Command{
		Use: "replay FILE", Short: "Publish real readings from CSV or JSON lines", Args: cobra.ExactArgs(1),
		Example: `  firmware-sim replay air.csv --map "ts=Date Time,sensor=Station,field.no2=NO2 Value" ` +
			`--layout unix --clock city/v1/clock`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.File = args[0]; o.Step < time.Second {
				return errors.New("--step is at least a second")
			}
			usage, err := device.Replay(cmd.Context(), o)
			if err != nil && !usage {
				*code = exitUnreachable
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&o.Broker, "broker", "tcp://127.0.0.1:1883", "where to publish")
	f.StringVar(&o.Credentials.User, "user", "", "user name at the broker; one that may write for all sensors")
	f.StringVar(&o.Credentials.PasswordFile, "password-file", "",
		"with --user: a file whose first line is the password")
	f.StringVar(&o.Map, "map", "", "ts=COL,sensor=COL,field.NAME=COL[:string|number|bool]; join columns of ts with +")
	f.StringVar(&o.Layout, "layout", "auto", "of ts: auto, unix, unixms, rfc3339 or a Go layout such as 1/2/2006 15:04")
	f.StringVar(&o.Timezone, "timezone", "UTC", "of ts without a zone")
	f.StringVar(&o.Owner, "owner", "replay",
		"owner in the topic city/v1/OWNER/SENSOR/up, where the sensor column does not say OWNER/SENSOR")
	f.Float64Var(&o.Accelerate, "accelerate", 0, "recorded seconds in a second; 0 is as fast as possible")
	f.StringVar(&o.Clock, "clock", "", "drive the gateway's simulated clock on this topic")
	f.DurationVar(&o.Step, "step", time.Minute,
		"with --clock: how far the clock moves at once, at most the gateway's windows.future")
	f.DurationVar(&o.Settle, "settle", 25*time.Hour, "with --clock: how far the clock goes on after the last reading")
	return c
}
