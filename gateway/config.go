package gateway

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sluice/policy/decision"
	"sluice/policy/plan"
)

// Config is gateway.yaml. Unknown keys are refused; the environment is not read.
type Config struct {
	// Gateway names this gateway in the public books, e.g. edge-1.
	Gateway string `yaml:"gateway"`
	// Dir is the state directory; one process at a time owns it.
	Dir string `yaml:"dir"`
	// Keys is a memory-backed directory for keys; auto to find one; or memory to
	// keep them nowhere else, so that every stop loses the open windows.
	Keys string `yaml:"keys"`
	// Simulation permits the clock topic and an unsigned policy directory, and
	// marks every release. It needs loopback listeners.
	Simulation bool `yaml:"simulation"`
	// Time is wall, or {topic: T} in a simulation.
	Time Time `yaml:"time"`
	// Register is the path of register.yaml.
	Register string `yaml:"register"`
	// Policy is where the policy comes from.
	Policy Policy `yaml:"policy"`
	// Listen is where sensors connect.
	Listen Listen `yaml:"listen"`
	// Windows bounds event time.
	Windows Windows `yaml:"windows"`
	// Outbox bounds what waits for the store.
	Outbox Outbox `yaml:"outbox"`
	// Store is where releases go.
	Store Store `yaml:"store"`
	// Admin is the address of health and metrics.
	Admin string `yaml:"admin"`
	// Log sets the level: debug, info, warn or error.
	Log Log `yaml:"log"`

	// Feedback is how often sensors hear what was dropped. The demo shortens it.
	Feedback time.Duration `yaml:"-"`
}

// Policy names an editable directory; only a simulation may run one.
type Policy struct {
	Dir string `yaml:"dir"`
}

// Listen is the embedded listener.
type Listen struct {
	MQTT string `yaml:"mqtt"`
}

// Windows are the bounds of event time.
type Windows struct {
	// Future is how far ahead of the gateway's clock a reading may be.
	Future plan.Period `yaml:"future"`
	// CatchUp bounds how long after a start windows stay open for what sensors
	// kept while the gateway was down; their lateness is less as a rule.
	CatchUp plan.Period `yaml:"catch_up"`
}

// Outbox is bounded, e.g. 1GiB.
type Outbox struct {
	MaxBytes Size `yaml:"max_bytes"`
}

// Store is SQLite.
type Store struct {
	SQLite *SQLite `yaml:"sqlite"`
}

// SQLite is one file.
type SQLite struct {
	Path string `yaml:"path"`
}

// Log configures slog.
type Log struct {
	Level string `yaml:"level"`
}

// Time is the clock: wall time, or a topic.
type Time struct{ Topic string }

// UnmarshalYAML reads `wall` or {topic: T}.
func (t *Time) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if unmarshal(&word) == nil && word == "wall" {
		return nil
	}
	var topic struct {
		Topic string `yaml:"topic"`
	}
	if err := unmarshal(&topic); err != nil || topic.Topic == "" || strings.ContainsAny(topic.Topic, "+#") {
		return errors.New("time is `wall` or {topic: TOPIC}")
	}
	t.Topic = topic.Topic
	return nil
}

// Size is a number of bytes such as 512MiB.
type Size int64

// UnmarshalText reads a whole number with B, KiB, MiB or GiB.
func (s *Size) UnmarshalText(b []byte) error {
	text := string(b)
	for unit, shift := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
		if n, ok := strings.CutSuffix(text, unit); ok {
			v, err := strconv.ParseInt(n, 10, 32)
			if err != nil || v < 1 {
				return errors.New("not a size such as 1GiB")
			}
			*s = Size(v << shift)
			return nil
		}
	}
	v, err := strconv.ParseInt(strings.TrimSuffix(text, "B"), 10, 64)
	if err != nil || v < 1 {
		return errors.New("not a size such as 1GiB")
	}
	*s = Size(v)
	return nil
}

// Refusal is an error about the configuration or the place to run in: mend it
// and start again.
type Refusal struct{ Err error }

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(format string, args ...any) error { return &Refusal{fmt.Errorf(format, args...)} }

// notYet are keys that docs/operations.md plans and this version does not have;
// saying so is better than "unknown field".
var notYet = map[string]string{
	"mqtt":      "an external broker (mqtt:) is not in this version; use listen: {mqtt: ADDR}",
	"tls":       "TLS is not in this version; listen on loopback",
	"passwords": "sensor passwords are not in this version; listen on loopback",
	"influx":    "InfluxDB is not in this version; use store: {sqlite: {path: FILE}}",
	"inbox":     "signed policies are not in this version; use policy: {dir: DIR} with simulation: true",
}

// ReadConfig reads and checks gateway.yaml. Relative paths are relative to it.
func ReadConfig(path string) (Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Config{}, refuse("configuration: %w", err)
	}
	var c Config
	if err := decision.Decode(path, raw, &c); err != nil {
		for key, hint := range notYet {
			if strings.Contains(err.Error(), fmt.Sprintf("unknown field %q", key)) {
				err = fmt.Errorf("%w\n%s", err, hint)
			}
		}
		return Config{}, refuse("%w", err)
	}
	base := filepath.Dir(path)
	for _, p := range []*string{&c.Dir, &c.Register, &c.Policy.Dir} {
		*p = under(base, *p)
	}
	if c.Store.SQLite != nil {
		c.Store.SQLite.Path = under(base, c.Store.SQLite.Path)
	}
	if err := c.Check(); err != nil {
		return Config{}, refuse("%s: %w", path, err)
	}
	return c, nil
}

func under(base, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// Check fills in defaults and refuses what cannot run.
func (c *Config) Check() error {
	if c.Gateway == "" {
		c.Gateway = "edge-1"
	}
	if c.Keys == "" {
		c.Keys = "auto"
	}
	if c.Admin == "" {
		c.Admin = "127.0.0.1:9090"
	}
	if c.Outbox.MaxBytes == 0 {
		c.Outbox.MaxBytes = 1 << 30
	}
	if c.Windows.Future.IsZero() {
		c.Windows.Future = plan.MustPeriod("PT60S")
	}
	if c.Windows.CatchUp.IsZero() {
		c.Windows.CatchUp = plan.MustPeriod("PT6H")
	}
	if c.Feedback == 0 {
		c.Feedback = 5 * time.Minute
	}
	if c.Policy.Dir == "" && c.Dir != "" {
		c.Policy.Dir = filepath.Join(c.Dir, "policy")
	}
	if c.Store.SQLite == nil && c.Dir != "" {
		c.Store.SQLite = &SQLite{Path: filepath.Join(c.Dir, "store.db")}
	}
	switch {
	case c.Dir == "":
		return errors.New("dir is missing: the state directory, e.g. /var/lib/sluice")
	case c.Register == "":
		return errors.New("register is missing: the path of register.yaml")
	case c.Listen.MQTT == "":
		return errors.New("listen: {mqtt: ADDR} is missing, e.g. 127.0.0.1:1883")
	case !c.Simulation:
		return errors.New("this version runs unsigned policies only, and so only with simulation: true")
	case !loopback(c.Listen.MQTT) || !loopback(c.Admin):
		return errors.New("simulation: true needs listeners on loopback, e.g. 127.0.0.1:1883")
	}
	return nil
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
