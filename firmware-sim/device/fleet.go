package device

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"sluice/firmware-sim/device/dialect"
	"sluice/firmware-sim/street"
)

// Fleet is the firmware of all sensors, each with its dialect.
type Fleet struct {
	out     func(topic string, payload []byte, retain bool)
	sensors []street.Sensor
	faults  Faults
	rnd     *rand.Rand
	seq     []uint64
	boot    []uint64
	silent  []time.Time
	last    []dialect.Message
	totals  []map[string]float64

	mu       sync.Mutex        // guards out and the speakers: a command may come at any time
	speakers []dialect.Speaker // guarded by mu
	by       []int             // each sensor's speaker
	now      time.Time         // of the last call; guarded by mu
}

// NewFleet makes the firmware of sensors that speak the native format; boot tells this start from
// earlier ones.
func NewFleet(link *Link, sensors []street.Sensor, faults Faults, seed, boot uint64) *Fleet {
	sensors = slices.Clone(sensors)
	for i := range sensors {
		sensors[i].As = dialect.Native
	}
	f, err := fleetOf(sensors, faults, seed, boot, time.UTC)
	if err != nil {
		panic("device: the native dialect is not known")
	}
	f.out = link.Publish
	return f
}

func fleetOf(sensors []street.Sensor, faults Faults, seed, boot uint64, loc *time.Location) (*Fleet, error) {
	f := &Fleet{
		sensors: sensors, faults: faults, rnd: rand.New(rand.NewPCG(seed, boot)),
		seq: make([]uint64, len(sensors)), boot: make([]uint64, len(sensors)),
		silent: make([]time.Time, len(sensors)), last: make([]dialect.Message, len(sensors)),
		totals: make([]map[string]float64, len(sensors)),
	}
	for i := range f.boot {
		f.boot[i] = boot
	}
	var err error
	f.speakers, f.by, err = dialect.Speakers(sensors, boot, loc)
	return f, err
}

// Launch connects a fleet whose sensors speak what they are said to (street.Sensor.As), in a city of
// some timezone, and brings it up at an instant: joins, births and whatever else their systems say.
func Launch(
	broker, clientID string, c Credentials, sensors []street.Sensor, faults Faults, seed, boot uint64,
	loc *time.Location, now time.Time,
) (*Link, *Fleet, error) {
	sensors = slices.Clone(sensors)
	dialect.Identify(sensors, seed)
	f, err := fleetOf(sensors, faults, seed, boot, loc)
	if err != nil {
		return nil, nil, err
	}
	password, err := c.password()
	if err != nil {
		return nil, nil, err
	}
	o := options(broker, clientID, c.User, password)
	f.leaveWill(o)
	link, err := connect(o)
	if err != nil {
		return nil, nil, err
	}
	f.listen(link.client)
	f.start(link, now)
	return link, f, nil
}

// leaveWill gives the connection the will of the speaker that has one, and another at each reconnection,
// after which that speaker starts anew.
func (f *Fleet) leaveWill(o *mqtt.ClientOptions) {
	for _, s := range f.speakers {
		willed, ok := s.(dialect.Willed)
		if !ok {
			continue
		}
		will := willed.Session()
		o.SetBinaryWill(will.Topic, will.Payload, 1, false)
		o.SetReconnectingHandler(func(_ mqtt.Client, o *mqtt.ClientOptions) { // without mu, which may wait for it
			will := willed.Session()
			o.SetBinaryWill(will.Topic, will.Payload, 1, false)
		})
		connected := false
		o.SetOnConnectHandler(func(c mqtt.Client) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if connected && f.out != nil {
				f.listen(c)
				f.publishAll(s.Start(f.now))
			}
			connected = true
		})
	}
}

// listen subscribes to commands. A host that never gives any may refuse it.
func (f *Fleet) listen(c mqtt.Client) {
	for _, s := range f.speakers {
		if commanded, ok := s.(dialect.Commanded); ok {
			c.Subscribe(commanded.Commands(), 1, func(_ mqtt.Client, m mqtt.Message) {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.publishAll(commanded.Command(m.Payload(), f.now))
			})
		}
	}
}

// start says what systems say when they come up.
func (f *Fleet) start(link *Link, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out, f.now = link.Publish, now
	for _, s := range f.speakers {
		f.publishAll(s.Start(now))
	}
}

func (f *Fleet) publishAll(list []dialect.Message) {
	for _, m := range list {
		f.out(m.Topic, m.Payload, m.Retain)
	}
}

// Send publishes observations, sensor by sensor.
func (f *Fleet) Send(list []street.Observation) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	by := make([][]dialect.Reading, len(f.sensors))
	for _, o := range list {
		f.add(o)
		if o.Time.After(f.now) {
			f.now = o.Time
		}
		if f.mute(o) {
			continue
		}
		by[o.Sensor] = append(by[o.Sensor], f.read(o))
	}
	for i, all := range by {
		if f.faults.Shuffle {
			f.rnd.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
		}
		for _, m := range f.speakers[f.by[i]].Say(i, all) {
			f.publish(i, m)
		}
	}
	return nil
}

func (f *Fleet) publish(i int, m dialect.Message) {
	f.out(m.Topic, m.Payload, m.Retain)
	if f.faults.Duplicate && f.rnd.IntN(10) == 0 && dialect.TellsRepeats(f.sensors[i].As) {
		f.out(m.Topic, m.Payload, m.Retain)
		if last := f.last[i]; last.Topic != "" {
			f.out(last.Topic, last.Payload, last.Retain)
		}
	}
	if f.faults.Garbage && f.rnd.IntN(10) == 0 {
		f.out(m.Topic, slices.Clone(m.Payload[:f.rnd.IntN(max(1, len(m.Payload)))]), false)
	}
	f.last[i] = m
}

func (f *Fleet) mute(o street.Observation) bool {
	if !f.faults.Silence {
		return false
	}
	if f.silent[o.Sensor].IsZero() && f.rnd.IntN(5000) == 0 {
		f.silent[o.Sensor] = o.Time.Add(2 * time.Hour)
	}
	return o.Time.Before(f.silent[o.Sensor])
}

// add adds up what a device that never forgets shows.
func (f *Fleet) add(o street.Observation) {
	if !street.Adds(f.sensors[o.Sensor].Kind) {
		return
	}
	sum := make(map[string]float64, len(o.Fields)) // afresh: earlier readings keep theirs
	for name, total := range f.totals[o.Sensor] {
		sum[name] = total
	}
	for name, value := range o.Fields {
		switch x := value.(type) {
		case int:
			sum[name] += float64(x)
		case float64:
			sum[name] += x
		}
	}
	f.totals[o.Sensor] = sum
}

// read is what a sensor says of an observation, with the mistakes of its firmware.
func (f *Fleet) read(o street.Observation) dialect.Reading {
	i := o.Sensor
	if f.faults.Reboot && f.rnd.IntN(500) == 0 {
		f.seq[i] = 0 // and the boot stays the same: firmware that keeps none
		f.publishAll(f.speakers[f.by[i]].Reboot(i, o.Time))
	}
	at := o.Time
	if f.faults.Clock && f.rnd.IntN(50) == 0 && dialect.TellsTime(f.sensors[i].As) {
		at = at.Add([]time.Duration{-26 * time.Hour, 3 * time.Hour}[f.rnd.IntN(2)])
	}
	r := dialect.Reading{Time: at, Seq: f.seq[i], Boot: f.boot[i], Fields: o.Fields, Totals: f.totals[i]}
	f.seq[i]++
	if f.faults.Unknown && f.rnd.IntN(20) == 0 {
		r.Fields["firmware_debug"] = "not of the kind"
	}
	return r
}

// Beat sends the heartbeats of all live sensors.
func (f *Fleet) Beat(now time.Time, every string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
	for i, s := range f.sensors {
		if s.Dead || now.Before(f.silent[i]) {
			continue
		}
		f.publishAll(f.speakers[f.by[i]].Beat(i, now, every, f.seq[i]))
	}
}

// Entries are the sensors' register entries, with the names that Launch gives them, and what their kinds are where the
// example city has them not.
func Entries(sensors []street.Sensor, seed uint64) string {
	sensors = slices.Clone(sensors)
	dialect.Identify(sensors, seed)
	text := lacking(sensors) + "sensors:\n"
	for _, s := range sensors {
		text += dialect.Entry(s)
	}
	return text
}

// Speaking are n sensors: the example city's, as they are where no dialect is named and all natively
// where that is; otherwise of the kinds that a dialect has, and of one owner, since whoever sends for
// many devices does so under one name.
func Speaking(as, owner string, n int) ([]street.Sensor, error) {
	switch as {
	case "":
		return street.Named(n), nil
	case dialect.Native:
		list := street.Named(n)
		for i := range list {
			list[i].As, list[i].Device = "", ""
		}
		return list, nil
	}
	kinds := dialect.Kinds(as)
	if kinds == nil {
		return nil, fmt.Errorf("--as: unknown preset; choose from %s", strings.Join(dialect.Names(), ", "))
	}
	list := street.Fleet(owner, kinds, n)
	for i := range list {
		list[i].As = as
	}
	return list, nil
}
