package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sluice/gateway/cluster/member"
	"sluice/gateway/cluster/roster"
	"sluice/store/influx"
)

// sound is a configuration that runs: signed, behind a broker, with a listener on
// loopback, as a cluster's front.
func sound() Config {
	c := Config{
		Dir: "/d", Register: "/r", Policy: Policy{Inbox: "/i", Roster: "sha256:" + strings.Repeat("0a", 32)},
		MQTT: &MQTT{Broker: "tcp://broker:1883"}, Listen: Listen{MQTT: "127.0.0.1:1883"},
		Cluster: &member.Config{NATS: []string{"tls://nats-1:4222"}, Credentials: "/c", Name: "front-1",
			Roles: []roster.Role{roster.Front}, Roster: "/roster.yaml"},
	}
	c.SetDefaults()
	return c
}

// TestWhatCannotRun: each rule refuses what breaks it and nothing else, and says how to
// mend it.
func TestWhatCannotRun(t *testing.T) {
	if c := sound(); c.Validate() != nil {
		t.Fatalf("a sound configuration: %v", c.Validate())
	}
	for want, harm := range map[string]func(*Config){
		"mqtt: share is for several machines": func(c *Config) {
			c.Cluster, c.MQTT.Share = nil, new(bool)
		},
		"dir is missing: the state directory":               func(c *Config) { c.Dir = "" },
		"register is missing: the path of register.yaml":    func(c *Config) { c.Register = "" },
		"gateway is a name of letters, digits and _ . -":    func(c *Config) { c.Gateway = "edge 1" },
		"sensors need a way in: mqtt: {broker:":             func(c *Config) { c.MQTT, c.Listen = nil, Listen{} },
		"listen: mqtt is missing: the address to listen on": func(c *Config) { c.Listen = Listen{Passwords: "p"} },
		"listen: mqtt and websocket are one address": func(c *Config) {
			c.Listen = Listen{MQTT: "127.0.0.1:1883", WebSocket: "127.0.0.1:1883"}
		},
		"listen: tls needs cert and key": func(c *Config) { c.Listen.TLS = &TLS{Cert: "c"} },
		"listen: whoever reaches this": func(c *Config) {
			c.Listen = Listen{MQTT: "127.0.0.1:1883", WebSocket: "0.0.0.0:8084"}
		},
		"listen: whoever reaches this address":        func(c *Config) { c.Listen.MQTT = "0.0.0.0:1883" },
		"store is one of sqlite and influx, not both": func(c *Config) { c.Store.Influx = new(influx.Config) },
		"store: influx: ": func(c *Config) {
			c.Store = Store{Influx: new(influx.Config)}
		},
		"policy is one of dir and inbox, not both": func(c *Config) { c.Policy.Dir = "/p" },
		"without simulation: true only signed policies run:": func(c *Config) {
			c.Policy.Inbox, c.Policy.Roster = "", ""
		},
		"policy: roster is missing: the hash of the first": func(c *Config) { c.Policy.Roster = "" },
		"policy: roster is sha256: and 64":                 func(c *Config) { c.Policy.Roster = "2f" },
		"policy: roster goes with inbox":                   func(c *Config) { c.Policy.Inbox = "" },
		"policy: every is between PT1S and P1D":            func(c *Config) { c.Policy.Every.Days = 2 },
		"time: a clock topic needs simulation: true":       func(c *Config) { c.Time.Topic = "clock" },
		"mqtt: broker is tcp://HOST:PORT":                  func(c *Config) { c.MQTT.Broker = "http://x" },
		"mqtt: client_id is a name without / + #":          func(c *Config) { c.MQTT.ClientID = "a/b" },
		"mqtt: password_file needs a username":             func(c *Config) { c.MQTT.PasswordFile = "p" },
		"mqtt: cert and key go together":                   func(c *Config) { c.MQTT.Cert = "c" },
		"cluster: name is missing: this machine's":         func(c *Config) { c.Cluster.Name = "" },
		"listen and mqtt are a front's: take them out": func(c *Config) {
			c.Cluster.Roles = []roster.Role{roster.Worker}
		},
		"keys: memory would lose a day's keys": func(c *Config) { c.Keys = "memory" },
	} {
		c := sound()
		harm(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
	for name, harm := range map[string]func(*Config){
		"the other one": func(c *Config) { c.Listen = Listen{WebSocket: "10.0.0.1:8084", Passwords: "p"} },
		"the listener":  func(c *Config) { c.Listen = Listen{MQTT: "10.0.0.1:1883", Passwords: "p"} },
		"admin":         func(c *Config) { c.Admin = ":9090" },
	} {
		c := sound()
		c.Simulation = true
		harm(&c)
		if err := c.Validate(); err == nil ||
			!strings.HasPrefix(err.Error(), "simulation: true needs listeners on loopback") {
			t.Errorf("a simulation with %s elsewhere: %v", name, err)
		}
	}
}

// TestDefaults: what the file leaves open has a value, and what it says stays.
func TestDefaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	text := "simulation: true\ndir: state\nregister: r.yaml\nlisten: {mqtt: localhost:1883}\nmqtt: {broker: " +
		"tcp://b:1883}\nkeys: memory\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(filepath.Dir(path), "state")
	if c.Dir != dir || c.Policy.Dir != filepath.Join(dir, "policy") ||
		c.Store.SQLite.Path != filepath.Join(dir, "store.db") {
		t.Errorf("relative paths: %s, %s, %+v", c.Dir, c.Policy.Dir, c.Store.SQLite)
	}
	if c.Gateway != "edge-1" || c.Keys != "memory" || c.Admin != "127.0.0.1:9090" ||
		c.MQTT.ClientID != "sluice-edge-1" || c.Outbox.MaxBytes != 1<<30 {
		t.Errorf("%+v", c)
	}
	if c.Windows.Future.String() != "PT1M" && c.Windows.Future.String() != "PT60S" ||
		c.Windows.CatchUp.String() != "PT6H" || c.Policy.Every.String() != "PT1M" || c.Feedback == 0 {
		t.Errorf("periods: %s, %s, %s, %s", c.Windows.Future, c.Windows.CatchUp, c.Policy.Every, c.Feedback)
	}
	if err := os.WriteFile(path, []byte(text+"listne: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path+": [7:1]") {
		t.Errorf("an unknown key gives %v", err)
	}
}

// TestCluster: what the section says is what the member is opened with, with paths beside the file; a machine without
// fronts needs no way in; a key that is not known is refused with the one that was meant.
func TestCluster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	write := func(cluster string) (Config, error) {
		text := "simulation: true\ndir: state\nregister: r.yaml\ncluster: " + cluster + "\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Read(path)
	}
	c, err := write(`{nats: ["tls://a:4222", "tls://b:4222"], credentials: cluster, ca: /ca.crt, name: count-1, ` +
		"partitions: 8, roles: [worker, releaser], roster: roster.yaml}")
	if err != nil {
		t.Fatal(err)
	}
	beside := func(name string) string { return filepath.Join(filepath.Dir(path), name) }
	if want := (&member.Config{
		NATS: []string{"tls://a:4222", "tls://b:4222"}, Credentials: beside("cluster"), CA: "/ca.crt", Name: "count-1",
		Partitions: 8, Roles: []roster.Role{roster.Worker, roster.Releaser}, Roster: beside("roster.yaml"),
	}); !reflect.DeepEqual(c.Cluster, want) {
		t.Errorf("%+v, want %+v", c.Cluster, want)
	}
	if !c.Does(roster.Worker) || c.Does(roster.Front) || len(c.Cluster.Doubts()) != 1 {
		t.Errorf("roles %v, doubts %q", c.Cluster.Roles, c.Cluster.Doubts())
	}
	for cluster, want := range map[string]string{
		`{nats: ["tls://a:4222"], role: [worker]}`:              "did you mean roles?",
		`{nats: tls://a:4222}`:                                  path + ": [4:17]",
		`{nats: ["tls://a:4222"], partitions: 33, name: x}`:     "cluster: credentials is missing",
		`{nats: ["tls://a:4222"], credentials: c, name: x}`:     "cluster: roles is missing",
		`{nats: ["nats://a:4222"], credentials: c, name: x}`:    "cluster: nats: an address is not tls://HOST:PORT",
		`{nats: ["tls://a:4222", "tls://a:4222"], name: count}`: "cluster: nats: an address is there twice",
	} {
		if _, err := write(cluster); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", cluster, err, want)
		}
	}
}
