package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/gateway/inbox"
	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/perm"
	"sluice/store/influx"
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
	// Register is the path of register.yaml, or of a directory of *.yaml files.
	Register string `yaml:"register"`
	// Policy is where the policy comes from.
	Policy Policy `yaml:"policy"`
	// AllowSwap lets streams about people run on a machine with unencrypted swap.
	AllowSwap bool `yaml:"allow_swap"`
	// MQTT is a broker of the city's own, where the gateway is a client.
	MQTT *MQTT `yaml:"mqtt"`
	// Listen is where sensors connect to the gateway itself. At least one of mqtt
	// and listen is needed.
	Listen Listen `yaml:"listen"`
	// Windows bounds event time.
	Windows Windows `yaml:"windows"`
	// Outbox bounds what waits for the store.
	Outbox Outbox `yaml:"outbox"`
	// Store is where releases go.
	Store Store `yaml:"store"`
	// Witness is an outside copy of the public books, which no restored backup takes
	// back: a directory elsewhere, which the gateway keeps up to date, or the URL of
	// an open-data server's or mirror's books. A gateway whose state directory is
	// older releases nothing until that is mended (sluice ledger recover).
	Witness string `yaml:"witness"`
	// Admin is the address of health and metrics.
	Admin string `yaml:"admin"`
	// Log sets the level: debug, info, warn or error.
	Log Log `yaml:"log"`

	// Feedback is how often sensors hear what was dropped. The demo shortens it.
	Feedback time.Duration `yaml:"-"`
}

// Policy is where the policy comes from: motions that the council signed, or an
// editable directory, which only a simulation may run.
type Policy struct {
	// Dir is a policy directory, reloaded when it is saved.
	Dir string `yaml:"dir"`
	// Inbox is where motion files arrive: a directory, or a URL of a file or of a
	// directory's listing. It is looked at every Every, PT1M by default.
	Inbox string       `yaml:"inbox"`
	Every civil.Period `yaml:"every"`
	// Roster is sha256: and the SHA-256, in hex, of the first council.yaml. The
	// rosters after it were voted by those before.
	Roster string `yaml:"roster"`
}

// Signed reports whether only what the council signed runs.
func (p Policy) Signed() bool { return p.Inbox != "" }

// pin is the first roster's hash, without its prefix.
func (p Policy) pin() string { return strings.TrimPrefix(p.Roster, "sha256:") }

// MQTT is the connection to a broker.
type MQTT struct {
	// Broker is tcp://HOST:PORT or tls://HOST:PORT.
	Broker string `yaml:"broker"`
	// ClientID names the session that the broker keeps; sluice-GATEWAY by default.
	ClientID string `yaml:"client_id"`
	// Username and PasswordFile, whose first line is the password.
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	// CA verifies the broker, in PEM; by default the system's authorities. Cert
	// and Key are the gateway's own.
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Listen is the embedded listener.
type Listen struct {
	MQTT string `yaml:"mqtt"`
	TLS  *TLS   `yaml:"tls"`
	// Passwords is a file that `sluice sensor acl` writes: who may connect as which
	// sensor.
	Passwords string `yaml:"passwords"`
}

// TLS is the listener's certificate, in PEM. With ClientCA a sensor may show a
// certificate whose common name is its id; without Passwords it must.
type TLS struct {
	Cert     string `yaml:"cert"`
	Key      string `yaml:"key"`
	ClientCA string `yaml:"client_ca"`
}

// Windows are the bounds of event time.
type Windows struct {
	// Future is how far ahead of the gateway's clock a reading may be.
	Future civil.Period `yaml:"future"`
	// CatchUp bounds how long windows stay open for what a broker and sensors kept
	// while the gateway was away.
	CatchUp civil.Period `yaml:"catch_up"`
}

// Outbox is bounded, e.g. 1GiB.
type Outbox struct {
	MaxBytes Size `yaml:"max_bytes"`
}

// Store is SQLite, the default, or InfluxDB.
type Store struct {
	SQLite *SQLite        `yaml:"sqlite"`
	Influx *influx.Config `yaml:"influx"`
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

// ReadConfig reads and checks gateway.yaml. Relative paths are relative to it.
func ReadConfig(path string) (Config, error) {
	raw, err := perm.Read(path, perm.Trusted)
	if err != nil {
		return Config{}, refuse("configuration: %w", err)
	}
	var c Config
	if err := yamldoc.Decode(path, raw, &c); err != nil {
		return Config{}, refuse("%w", err)
	}
	base := filepath.Dir(path)
	for _, p := range c.paths() {
		*p = under(base, *p)
	}
	if err := c.Check(); err != nil {
		return Config{}, refuse("%s: %w", path, err)
	}
	return c, nil
}

// paths are all file names in the configuration.
func (c *Config) paths() []*string {
	list := []*string{&c.Dir, &c.Register, &c.Policy.Dir, &c.Listen.Passwords}
	if !inbox.IsURL(c.Policy.Inbox) {
		list = append(list, &c.Policy.Inbox)
	}
	if !remote(c.Witness) {
		list = append(list, &c.Witness)
	}
	if t := c.Listen.TLS; t != nil {
		list = append(list, &t.Cert, &t.Key, &t.ClientCA)
	}
	if m := c.MQTT; m != nil {
		list = append(list, &m.PasswordFile, &m.CA, &m.Cert, &m.Key)
	}
	if c.Store.SQLite != nil {
		list = append(list, &c.Store.SQLite.Path)
	}
	if c.Store.Influx != nil {
		list = append(list, &c.Store.Influx.TokenFile)
	}
	return list
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
		c.Windows.Future = civil.MustPeriod("PT60S")
	}
	if c.Windows.CatchUp.IsZero() {
		c.Windows.CatchUp = civil.MustPeriod("PT6H")
	}
	if c.Feedback == 0 {
		c.Feedback = 5 * time.Minute
	}
	if c.Policy.Every.IsZero() {
		c.Policy.Every = civil.MustPeriod("PT1M")
	}
	if c.Policy.Dir == "" && !c.Policy.Signed() && c.Simulation && c.Dir != "" {
		c.Policy.Dir = filepath.Join(c.Dir, "policy")
	}
	if c.MQTT != nil && c.MQTT.ClientID == "" {
		c.MQTT.ClientID = "sluice-" + c.Gateway
	}
	if c.Store == (Store{}) && c.Dir != "" {
		c.Store.SQLite = &SQLite{Path: filepath.Join(c.Dir, "store.db")}
	}
	switch {
	case c.Dir == "":
		return errors.New("dir is missing: the state directory, e.g. /var/lib/sluice")
	case c.Register == "":
		return errors.New("register is missing: the path of register.yaml")
	case !gatewayName.MatchString(c.Gateway):
		return errors.New("gateway is a name of letters, digits and _ . -, e.g. edge-1")
	case c.Listen.MQTT == "" && c.MQTT == nil:
		return errors.New("sensors need a way in: mqtt: {broker: tcp://HOST:1883}, or listen: {mqtt: 127.0.0.1:1883}, or both")
	case c.Listen.MQTT == "" && (c.Listen.TLS != nil || c.Listen.Passwords != ""):
		return errors.New("listen: mqtt is missing: the address to listen on")
	case c.Listen.TLS != nil && (c.Listen.TLS.Cert == "" || c.Listen.TLS.Key == ""):
		return errors.New("listen: tls needs cert and key")
	case c.Store.SQLite != nil && c.Store.Influx != nil:
		return errors.New("store is one of sqlite and influx, not both")
	case c.Simulation && (c.Listen.MQTT != "" && !loopback(c.Listen.MQTT) || !loopback(c.Admin)):
		return errors.New("simulation: true needs listeners on loopback, e.g. 127.0.0.1:1883")
	case !c.Simulation && c.Time.Topic != "":
		return errors.New("time: a clock topic needs simulation: true; a gateway that is no simulation has time: wall")
	case c.Listen.MQTT != "" && !loopback(c.Listen.MQTT) && c.Listen.Passwords == "" && (c.Listen.TLS == nil || c.Listen.TLS.ClientCA == ""):
		return errors.New("listen: whoever reaches this address could publish as any sensor; give passwords (sluice sensor acl writes them), or tls: {client_ca}")
	}
	if err := c.checkPolicy(); err != nil {
		return err
	}
	if c.MQTT != nil {
		if err := c.MQTT.check(); err != nil {
			return err
		}
	}
	if c.Store.Influx != nil {
		if err := c.Store.Influx.Check(); err != nil {
			return fmt.Errorf("store: influx: %w", err)
		}
	}
	return nil
}

var pinPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (c *Config) checkPolicy() error {
	p := c.Policy
	switch {
	case p.Dir != "" && p.Signed():
		return errors.New("policy is one of dir and inbox, not both")
	case !p.Signed() && !c.Simulation:
		return errors.New("without simulation: true only signed policies run: policy: {inbox: DIR or URL, roster: \"sha256:...\"}")
	case p.Signed() && p.Roster == "":
		return errors.New("policy: roster is missing: the hash of the first council.yaml, as sluice motion show prints it, e.g. \"sha256:2f...\"")
	case p.Roster != "" && !pinPattern.MatchString(p.Roster):
		return errors.New("policy: roster is sha256: and 64 hexadecimal digits")
	case !p.Signed() && p.Roster != "":
		return errors.New("policy: roster goes with inbox")
	case p.Every.Nominal() < time.Second || p.Every.Nominal() > 24*time.Hour:
		return errors.New("policy: every is between PT1S and P1D")
	}
	return nil
}

var gatewayName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)

func (m *MQTT) check() error {
	u, err := url.Parse(m.Broker)
	switch {
	case err != nil || u.Host == "" || u.Path != "" || u.User != nil || !slices.Contains([]string{"tcp", "mqtt", "tls", "ssl", "mqtts"}, u.Scheme):
		return errors.New("mqtt: broker is tcp://HOST:PORT or tls://HOST:PORT; user name and password have keys of their own")
	case strings.ContainsAny(m.ClientID, "/+#\x00") || len(m.ClientID) > 128:
		return errors.New("mqtt: client_id is a name without / + #")
	case m.PasswordFile != "" && m.Username == "":
		return errors.New("mqtt: password_file needs a username")
	case (m.Cert == "") != (m.Key == ""):
		return errors.New("mqtt: cert and key go together")
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
