// Package town wires a whole small town into one process: broker, gateway,
// store, open data and a simulated city, all on loopback.
package town

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/books"
	"sluice/brief"
	"sluice/configs/portalba"
	"sluice/gateway"
	"sluice/gateway/config"
	"sluice/opendata"
	"sluice/perm"
	"sluice/policy/workspace"
	"sluice/store/sqlite"
)

// clockTopic carries the simulated clock.
const clockTopic = "city/v1/clock"

// Options of a town.
type Options struct {
	Dir, HTTP, MQTT, Admin string
	// WebSocket is where sensors connect by WebSocket; empty for nowhere.
	WebSocket string
	JSON      bool
	// Demo adds a simulated city with a simulated clock, and runs an unsigned policy.
	Demo bool
	// Members of a real town's first roster; if there are none, a founding member is made.
	Members   []workspace.Member
	AllowSwap bool
	// Ephemeral: Dir is removed on exit, and keys are kept in memory only.
	Ephemeral bool
	Out, Err  io.Writer
}

// Town is a running town.
type Town struct {
	o       Options
	log     *slog.Logger
	gateway *gateway.Gateway
	store   *sqlite.Reader
	open    *opendata.Server
	problem string // of the policy directory, as last reported
}

// Open sets up the state directory and starts every part.
func Open(ctx context.Context, o Options) (_ *Town, err error) {
	addrs := []*string{&o.HTTP, &o.MQTT, &o.Admin}
	if o.WebSocket != "" {
		addrs = append(addrs, &o.WebSocket)
	}
	for _, addr := range addrs {
		host, port, err := net.SplitHostPort(*addr)
		switch {
		case err == nil && host == "":
			*addr = net.JoinHostPort("127.0.0.1", port)
		case err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback():
			return nil, &config.Refusal{Err: errors.New("up listens on loopback only; give addresses such as " +
				"127.0.0.1:8080, or run sluice gateway and sluice opendata")}
		}
	}
	if err := perm.Check(o.Dir, perm.Ours); err != nil { // before a key is written there
		return nil, &config.Refusal{Err: err}
	}
	set := o.writeDemo
	if !o.Demo {
		set = o.writeOwn
	}
	if err := set(); err != nil {
		return nil, &config.Refusal{Err: fmt.Errorf("state directory: %w; choose another with --dir", err)}
	}
	t := &Town{o: o, log: brief.NewLogger(o.Err, slog.LevelWarn)}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	cfg, err := o.configureDemo(), error(nil)
	if !o.Demo {
		if cfg, err = o.configure(); err != nil {
			return t, &config.Refusal{Err: err}
		}
	}
	t.gateway, err = gateway.Open(ctx, cfg, t.log)
	if err != nil {
		t.gateway = nil
		return t, err
	}
	t.store = sqlite.NewReader(filepath.Join(o.Dir, "store.db"))
	cfgOpen := opendata.Config{HTTP: o.HTTP, Streets: o.streets(),
		Archive: opendata.Archive{Dir: filepath.Join(o.Dir, "archive")}}
	cfgOpen.MQTT.WebSocket = true
	if t.open, err = opendata.Open(cfgOpen, t.store, books.Dir(filepath.Join(o.Dir, "public")), t.log); err != nil {
		return t, &config.Refusal{Err: err}
	}
	return t, nil
}

// configureDemo is the gateway of the demo: a simulation whose policy is edited.
func (o *Options) configureDemo() config.Config {
	keys := "auto"
	if o.Ephemeral {
		keys = "memory"
	}
	return config.Config{
		Gateway: "demo", Keys: keys, Dir: o.Dir, Simulation: true, Time: config.Time{Topic: clockTopic},
		Register: filepath.Join(o.Dir, "register.yaml"), Listen: o.listen(), Admin: o.Admin,
		Feedback: 10 * time.Second,
	}
}

func (o *Options) listen() config.Listen { return config.Listen{MQTT: o.MQTT, WebSocket: o.WebSocket} }

// streets is the file of the town's own streets; empty where there is none.
func (o *Options) streets() string {
	file := filepath.Join(o.Dir, "streets.geojson")
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

// demoCouncil are the members of the demo's council. Their keys are in DIR/keys, for trying a vote.
var demoCouncil = []string{"anna", "bru", "carla", "dani", "emma", "ferran", "gemma"}

// writeDemo writes those files of the example city that are not there yet.
func (o *Options) writeDemo() error {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return err
	}
	for name, raw := range map[string][]byte{"register.yaml": portalba.Register, "streets.geojson": portalba.Streets} {
		file := filepath.Join(o.Dir, name)
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			if err := os.WriteFile(file, raw, 0o644); err != nil {
				return err
			}
		}
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "policy")); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	files := portalba.Policy()
	var members []workspace.Member
	for _, id := range demoCouncil {
		key, err := workspace.MakeKey(filepath.Join(o.keys(), id), id)
		if err != nil {
			return err
		}
		members = append(members, workspace.Member{ID: id, Key: key})
	}
	files["council.yaml"] = workspace.Roster(members)
	part := filepath.Join(o.Dir, "policy.part")
	if err := errors.Join(os.RemoveAll(part), files.Write(part), workspace.Dir(part).Schemas()); err != nil {
		return err
	}
	return os.Rename(part, filepath.Join(o.Dir, "policy"))
}

// Run runs the town until ctx ends. Then it stops the city and the gateway, delivers what was
// released to the store, and stops the open data last.
func (t *Town) Run(ctx context.Context) error {
	t.banner()
	edge, stopEdge := context.WithCancel(context.WithoutCancel(ctx))
	face, stopFace := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEdge()
	defer stopFace()
	var eg errgroup.Group
	failed := make(chan struct{}, 2)
	start := func(f func(context.Context) error, ctx context.Context) {
		eg.Go(func() error {
			err := f(ctx)
			if err != nil {
				failed <- struct{}{}
			}
			return err
		})
	}
	start(t.gateway.Run, edge)
	start(func(ctx context.Context) error { t.gateway.Reloads(ctx, nil); return nil }, edge)
	start(t.open.Run, face)
	living, stopCity := context.WithCancel(ctx)
	defer stopCity()
	go func() {
		select {
		case <-failed:
			stopCity()
		case <-living.Done():
		}
	}()
	life := t.stay
	if t.o.Demo {
		life = t.live
	}
	err := life(living)
	stopEdge()
	stopFace()
	return errors.Join(err, eg.Wait(), t.close())
}

func (t *Town) close() error {
	var errs []error
	if t.gateway != nil {
		errs = append(errs, t.gateway.Close())
	}
	if t.store != nil {
		errs = append(errs, t.store.Close())
	}
	return errors.Join(errs...)
}
