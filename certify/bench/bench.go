// Package bench is the gateway that a device is tried against: a real one, in a directory of its own,
// with one sensor, its kind, and a decision that counts whatever the kind sends. It listens on
// loopback only, keeps its keys in memory, marks all that it does as a simulation, and is gone at the end.
package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"sluice/gateway"
	"sluice/gateway/config"
	"sluice/internal/names"
	"sluice/register"
	"sluice/register/access"
	"sluice/register/preset"
)

// Tell is how often the gateway says what it dropped.
const Tell = time.Second

// Sensor is the device's entry in the register. Where it speaks a preset, Device is what that calls it, and Files are
// presets and profiles that are none of the program's, by their files' names.
type Sensor struct {
	ID, Owner, Kind         string
	Preset, Profile, Device string
	Files                   map[string][]byte
}

// speaks is the part of the entry that says what it speaks.
func (s Sensor) speaks() string {
	if s.Preset == "" {
		return ""
	}
	text := fmt.Sprintf(", preset: %s, device: %q", s.Preset, s.Device)
	if s.Profile != "" {
		text += ", profile: " + s.Profile
	}
	return text
}

// Bench is a gateway that runs.
type Bench struct {
	Sensor   register.Sensor
	Password string // of the sensor
	// Kinds is the SHA-256 of the kinds.yaml, in hex.
	Kinds string
	Kind  register.Kind
	// Preset is what the device speaks; nil for docs/wire.md's own format.
	Preset *preset.Preset

	dir     string
	gateway *gateway.Gateway
	ear     mqtt.Client
	stop    context.CancelFunc
	done    chan struct{} // closed when the gateway has stopped
	err     error         // how; read once done is closed

	mu    sync.Mutex
	notes map[place]Note // guarded by mu
}

// Account is what became of the device's readings.
type Account struct {
	// Accepted are those that are counted; Duplicates those that were known already.
	Accepted, Duplicates int64
	// Refused are the others, by code, with those that came too late as E302.
	Refused map[string]int64
}

// Open starts a gateway for a sensor whose kind is in a kinds.yaml, of which raw is the text.
func Open(ctx context.Context, s Sensor, file string, raw []byte, now time.Time) (_ *Bench, err error) {
	kinds, err := register.ParseKinds(file, raw)
	if err != nil {
		return nil, err
	}
	kind, known := kinds[s.Kind]
	if !known {
		return nil, fmt.Errorf("%s has no kind %q; it has %s", file, s.Kind, list(kinds))
	}
	if !names.Valid(s.ID) || !names.Valid(s.Owner) {
		return nil, fmt.Errorf("a sensor and its owner have names: %s", names.Form)
	}
	b := &Bench{Kinds: fmt.Sprintf("%x", sha256.Sum256(raw)), Kind: kind, notes: make(map[place]Note)}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.dir, err = os.MkdirTemp("", "sluice-certify-"); err != nil {
		return nil, err
	}
	if err := b.write(s, now); err != nil {
		return nil, err
	}
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	return b, b.listen()
}

// write writes policy, register and password.
func (b *Bench) write(s Sensor, now time.Time) error {
	files := policy(s.Kind, b.Kind, now)
	files["register.yaml"] = fmt.Sprintf("sensors:\n  - {id: %s, owner: %s, kind: %s, zone: bench, registered: %s%s}\n",
		s.ID, s.Owner, s.Kind, now.AddDate(0, 0, -2).Format(time.DateOnly), s.speaks())
	for name, text := range s.Files {
		files[filepath.Join("presets", name)] = string(text)
	}
	passwords, err := access.ParsePasswords("passwords", nil)
	if err != nil {
		return err
	}
	made, err := passwords.Make([]string{s.ID}, func(int) {})
	if err != nil {
		return err
	}
	b.Password = made[0]
	files["passwords"] = string(passwords.File())
	for name, text := range files {
		path := filepath.Join(b.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// open starts the gateway.
func (b *Bench) open(ctx context.Context) (err error) {
	cfg := config.Config{
		Gateway: "bench", Keys: "memory", Dir: filepath.Join(b.dir, "state"), Simulation: true,
		Register: filepath.Join(b.dir, "register.yaml"),
		Listen:   config.Listen{MQTT: "127.0.0.1:0", Passwords: filepath.Join(b.dir, "passwords")},
		Admin:    "127.0.0.1:0", Policy: config.Policy{Dir: filepath.Join(b.dir, "policy")}, Feedback: Tell,
	}
	reg, err := cfg.ReadRegister()
	if err != nil {
		return err
	}
	b.Sensor = reg.Sensors[0]
	b.Preset = reg.Presets.Presets.Of(b.Sensor.Preset)
	if b.gateway, err = gateway.Open(ctx, cfg, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if text := b.gateway.Problem(); text != "" {
		return errors.Join(fmt.Errorf("the kind cannot be tried: %s", text), b.gateway.Close())
	}
	live, stop := context.WithCancel(context.WithoutCancel(ctx))
	b.stop, b.done = stop, make(chan struct{})
	go func() {
		defer close(b.done)
		b.err = errors.Join(b.gateway.Run(live), b.gateway.Close())
	}()
	return nil
}

// MQTT is where the gateway listens.
func (b *Bench) MQTT() string { return b.gateway.MQTT() }

// Account is what became of the device's readings until now.
func (b *Bench) Account() Account {
	r := b.gateway.Report()
	a := Account{Accepted: r.Counted + r.Open, Duplicates: r.Duplicate, Refused: make(map[string]int64)}
	for code, n := range r.Refused {
		a.Refused[code] = n
	}
	if r.Late > 0 {
		a.Refused["E302"] += r.Late
	}
	return a
}

// Ended is closed when the gateway has stopped, by itself or by Close, which says why.
func (b *Bench) Ended() <-chan struct{} { return b.done }

// Close stops the gateway and removes all that it has written.
func (b *Bench) Close() error {
	if b.ear != nil {
		b.ear.Disconnect(100)
	}
	var err error
	if b.stop != nil {
		b.stop()
		<-b.done
		err = b.err
	}
	if b.dir == "" {
		return err
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}
