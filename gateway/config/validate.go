package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"sluice/gateway/cluster/roster"

	"sluice/internal/pattern"
)

// rule is something that no configuration may break: what is said when it does, and
// how to mend it. The text of the error is both, one after the other.
type rule[T any] struct {
	broken       func(T) bool
	message, fix string
}

// broken is the first rule that a section breaks.
func broken[T any](section T, rules []rule[T]) error {
	for _, r := range rules {
		if r.broken(section) {
			return errors.New(r.message + r.fix)
		}
	}
	return nil
}

// crossRules are those that hold between sections.
var crossRules = []rule[*Config]{
	{
		func(c *Config) bool { return c.Does(roster.Front) && len(c.Listen.addresses()) == 0 && c.MQTT == nil },
		"sensors need a way in: ", "mqtt: {broker: tcp://HOST:1883}, or listen: {mqtt: 127.0.0.1:1883}, or both",
	},
	{
		func(c *Config) bool { return !c.Does(roster.Front) && (len(c.Listen.addresses()) > 0 || c.MQTT != nil) },
		"listen and mqtt are a front's: ", "take them out, or add front to cluster: roles, here and in the roster",
	},
	{
		func(c *Config) bool { return c.Cluster == nil && c.MQTT != nil && c.MQTT.Share != nil },
		"mqtt: share is for several machines that are one city: ", "take it out",
	},
	{
		func(c *Config) bool { return c.Cluster != nil && c.Does(roster.Front) && c.Keys == "memory" },
		"keys: memory would lose a day's keys with each stop of a front: ", "keys: auto, or a directory on tmpfs",
	},
	{
		func(c *Config) bool {
			return c.Simulation && (c.Listen.reachable() || !Loopback(c.Admin))
		},
		"simulation: true needs listeners on loopback, ", "e.g. 127.0.0.1:1883",
	},
	{
		func(c *Config) bool { return !c.Simulation && c.Time.Topic != "" },
		"time: a clock topic needs simulation: true; ", "a gateway that is no simulation has time: wall",
	},
	{
		func(c *Config) bool { return c.Listen.reachable() && !c.Listen.Known() },
		"listen: whoever reaches this address could publish as any sensor; ",
		"give passwords (sluice sensor acl writes them), or tls: {client_ca}",
	},
	{
		func(c *Config) bool { return !c.Policy.Signed() && !c.Simulation },
		"without simulation: true only signed policies run: ", "policy: {inbox: DIR or URL, roster: \"sha256:...\"}",
	},
}

// Validate refuses what cannot run: first what is wrong in a section, then what is
// wrong between them. Defaults must have been set.
func (c *Config) Validate() error {
	for _, check := range []func() error{c.validate, c.Listen.validate, c.Store.validate, c.Policy.validate,
		c.MQTT.validate, c.cluster} {
		if err := check(); err != nil {
			return err
		}
	}
	return broken(c, crossRules)
}

// Does reports whether this machine has a role: one that is alone has all of them.
func (c *Config) Does(role roster.Role) bool { return c.Cluster == nil || c.Cluster.May(role) }

var gatewayName = pattern.New(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)

// validate looks at the keys that are of no section.
func (c *Config) validate() error {
	return broken(c, []rule[*Config]{
		{func(c *Config) bool { return c.Dir == "" }, "dir is missing: ", "the state directory, e.g. /var/lib/sluice"},
		{func(c *Config) bool { return c.Register == "" }, "register is missing: ", "the path of register.yaml"},
		{
			func(c *Config) bool { return !gatewayName.MatchString(c.Gateway) },
			"gateway is a name of letters, digits and _ . -, ", "e.g. edge-1",
		},
	})
}

func (l Listen) validate() error {
	return broken(l, []rule[Listen]{
		{
			func(l Listen) bool { return len(l.addresses()) == 0 && (l.TLS != nil || l.Passwords != "") },
			"listen: mqtt is missing: ", "the address to listen on, or websocket, or both",
		},
		{
			func(l Listen) bool { return l.MQTT != "" && l.MQTT == l.WebSocket && !anyPort(l.MQTT) },
			"listen: mqtt and websocket are one address: ", "give websocket a port of its own",
		},
		{func(l Listen) bool { return l.TLS != nil && (l.TLS.Cert == "" || l.TLS.Key == "") },
			"listen: tls needs cert and key", ""},
		{func(l Listen) bool { return l.TLS != nil && l.TLS.CRL != "" && l.TLS.ClientCA == "" },
			"listen: tls: crl is of the authority of client_ca: ", "name that too"},
	})
}

// addresses are those that it listens on.
func (l Listen) addresses() []string {
	return slices.DeleteFunc([]string{l.MQTT, l.WebSocket}, func(addr string) bool { return addr == "" })
}

// reachable reports whether others than this machine reach it.
func (l Listen) reachable() bool {
	return slices.ContainsFunc(l.addresses(), func(addr string) bool { return !Loopback(addr) })
}

// anyPort reports whether an address leaves its port to the system.
func anyPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && port == "0"
}

// Known reports whether sensors have to show who they are.
func (l Listen) Known() bool { return l.Passwords != "" || l.TLS != nil && l.TLS.ClientCA != "" }

func (s Store) validate() error {
	if s.SQLite != nil && s.Influx != nil {
		return errors.New("store is one of sqlite and influx, not both")
	}
	if s.Influx != nil {
		if err := s.Influx.Check(); err != nil {
			return fmt.Errorf("store: influx: %w", err)
		}
	}
	return nil
}

var pinPattern = pattern.New(`^sha256:[0-9a-f]{64}$`)

func (p Policy) validate() error {
	return broken(p, []rule[Policy]{
		{func(p Policy) bool { return p.Dir != "" && p.Signed() }, "policy is one of dir and inbox, not both", ""},
		{
			func(p Policy) bool { return p.Signed() && p.Roster == "" },
			"policy: roster is missing: ", "the hash of the first council.yaml, as sluice motion show prints it, " +
				"e.g. \"sha256:2f...\"",
		},
		{
			func(p Policy) bool { return p.Roster != "" && !pinPattern.MatchString(p.Roster) },
			"policy: roster is sha256: and 64 hexadecimal digits", "",
		},
		{func(p Policy) bool { return !p.Signed() && p.Roster != "" }, "policy: roster goes with inbox", ""},
		{
			func(p Policy) bool { return p.Every.Nominal() < time.Second || p.Every.Nominal() > 24*time.Hour },
			"policy: every is between PT1S and P1D", "",
		},
	})
}

// cluster looks at the section that the room of members knows.
func (c *Config) cluster() error {
	if c.Cluster == nil {
		return nil
	}
	if err := c.Cluster.Check(); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	return nil
}

// schemes are those of a broker's address.
var schemes = []string{"tcp", "mqtt", "tls", "ssl", "mqtts"}

func (m *MQTT) validate() error {
	if m == nil {
		return nil
	}
	u, err := url.Parse(m.Broker)
	switch {
	case err != nil || u.Host == "" || u.Path != "" || u.User != nil || !slices.Contains(schemes, u.Scheme):
		return errors.New("mqtt: broker is tcp://HOST:PORT or tls://HOST:PORT; user name and password have keys " +
			"of their own")
	case strings.ContainsAny(m.ClientID, "/+#\x00") || len(m.ClientID) > 128:
		return errors.New("mqtt: client_id is a name without / + #")
	case m.PasswordFile != "" && m.Username == "":
		return errors.New("mqtt: password_file needs a username")
	case (m.Cert == "") != (m.Key == ""):
		return errors.New("mqtt: cert and key go together")
	}
	return nil
}

// Loopback reports whether only this machine reaches an address, HOST:PORT.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Remote reports whether a witness is a URL, and not a directory.
func Remote(witness string) bool { return strings.Contains(witness, "://") }
