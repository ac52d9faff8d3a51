// Package certify tries a device as a city's gateway and network would, and says what it found in a report
// that a city can ask for in a tender. docs/certificate.md defines each check.
//
// A run has four parts. A bench (certify/bench) is a real gateway with one sensor. A tap (certify/tap)
// stands between it and the device, and does what networks do. A Hand does with the device what a check
// needs: a person who is told, or a command. And one goroutine, this package's, goes through the checks,
// waits for what must come of each, and judges by what passed the tap and what the gateway said of it.
//
// Nothing that a device measures is kept or shown: all that comes here are stamps, flags, counts and codes.
package certify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/certify/bench"
	"sluice/certify/report"
	"sluice/certify/tap"
	"sluice/register/preset"
)

// Options of a run.
type Options struct {
	Sensor bench.Sensor
	// File is the name of a kinds.yaml, for errors; Kinds its text.
	File  string
	Kinds []byte
	// Device is what the report calls the device; Program this program.
	Device, Program string
	// Listen is where the device connects; with TLS where there is a certificate.
	Listen string
	TLS    *tls.Certificate
	Web    bool // by WebSocket
	// Outage is how long nobody answers, at least: three of the device's intervals, if that is longer.
	Outage time.Duration
	// Patience is how long a device has for each thing that it must do.
	Patience time.Duration
	// Deadline ends the run: what was not tried by then is not tried.
	Deadline time.Duration
	Hand     Hand
	// Show is called with each check that is done, Progress with what is waited for.
	Show     func(report.Check)
	Progress func(string)
}

// Entry is what is entered into the device.
type Entry struct {
	Addr             string // HOST:PORT
	TLS, Web         bool
	User, Password   string
	Readings, Beats  string // topics
	FeedbackTopic    string
	HeartbeatsWanted string // how often, as an ISO 8601 duration; empty where the kind asks for none
}

// Hand does with the device what a check needs. Both return at once when a person is to do it.
type Hand interface {
	// Connect has the device connect for the first time, as an entry says.
	Connect(ctx context.Context, e Entry) error
	// Restart has the device lose its power, and come back.
	Restart(ctx context.Context) error
}

// run is one run. Its goroutine owns it.
type run struct {
	o     Options
	bench *bench.Bench
	tap   *tap.Tap
	rec   record
	// watch is told of each event too, with the readings in it that did not come before.
	watch func(e tap.Event, fresh []stamp)
	done  map[string]report.Check
	codes func(check string) []report.Code // what the gateway said until now
	err   error                            // why the run cannot go on
}

// errDeadline says that time is over.
var errDeadline = errors.New("the deadline came first")

// Run tries the device. An error means that there is no report.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	began := time.Now().UTC().Truncate(time.Second)
	b, err := bench.Open(ctx, o.Sensor, o.File, o.Kinds, began)
	if err != nil {
		return nil, err
	}
	r := &run{o: o, bench: b, rec: newRecord(), done: make(map[string]report.Check)}
	r.codes = func(check string) []report.Code { return codes(check, b.Notes(), b.Account().Refused) }
	err = r.try(ctx)
	if err := errors.Join(err, b.Close()); err != nil {
		return nil, err
	}
	checks := make([]report.Check, len(report.Checks))
	for i, name := range report.Checks {
		checks[i] = r.done[name]
	}
	out := &report.Report{
		Format: report.Format, Device: o.Device, Kind: o.Sensor.Kind, Kinds: "sha256:" + b.Kinds, Program: o.Program,
		Preset: b.Sensor.Preset, Profile: b.Sensor.Profile,
		Began: began, Ended: time.Now().UTC().Truncate(time.Second), Readings: report.Magnitude(int64(r.rec.readings)),
		Checks: checks, Result: report.Overall(checks),
	}
	return out, nil
}

// try opens the tap and goes through the checks.
func (r *run) try(ctx context.Context) error {
	s := r.bench.Sensor
	t, err := tap.Listen(r.o.Listen, r.o.TLS, r.bench.MQTT(), s.ID, r.language())
	if err != nil {
		return fmt.Errorf("nothing can listen at that address: %w; choose another with --listen", err)
	}
	r.tap = t
	if r.o.Web {
		t.Web()
	}
	live, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- t.Run(live) }()
	entry := Entry{Addr: t.Addr(), TLS: r.o.TLS != nil, Web: r.o.Web, User: s.ID, Password: r.bench.Password,
		Readings: s.UpTopic(), Beats: s.HeartbeatTopic(), FeedbackTopic: s.FeedbackTopic()}
	if p := r.bench.Preset; p != nil {
		entry.Readings, entry.Beats = topicOf(p, preset.Reading, s.Device), topicOf(p, preset.Heartbeat, s.Device)
	}
	if every := r.bench.Kind.Heartbeat; !every.IsZero() {
		entry.HeartbeatsWanted = every.String()
	}
	timed, cancel := context.WithTimeoutCause(ctx, r.o.Deadline, errDeadline)
	defer cancel()
	r.steps(timed, entry)
	stop()
	err = <-ended
	if r.stopped() {
		return r.err
	}
	return err
}

// language is what the device speaks.
func (r *run) language() tap.Language {
	s, p := r.bench.Sensor, r.bench.Preset
	if p == nil {
		return tap.Plain(s.UpTopic(), s.HeartbeatTopic())
	}
	every := r.bench.Kind.Heartbeat.Nominal()
	if every <= 0 {
		every = time.Minute
	}
	return tap.InPreset(p, s.Device, every)
}

// topicOf is the first topic of a preset for messages of a role, as a device has it; empty for none.
func topicOf(p *preset.Preset, role preset.Role, device string) string {
	for _, t := range p.Topics {
		if t.Role != role {
			continue
		}
		topic := strings.ReplaceAll(t.Pattern, "{device#}", device)
		for _, part := range strings.Split(device, "/") {
			topic = strings.Replace(topic, "{device}", part, 1)
		}
		return topic
	}
	return ""
}

// stopped reports whether the run ended in another way than by its end or its deadline.
func (r *run) stopped() bool { return r.err != nil && !errors.Is(r.err, errDeadline) }

// steps are the checks in the order in which they are made: each leaves the device connected for the next.
func (r *run) steps(ctx context.Context, entry Entry) {
	if r.connect(ctx, entry) {
		for _, step := range []func(context.Context){r.retransmission, r.backlog, r.reset, r.transport, r.beatsCome} {
			if r.err == nil {
				step(ctx)
			}
		}
		r.settle(ctx)
	}
	if r.stopped() {
		return
	}
	why := "nothing of the device came"
	if r.rec.messages > 0 {
		why = errDeadline.Error()
		r.judge()
	}
	for _, name := range report.Checks {
		if _, done := r.done[name]; !done {
			r.untried(name, "%s", why)
		}
	}
}
