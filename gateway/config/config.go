// Package config is gateway.yaml: its keys, their defaults, and what cannot run.
package config

import (
	"path/filepath"
	"strings"
	"time"

	"sluice/gateway/cluster/member"
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
	// Cluster makes this machine one of several that are one city; without it the gateway is
	// one process.
	Cluster *member.Config `yaml:"cluster"`
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

// Pin is the first roster's hash, without its prefix.
func (p Policy) Pin() string { return strings.TrimPrefix(p.Roster, "sha256:") }

// MQTT is the connection to a broker.
type MQTT struct {
	// Broker is tcp://HOST:PORT or tls://HOST:PORT.
	Broker string `yaml:"broker"`
	// ClientID names the session that the broker keeps; sluice-GATEWAY by default, and on one of several machines
	// sluice-GATEWAY-NAME.
	ClientID string `yaml:"client_id"`
	// Share has the fronts of a cluster share out messages, so that each is taken by one of them, by shared
	// subscriptions ($share); by default they do. It is for several machines only.
	Share *bool `yaml:"share"`
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
	// MQTT is the address of MQTT, and WebSocket that of MQTT over WebSocket; TLS and
	// passwords are of both.
	MQTT      string `yaml:"mqtt"`
	WebSocket string `yaml:"websocket"`
	TLS       *TLS   `yaml:"tls"`
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
	// CRL is the authority's list of certificates that hold no more (`sluice sensor cert revoke`
	// writes one), looked at each second.
	CRL string `yaml:"crl"`
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

// Read reads and checks gateway.yaml. Relative paths are relative to it.
func Read(path string) (Config, error) {
	raw, err := perm.Read(path, perm.Trusted)
	if err != nil {
		return Config{}, Refuse("configuration: %w", err)
	}
	var c Config
	if err := yamldoc.Decode(path, raw, &c); err != nil {
		return Config{}, Refuse("%w", err)
	}
	base := filepath.Dir(path)
	for _, p := range c.paths() {
		*p = under(base, *p)
	}
	c.SetDefaults()
	if err := c.Validate(); err != nil {
		return Config{}, Refuse("%s: %w", path, err)
	}
	return c, nil
}

// paths are all file names in the configuration.
func (c *Config) paths() []*string {
	list := []*string{&c.Dir, &c.Register, &c.Policy.Dir, &c.Listen.Passwords}
	if !inbox.IsURL(c.Policy.Inbox) {
		list = append(list, &c.Policy.Inbox)
	}
	if !Remote(c.Witness) {
		list = append(list, &c.Witness)
	}
	if t := c.Listen.TLS; t != nil {
		list = append(list, &t.Cert, &t.Key, &t.ClientCA, &t.CRL)
	}
	if m := c.MQTT; m != nil {
		list = append(list, &m.PasswordFile, &m.CA, &m.Cert, &m.Key)
	}
	if c.Cluster != nil {
		list = append(list, c.Cluster.Paths()...)
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
